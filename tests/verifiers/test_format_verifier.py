"""The two forms of thinking and answering."""

import pytest

from rlvr_gym import Reason, Task, get_verifier
from rlvr_gym.testing import HOSTILE_TEXTS

TASK = Task(prompt="?", answer="")
STRICT = "<think>a</think><answer>b</answer>"


@pytest.mark.parametrize(
    ("completion", "loose", "strict"),
    [
        (STRICT, True, True),
        (f"\n{STRICT}\n", True, True),
        ("<think>a</think> b", True, False),
        ("<think>a</think>", False, False),
        ("<think>a</think> \n", False, False),
        ("<think>a <answer>b</answer>", False, False),
        ("a</think><answer>b</answer>", False, False),
        ("<answer>b</answer><think>a</think>", False, False),
        ("<think>a</think><think>a</think><answer>b</answer>", False, False),
        (f"{STRICT}<answer>c</answer>", True, False),
        ("<think>a</think></answer>b<answer>", True, False),
        ("<THINK>a</THINK><answer>b</answer>", False, False),
        ("", False, False),
    ],
)
def test_forms(completion, loose, strict):
    for name, expected in (("format_r1", loose), ("format_strict", strict)):
        verdict = get_verifier(name).verify(completion, TASK)
        assert verdict.correct is expected
        assert verdict.reason is (Reason.CORRECT if expected else Reason.BAD_FORMAT)


@pytest.mark.parametrize("name", ["format_r1", "format_strict"])
def test_hostile_texts(name):
    for text in HOSTILE_TEXTS:
        verdict = get_verifier(name).verify(text, TASK)
        assert verdict.valid
        assert not verdict.correct
