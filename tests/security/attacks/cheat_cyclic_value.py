"""Returns a list that contains itself."""


def solve(x):
    value = []
    value.append(value)
    return value
