"""Properties of the core over arbitrary texts, designs and seeds."""

import json
import math
import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rlvr_gym
from rlvr_gym import Reason, RewardDesign, Rollout, Task, Verdict
from rlvr_gym.executor.wire import dumps
from rlvr_gym.extraction import MAX_ANSWER_CHARS, boxed_contents, extract_answer, strip_thinking
from rlvr_gym.formats import strict_think_answer, think_then_answer
from rlvr_gym.task import task_rng

MARKERS = [
    *(
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "<ANSWER>",
        "</Think>",
        "\\boxed{",
        "\\fbox{",
        "{",
        "}",
        "\\",
    ),
    *(
        "####",
        "#### 5\n",
        "the answer is ",
        "Answer: ",
        "**",
        "$",
        "`",
        "\n",
        " ",
        ".",
        "5",
        "-3/4",
        "x+1",
        "not ",
    ),
    *(
        "9**9**9**9",
        "__import__('os')",
        "\x00",
        "\u202e",
        "\ud800",
        "٣",
        "nan",
        "inf",
        "1e999",
        "\\frac{1}{0}",
    ),
]
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=300)
"""Lone surrogates too."""
MARKED_TEXT = st.lists(st.sampled_from(MARKERS) | ANY_TEXT, max_size=40).map("".join)
PLAIN_ANSWER = st.from_regex(r"[A-Za-z0-9+\-/=]{1,20}", fullmatch=True).filter(
    lambda t: "answer" not in t.lower()
)


# -- extraction -----------------------------------------------------------------------------------------------------


@given(ANY_TEXT | MARKED_TEXT)
@settings(max_examples=500, deadline=None)
def test_extraction_is_total(text):
    extraction = extract_answer(text)
    assert bool(extraction.candidates) == (extraction.reason is None)
    assert len(set(extraction.candidates)) == len(extraction.candidates)
    for candidate in extraction.candidates:
        assert candidate == candidate.strip()
        assert 0 < len(candidate) <= MAX_ANSWER_CHARS
    think_then_answer(text)
    strict_think_answer(text)
    assert extract_answer(text) == extraction


@given(MARKED_TEXT)
@settings(deadline=None)
def test_every_candidate_was_said_outside_the_thinking(text):
    visible = strip_thinking(text)
    assert extract_answer(text) == extract_answer(visible)
    assert all(
        candidate in visible for candidate in extract_answer(text).candidates if "answer" not in candidate
    )


@given(MARKED_TEXT, PLAIN_ANSWER)
@settings(deadline=None)
def test_closed_thinking_changes_nothing(thinking, answer):
    thinking = strip_thinking(thinking)
    assert extract_answer(f"<think>{thinking}</think><answer>{answer}</answer>").candidates == (answer,)


@given(PLAIN_ANSWER, PLAIN_ANSWER)
@settings(deadline=None)
def test_two_marked_answers_are_both_seen(first, second):
    forms = [
        f"<answer>{first}</answer> \\boxed{{{second}}}",
        f"\\boxed{{{first}}}\n<answer>{second}</answer>",
    ]
    for text in forms:
        assert set(extract_answer(text).candidates) == {first, second}


@given(st.recursive(PLAIN_ANSWER, lambda inner: inner.map(lambda t: f"\\frac{{{t}}}{{2}}"), max_leaves=5))
@settings(deadline=None)
def test_boxes_keep_nested_braces(content):
    assert boxed_contents(f"so \\boxed{{{content}}} and \\boxed{{open") == [content]


@given(
    st.lists(st.sampled_from(MARKERS), min_size=1, max_size=4).map("".join), st.sampled_from(["", *MARKERS])
)
@settings(max_examples=25, deadline=None)
def test_a_megabyte_of_any_pattern_is_read_soon(pattern, prefix):
    """Quadratic behaviour would take minutes."""
    start = time.process_time()
    extract_answer(prefix + pattern * (1_000_000 // len(pattern)))
    assert time.process_time() - start < 20


# -- verifiers ------------------------------------------------------------------------------------------------------


@given(ANY_TEXT | MARKED_TEXT)
@settings(max_examples=300, deadline=None)
def test_verifiers_judge_any_text(text):
    task = Task("?", "5")
    verifier = rlvr_gym.get_verifier("rational")
    verdict = verifier.verify(text, task)
    assert verdict.valid, verdict
    assert verdict.correct == (verdict.score == 1.0)
    assert verdict == verifier.verify(text, task)
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


@given(ANY_TEXT | MARKED_TEXT)
@settings(deadline=None)
def test_environments_take_any_action(text):
    env = rlvr_gym.TextEnv("rlvr/Arithmetic-v0", observation="chat")
    env.reset(seed=0)
    observation, reward, terminated, _, info = env.step(text)
    assert terminated
    assert reward == float(info["correct"])
    assert json.loads(observation)[-1]["content"] == text


# -- rewards --------------------------------------------------------------------------------------------------------

NUMBER = st.floats(-1e6, 1e6)
LEAF = st.sampled_from(["correct", "score", "length", "format_r1", "format_strict", "finished"]) | st.builds(
    lambda value: {"term": "constant", "value": value}, NUMBER
)


def _nodes(children):
    weighted = st.tuples(children, NUMBER).map(
        lambda pair: {**(pair[0] if isinstance(pair[0], dict) else {"term": pair[0]}), "weight": pair[1]}
    )
    return st.one_of(
        st.builds(lambda of: {"op": "sum", "of": of}, st.lists(weighted, min_size=1, max_size=4)),
        st.builds(lambda of: {"op": "product", "of": of}, st.lists(children, min_size=1, max_size=3)),
        st.builds(
            lambda a, b, c: {"op": "gate", "if": a, "then": b, "else": c}, children, children, children
        ),
        st.builds(
            lambda of, a, b: {"op": "clip", "low": min(a, b), "high": max(a, b), "of": of},
            children,
            NUMBER,
            NUMBER,
        ),
    )


TREE = st.recursive(LEAF, _nodes, max_leaves=8).filter(lambda spec: isinstance(spec, dict))
VERDICT = st.one_of(
    st.floats(0, 1).map(Verdict.graded),
    st.sampled_from(list(Reason)).map(Verdict.wrong),
    st.just(Verdict.failed(Reason.TIMEOUT)),
)
ROLLOUT = st.builds(
    lambda text, verdict, n, finished: Rollout(Task("?", "5"), text, verdict, n, finished),
    MARKED_TEXT,
    VERDICT,
    st.integers(0, 10_000),
    st.booleans(),
)


def totals(spec, group):
    return [reward.total for reward in RewardDesign.parse(spec)(group)]


@given(TREE, st.lists(ROLLOUT, max_size=5))
@settings(deadline=None)
def test_designs_round_trip_and_give_equal_rewards(spec, group):
    design = RewardDesign.parse(spec)
    again = RewardDesign.parse(json.loads(design.to_json()))
    assert again == design
    assert repr(again(group)) == repr(design(group))  # nan is not equal to itself


@given(TREE, st.lists(ROLLOUT, min_size=1, max_size=5), st.randoms())
@settings(deadline=None)
def test_rewards_belong_to_their_rollouts(spec, group, random):
    order = list(range(len(group)))
    random.shuffle(order)
    straight, shuffled = totals(spec, group), totals(spec, [group[i] for i in order])
    assert repr([straight[i] for i in order]) == repr(shuffled)
    assert [not math.isnan(total) for total in straight] == [rollout.verdict.valid for rollout in group]


@given(
    st.dictionaries(st.sampled_from(["correct", "score", "finished"]), st.integers(-8, 8), min_size=1),
    ROLLOUT,
)
@settings(deadline=None)
def test_weights_are_linear(weights, rollout):
    if rollout.verdict.valid:
        doubled = {name: 2 * weight for name, weight in weights.items()}
        parts = [totals({name: weight}, [rollout])[0] for name, weight in weights.items()]
        assert totals(weights, [rollout])[0] == pytest.approx(sum(parts))
        assert totals(doubled, [rollout])[0] == pytest.approx(2 * totals(weights, [rollout])[0])


@given(TREE, NUMBER, NUMBER, ROLLOUT)
@settings(deadline=None)
def test_clips_hold(spec, a, b, rollout):
    low, high = min(a, b), max(a, b)
    (total,) = totals({"op": "clip", "low": low, "high": high, "of": spec}, [rollout])
    assert math.isnan(total) or low <= total <= high


# -- tasks and seeds ------------------------------------------------------------------------------------------------

WORD = st.integers(0, 2**32 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=10,
)


@given(st.text(), JSON, st.text(), st.dictionaries(st.text(), JSON, max_size=3), st.none() | st.text())
@settings(deadline=None)
def test_tasks_round_trip(prompt, answer, id, metadata, solution):
    task = Task(prompt, answer, id, metadata, solution)
    assert Task.from_json(task.to_json()) == task
    assert Task.from_json(task.to_json()).to_json() == task.to_json()


@given(st.lists(st.tuples(WORD, WORD), min_size=2, max_size=20, unique=True))
@settings(deadline=None)
def test_no_two_addresses_share_a_stream(addresses):
    draws = [tuple(task_rng(seed, index).integers(2**63, size=2)) for seed, index in addresses]
    assert len(set(draws)) == len(draws)
    assert draws == [tuple(task_rng(seed, index).integers(2**63, size=2)) for seed, index in addresses]


@given(WORD, WORD, st.integers(1, 10))
@settings(deadline=None)
def test_tasks_are_functions_of_seed_and_index(seed, index, difficulty):
    problem = rlvr_gym.load_problem("rlvr/Arithmetic-v0", difficulty=difficulty)
    assert problem.source(seed)[index].to_json() == problem.source(seed)[index].to_json()


@given(JSON | ANY_TEXT)
@settings(deadline=None)
def test_what_goes_to_a_worker_comes_back(value):
    assert pickle.loads(dumps(value)) == value
