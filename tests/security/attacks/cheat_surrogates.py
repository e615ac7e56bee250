"""Prints and returns text that cannot be encoded."""

import sys

sys.stdout.buffer.write(b"\xff\xfe\x00" * 10)


def solve(x):
    return "\ud800\udfff\x00"
