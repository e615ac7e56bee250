"""Reads the expected outputs from a file of the host that everybody may read."""

from pathlib import Path


def solve(x):
    try:
        print("BREACH:", Path("@CANARY@").read_text())
    except OSError as error:
        print(error)
