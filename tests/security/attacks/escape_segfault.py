"""Breaks its own interpreter by writing to random memory."""

import ctypes

for address in (0, 8, id(None), id(1), id(print)):
    ctypes.memset(address, 0x41, 64)
