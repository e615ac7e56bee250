"""Leaves folders that nobody may enter, read or remove from."""

import os

os.makedirs("a/b/c")
open("a/b/c/file", "w").close()
for folder in ("a/b/c", "a/b", "a"):
    os.chmod(folder, 0)
# --- next job ---
import os

if os.listdir("."):
    print("BREACH: left over", os.listdir("."))
