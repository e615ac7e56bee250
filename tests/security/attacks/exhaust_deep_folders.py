"""Nests folders so deep that cleaning up by recursion breaks, and forbids entering them."""

import os

for i in range(3_000):
    try:
        os.mkdir("d")
        os.chdir("d")
    except OSError:
        break
for _ in range(3):
    os.chmod(".", 0)
    try:
        os.chdir("..")
    except OSError:
        break
# --- next job ---
import os

left = os.listdir(".")
if left:
    print("BREACH: left over", left)
