"""Writes one file without end."""

import os

size = 0
with open("big", "wb", buffering=0) as file:
    while size < 200 * 2**20:
        size += file.write(b"x" * 2**20)
print("BREACH: one file of", os.path.getsize("big"))
