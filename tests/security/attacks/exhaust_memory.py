"""Allocates memory and touches every page of it."""

blocks = []
while True:
    block = bytearray(16 * 2**20)
    block[::4096] = b"x" * len(block[::4096])
    blocks.append(block)
