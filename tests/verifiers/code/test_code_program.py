"""Completion to program."""

from __future__ import annotations

import time

import pytest

from rlvr_gym.verifiers.code import assemble, extract_program

CODE = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("completion", "program"),
    [
        (CODE, CODE),
        (f"```python\n{CODE}```", CODE),
        (
            f"First:\n```py\nx = 1\n```\nBetter:\n```python3\n{CODE}```\nRun it:\n```bash\npython f.py\n```\n",
            CODE,
        ),
        (f"```\n{CODE}```", CODE),
        (f"```python\n{CODE}", CODE),
        (f"<think>```python\nx = 1\n```</think>\n```python\n{CODE}```", CODE),
        (f"<think>hm</think><answer>\n{CODE}</answer>", CODE),
        (f"<answer>```python\n{CODE}```</answer>", CODE),
        ("    return x + 1\n", "    return x + 1\n"),
        ("", ""),
        ("<think>never ends", ""),
        ('```python\ns = "```"\n```', 's = "```"\n'),
    ],
)
def test_extraction(completion, program):
    assert extract_program(completion) == program


@pytest.mark.parametrize(
    "text", ["```" * 200_000, "```python\n" * 100_000, "<answer>" * 200_000, "`" * 10**6, "\n" * 10**6]
)
def test_extraction_takes_linear_time(text):
    start = time.monotonic()
    assert isinstance(extract_program(text), str)
    assert time.monotonic() - start < 5


PREFIX = 'import math\n\ndef f(x):\n    """Twice."""\n'


@pytest.mark.parametrize(
    "program",
    [
        "    return 2 * x\n",
        "def f(x):\n    return 2 * x\n",
        "f = lambda x: 2 * x\n",
        "async def g(): pass\nf = int(2).__mul__\n",
    ],
)
def test_a_program_continues_or_replaces_the_prefix(program):
    namespace: dict = {}
    exec(assemble(program, PREFIX, "f"), namespace)
    assert namespace["f"](21) == 42


@pytest.mark.parametrize(
    "prefix", ["def f(x):", "def f(x):\n", "import math\n", "def f(x):\n\t'''Doc\n\t'''\n"]
)
def test_any_prefix_becomes_complete(prefix):
    namespace: dict = {}
    exec(assemble("def f(x):\n    return 42\n", prefix, "f"), namespace)
    assert namespace["f"](0) == 42
