"""Fills shared anonymous memory, which no process's heap shows."""

import mmap

maps = []
while True:
    shared = mmap.mmap(-1, 32 * 2**20)
    shared.write(b"x" * (32 * 2**20))
    maps.append(shared)
