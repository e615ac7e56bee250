"""Returns a value nested so deep that a recursive reader breaks."""


def solve(x):
    value = []
    for _ in range(50_000):
        value = [value]
    return value
