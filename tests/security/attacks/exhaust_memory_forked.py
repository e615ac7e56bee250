"""Allocates memory in many processes at once, each below its own limit."""

import os
import time

for _ in range(14):
    if os.fork() == 0:
        try:
            block = bytearray(100 * 2**20)
            block[::4096] = b"x" * len(block[::4096])
            time.sleep(30)
        finally:
            os._exit(0)
time.sleep(30)
