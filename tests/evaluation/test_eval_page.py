"""The pages: complete, without network, deaf to what models and labels say."""

import re

import pytest

from rlvr_gym.evaluation import ModelSettings, load_model, load_suite, make_plan, run_suite
from rlvr_gym.prompts import get_template
from rlvr_gym.report.eval_page import render_eval, render_leaderboard

ATTACK = (
    "</pre></script><script>document.title='hacked'</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>\ud800"
)


@pytest.fixture(scope="module")
def result():
    plan = make_plan(load_suite("quick").limited(20), "random", samples=2)
    return run_suite(plan, load_model("random", get_template("plain"), ModelSettings()))


def test_the_page_shows_every_environment_and_every_verdict(result, parse_page):
    rows = [sample.to_dict() for sample in result.samples]
    page = render_eval(result.summary, rows)
    parsed = parse_page(page)
    assert parsed.addresses == []
    assert "link" not in parsed.tags
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) <= {"http://www.w3.org/2000/svg"}
    for name in result.summary["parts"]:
        assert f">{name}</th>" in page
    for row in rows:
        assert f'data-verdict="{row["verdict"]["reason"]}"' in page
    assert parsed.tags["article"] >= len(rows)


def test_what_a_model_writes_stays_text(result, parse_page):
    row = result.samples[0].to_dict()
    verdict = {
        **row["verdict"],
        "extracted": ATTACK,
        "reason": f'x" onmouseover="{ATTACK}',
        "details": {"error": ATTACK},
    }
    row = {
        **row,
        "prompt": ATTACK,
        "completion": ATTACK,
        "part": ATTACK,
        "verdict": verdict,
        "finish_reason": "length",
    }
    page = render_eval({**result.summary, "label": ATTACK, "model": ATTACK}, [row])
    parsed = parse_page(page)
    assert (parsed.tags["script"], parsed.tags.get("img", 0), parsed.handlers) == (1, 0, [])
    assert "{{ 7 * 7 }}" in page
    assert "cut off" in page


def test_a_result_without_any_verdict_still_has_a_page(result):
    nothing = dict.fromkeys(
        ("pass@1", "low", "high", "mean_score", "mean_score_low", "mean_score_high", "mean_length")
    )
    parts = {"p": {**next(iter(result.summary["parts"].values())), **nothing}}
    page = render_eval({**result.summary, **nothing, "parts": parts, "invalid": 3}, [])
    assert "3 attempts have no verdict" in page


def test_labels_on_the_leaderboard_stay_text(result, parse_page):
    parts = result.summary["parts"]
    behind = {"difference": -0.1, "low": -0.2, "high": 0.0, "p": 0.5}
    row = {**result.summary, "label": ATTACK, "parts": parts, "behind": None}
    board = {"suite": ATTACK, "suite_digest": "x", "seed": 0, "tasks": 20, "parts": list(parts),
             "rows": [row, {**row, "behind": behind}]}  # fmt: skip
    parsed = parse_page(render_leaderboard(board))
    assert (parsed.tags["script"], parsed.tags.get("img", 0), parsed.handlers) == (1, 0, [])
