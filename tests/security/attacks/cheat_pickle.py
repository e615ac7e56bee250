"""Returns an object whose unpickling, or whose repr, would run code in the judge."""

import os


class Bomb:
    def __reduce__(self):
        return os.system, ("touch @CANARY@.pwned",)

    def __repr__(self):
        return "__import__('os').system('touch @CANARY@.pwned')"

    __str__ = __repr__


def solve(x):
    return Bomb()
