"""The guide to rewards names everything that there is, and its examples work."""

import json
import re
from pathlib import Path

import pytest

from rlvr_gym import RewardDesign, Rollout, Task, Verdict
from rlvr_gym.rewards import DESIGNS, make_term, term_names
from rlvr_gym.rewards.node import operation_names

GUIDE = Path(__file__).parents[2] / "docs" / "rewards.md"
pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="needs the repository")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_term_design_and_operation_is_in_a_table():
    rows = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in rows)))
    own = {name for name in term_names() if name.startswith("test_")}
    assert set(term_names()) - own - {"short_answer"} <= named
    assert set(DESIGNS) | set(operation_names()) <= named


def test_the_designs_parse():
    examples = blocks("json")
    assert len(examples) == 2
    for text in examples:
        design = RewardDesign.parse(json.loads(text))
        assert RewardDesign.parse(json.loads(design.to_json())) == design


def test_figures_are_there():
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", GUIDE.read_text(encoding="utf-8")):
        assert (GUIDE.parent / name).stat().st_size < 60_000


def test_a_term_of_ones_own():
    (code,) = blocks("python")
    exec(compile(code, str(GUIDE), "exec"), {"__name__": "guide"})
    item = Rollout(Task("?", "5"), "5", Verdict.right(), 7)
    assert make_term("short_answer", limit=7).evaluate([item]) == [1.0]
    assert make_term("short_answer", limit=6).evaluate([item]) == [0.0]
