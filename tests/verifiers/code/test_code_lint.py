"""The linter: each rule has a program that breaks it and one that does not."""

from __future__ import annotations

import pytest

from rlvr_gym.sandbox.guest.lint import lint

RULES = [
    ("F401", "import os\n", "import os\nprint(os)\n"),
    ("F401", "from math import sqrt as s\n", "from math import sqrt\n__all__ = ['sqrt']\n"),
    ("F821", "print(x)\n", "x = 1\nprint(x)\n"),
    ("F821", "def f():\n    return y\n", "def f():\n    return y\ny = 1\n"),
    ("F821", "def f():\n    return zz\n", "from math import *\ndef f():\n    return zz\n"),
    ("F841", "def f():\n    x = 1\n", "def f():\n    x = 1\n    return lambda: x\n"),
    ("F841", "def f():\n    x = 1\n", "def f():\n    _x = 1\n"),
    ("F811", "def f(): pass\ndef f(): pass\n", "def f(): pass\nf()\ndef f(): pass\n"),
    ("F632", "x = 1\nif x is 'a': pass\n", "x = 1\nif x is None: pass\n"),
    ("E711", "x = 1\nif x == None: pass\n", "x = 1\nif x is not None: pass\n"),
    ("E712", "x = 1\nif x != True: pass\n", "x = 1\nif x: pass\n"),
    ("E722", "try:\n    pass\nexcept:\n    pass\n", "try:\n    pass\nexcept ValueError:\n    pass\n"),
    ("B006", "def f(x=[]): return x\n", "def f(x=()): return x\n"),
    ("F541", "print(f'x')\n", "x = 1\nprint(f'{x:>{x}} y')\n"),
]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(("code", "bad", "good"), RULES)
def test_rules(code, bad, good):
    assert [finding.code for finding in lint(bad)] == [code]
    assert lint(good) == []


def test_ordinary_programs_are_clean():
    program = """
from collections import defaultdict
from typing import List


class Node:
    count = 0

    def __init__(self, value: int) -> None:
        self.value = value
        Node.count += 1
        print(__class__)


def total(nodes: List[Node]) -> int:
    groups = defaultdict(list)
    for node in nodes:
        groups[node.value % 2].append(node)
    global cache
    cache = {key: [n.value for n in group] for key, group in groups.items()}
    try:
        return sum(x for xs in cache.values() for x in xs)
    except (TypeError, ValueError) as error:
        print(error)
        return 0


if __name__ == "__main__":
    print(total([Node(1)]), cache)
"""
    assert lint(program) == []


def test_findings_have_lines():
    assert [(f.line, f.code) for f in lint("x = 1\nif x == None:\n    print(y)\n")] == [
        (2, "E711"),
        (3, "F821"),
    ]


@pytest.mark.parametrize("source", ["def f(:", "x = '\x00'", "(" * 5000])
def test_what_is_no_python_raises(source):
    with pytest.raises((SyntaxError, ValueError, RecursionError, MemoryError)):
        lint(source)
