"""Returns an integer of a million digits."""


def solve(x):
    return 1 << 3_300_000
