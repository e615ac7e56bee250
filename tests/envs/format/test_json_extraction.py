"""JSONExtraction: the object in any writing scores, and nothing else; reading untrusted JSON; the schema subset."""

import json
from copy import deepcopy
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import load_problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.json_extraction import field_equal
from rlvr_gym.verifiers.json_extraction_schema import JSONProblem, check_schema, read_json, schema_fault

VERIFIER = get_verifier("json_extraction")
FIELDS = {"n": "integer", "x": "number", "s": "string", "d": "date", "b": "boolean", "z": "string",
          "l": [{"k": "string", "v": "integer"}]}  # fmt: skip
TRUTH = {"n": 12, "x": 0.1, "s": "Blue Kettle", "d": "2026-01-02", "b": True, "z": None,
         "l": [{"k": "a", "v": 1}, {"k": "a", "v": 2}]}  # fmt: skip
TASK = Task("?", {"fields": FIELDS, "reference": TRUTH})


def score(text, task=TASK):
    verdict = VERIFIER.verify(f"<answer>{text}</answer>", task)
    assert verdict.valid, verdict
    return verdict.score


def with_field(name, raw):
    rest = ", ".join(f'"{k}": {json.dumps(v)}' for k, v in TRUTH.items() if k != name)
    return f'{{"{name}": {raw}, {rest}}}'


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("n", "12"), ("n", "12.0"), ("n", "1.2e1"), ("x", "0.1"), ("x", "0.10"), ("x", "1e-1"), ("s", '"blue  kettle"'),
        ("s", '"BLUE KETTLE "'), ("s", '"Blue\\u0020Kettle"'), ("b", "true"), ("z", "null"), ("d", '" 2026-01-02 "'),
        ("l", '[{"v": 2, "k": "a"}, {"k": "A", "v": 1}]'),
    ],
)  # fmt: skip
def test_other_writings_score(name, raw):
    assert score(with_field(name, raw)) == 1.0
    assert score(f"```json\n{with_field(name, raw)}\n```") == 1.0


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("n", '"12"'), ("n", "13"), ("n", "null"), ("n", "12.0000000000000000001"), ("n", "true"), ("n", "[12]"), ("x", "0.1000000000000000055"),
        ("x", '"0.1"'), ("x", "NaN"), ("x", "Infinity"), ("x", "1e999"), ("x", "1e-999999999999"), ("x", "9" * 9000), ("s", '"BlueKettle"'),
        ("s", '"Blue Kettle Ltd"'), ("s", '["Blue Kettle"]'), ("b", "1"), ("b", '"true"'), ("b", "false"), ("z", '""'), ("z", '"null"'),
        ("z", "0"), ("z", "false"), ("d", '"2026-1-2"'), ("d", '"2 January 2026"'), ("d", "20260102"), ("l", "[]"), ("l", "null"),
        ("l", '[{"k": "a", "v": 1}]'), ("l", '[{"k": "a", "v": 1}, {"k": "a", "v": 1}]'), ("l", '[{"k": "a", "v": 1}, {"k": "a", "v": 2}, {"k": "a", "v": 2}]'),
        ("l", '[{"k": "a", "v": 1}, {"k": "a", "v": 2, "w": 3}]'), ("l", '[["a", 1], ["a", 2]]'), ("l", '{"k": "a", "v": 1}'),
    ],
)  # fmt: skip
def test_other_values_do_not(name, raw):
    assert score(with_field(name, raw)) == 0.0


GOOD = json.dumps(TRUTH)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "null", "[]", f"[{GOOD}]", GOOD[:-1], GOOD + " x", GOOD + GOOD, GOOD.replace('"', "'"), GOOD[:-1] + ', "n": 12}',
        '{"n": 13, ' + GOOD[1:], GOOD[:-1] + ', "extra": null}', GOOD.replace('"n"', '"N"'), GOOD.replace(", ", ",, "), "// hm\n" + GOOD,
        GOOD[:-1] + ",}", '{"a":' * 3000 + "1" + "}" * 3000, "[" * 15_000, '"' * 19_000, '"\\"' * 6000, "\\" * 19_000, "{" + '"a":{' * 4000,
        json.dumps(GOOD),
    ],
)  # fmt: skip
def test_other_texts_do_not(text):
    assert score(text) == 0.0


def test_two_objects_have_to_agree():
    assert VERIFIER.verify(f"<answer>{GOOD}</answer> <answer>{GOOD} </answer>", TASK).score == 1.0
    other = with_field("n", "13")
    assert (
        VERIFIER.verify(f"<answer>{GOOD}</answer> <answer>{other}</answer>", TASK).reason is Reason.AMBIGUOUS
    )
    assert VERIFIER.verify(f"<think>{GOOD}</think> <answer>{other}</answer>", TASK).score == 0.0


def test_graded_counts_fields_but_pays_for_no_nulls():
    task = Task("?", {**TASK.answer, "graded": True})
    assert score(GOOD, task) == 1.0
    assert score(with_field("n", "13"), task) == pytest.approx(5 / 7)
    assert score(with_field("z", '"made up"'), task) == pytest.approx(5 / 7)
    assert score(json.dumps(dict.fromkeys(TRUTH)), task) == 0.0
    assert score("{}", task) == 0.0


def _changed(value):
    """Values that differ from ``value`` in one step."""
    if isinstance(value, bool):
        return [not value, None, int(value)]
    if isinstance(value, int):
        return [value + 1, -value - 1, str(value), None]
    if isinstance(value, float):
        return [value + 0.01, round(value * 10, 3) + 0.5, str(value), None]
    if isinstance(value, str):
        return [value + "x", value[1:], "", None, [value]]
    if isinstance(value, list):
        return [value[1:], [*value, value[0]], None, [{**value[0], next(iter(value[0])): 0.5}, *value[1:]]]
    return [0, "", "null", [], False]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.integers(0, 99), st.randoms())
def test_the_oracle_scores_and_one_changed_value_does_not(difficulty, seed, index, random):
    problem = load_problem("JSONExtraction", difficulty=difficulty)
    task = problem.source(seed)[index]
    truth = task.answer["reference"]
    names = list(truth)
    random.shuffle(names)
    assert score(json.dumps({name: truth[name] for name in names}, indent=1), task) == 1.0
    for name in names:
        for other in _changed(truth[name]):
            changed = {**deepcopy(truth), name: other}
            assert score(json.dumps(changed), task) == 0.0, (name, other)
        assert score(json.dumps({k: v for k, v in truth.items() if k != name}), task) == 0.0


def test_what_is_told_stands_in_the_text():
    """The reference of a text field is found in the prompt, and of a null field none of its notes is."""
    for difficulty in (3, 7, 10):
        source = load_problem("JSONExtraction", difficulty=difficulty).source(2)
        for task in (source[i] for i in range(40)):
            for name, kind in task.answer["fields"].items():
                value = task.answer["reference"][name]
                if kind == "string" and value is not None:
                    assert value in task.prompt


@settings(max_examples=150, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=12))  # fmt: skip
def test_reading_agrees_with_the_standard_library(value):
    assert read_json(json.dumps(value)) == value


def test_numbers_are_exact():
    assert read_json("0.1") == Decimal("0.1")
    assert field_equal(read_json("100000000000000000001.0"), 100000000000000000001, "integer")
    assert not field_equal(read_json("100000000000000000001.0"), 100000000000000000002, "integer")
    for text in (
        "NaN",
        "-Infinity",
        "1e999999999999999999999",
        "1" + "0" * 5000,
        '{"a": 1, "a": 2}',
        "[" * 30 + "]" * 30,
    ):
        with pytest.raises(JSONProblem):
            read_json(text)


SCHEMAS = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {"type": ["null", "integer"]},
                     {"enum": ["a", 1, None]}, {"type": "integer", "minimum": 0, "maximum": 3}, {"type": "string", "minLength": 1, "maxLength": 2}]),
    lambda inner: st.builds(lambda items, low: {"type": "array", "items": items, "minItems": low, "maxItems": 2}, inner, st.integers(0, 1))
    | st.builds(lambda parts, more: {"type": "object", "properties": parts, "required": sorted(parts)[:1], "additionalProperties": more},
                st.dictionaries(st.sampled_from("ab"), inner, max_size=2), st.booleans()),
    max_leaves=5,
)  # fmt: skip
VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 3, 4, -1, 1.5, 2.0, "", "a", "b", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, VALUES)
def test_the_schema_subset_agrees_with_the_jsonschema_package(schema, value):
    jsonschema = pytest.importorskip("jsonschema")
    check_schema(schema)
    fault = schema_fault(read_json(json.dumps(value)), schema)
    assert (fault is None) == jsonschema.Draft202012Validator(schema).is_valid(value), fault
