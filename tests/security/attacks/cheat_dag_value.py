"""Returns a small object that is exponentially large when it is written out."""


def solve(x):
    value = [0]
    for _ in range(60):
        value = [value, value]
    return value
