"""Writes results without end, each of which could win it time."""

import os

while True:
    os.write(3, b"\n")
