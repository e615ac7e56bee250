"""Fills the disk with files."""

import os

total = 0
for i in range(10_000):
    try:
        with open(
            f"/tmp/fill{i}" if os.access("/tmp", os.W_OK) and os.getcwd() == "/tmp" else f"fill{i}", "wb"
        ) as file:
            total += file.write(b"x" * 2**20 * 8)
    except OSError:
        break
    if total > 200 * 2**20:
        print("BREACH: wrote 200 MB to disk")
        break
