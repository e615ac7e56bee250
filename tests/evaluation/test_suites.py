"""Suites: those that come along, those of one's own, and how tasks are shared out."""

import json
from itertools import pairwise

import pytest

import rlvr_gym
from rlvr_gym.cli.main import run
from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.evaluation import ModelSettings, load_model, load_suite, make_plan, run_suite
from rlvr_gym.evaluation.suite import builtin_suites
from rlvr_gym.prompts import get_template


def write(tmp_path, text, name="mine.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def play(suite, model, **options):
    plan = make_plan(suite, model, **options)
    return run_suite(plan, load_model(model, get_template("plain"), ModelSettings()))


def test_the_suites_that_come_along_are_whole():
    assert builtin_suites() == ["all", "code", "logic", "math", "quick"]
    generated = {e.id for e in rlvr_gym.list_envs() if e.id.startswith("rlvr/") and not e.needs and e.trusted}
    everything = load_suite("all")
    assert {part.env for part in everything.parts} == generated
    families = {}
    for part in everything.parts:
        family = rlvr_gym.registration.entry(part.env).family
        families[family] = families.get(family, 0) + part.weight
    assert all(weight == pytest.approx(1.0) for weight in families.values())
    for name in ("math", "code", "logic"):
        suite = load_suite(name)
        assert {part.env for part in suite.parts} < generated
        assert all(part.tasks == 20 and part.settings == {"difficulty": (1, 5)} for part in suite.parts)


def test_tasks_of_a_limit_are_spread_evenly():
    suite = load_suite("math")
    limited = suite.limited(50)
    assert sum(part.tasks for part in limited.parts) == 50
    assert len(limited.parts) == len(suite.parts)
    few = suite.limited(5)
    assert [part.tasks for part in few.parts] == [1] * 5
    places = [[p.name for p in suite.parts].index(part.name) for part in few.parts]
    assert min(b - a for a, b in pairwise(places)) >= len(suite.parts) // 5
    assert suite.limited(10**6).digest == suite.digest
    assert few.digest != suite.digest


MINE = """
about: Two of the same, and one of several turns.
samples: 2
max_tokens: 77
prices: {tiny: {in: 1.5, out: 6}}
envs:
  - {env: Countdown, name: easy, difficulty: 1, tasks: 3, weight: 3}
  - {env: rlvr/Countdown-v0, name: hard, settings: {difficulty: 6}, tasks: 2}
  - {env: GuessTheNumber, difficulty: [1, 2], tasks: 2, max_turns: 1}
"""


def test_a_suite_of_ones_own(tmp_path):
    suite = load_suite(write(tmp_path, MINE))
    assert (suite.name, [part.name for part in suite.parts]) == ("mine", ["easy", "hard", "GuessTheNumber"])
    plan = make_plan(suite, "openai:http://127.0.0.1:1/v1#tiny")
    assert (plan.samples, plan.settings.max_tokens, plan.label) == (2, 77, "tiny")
    assert (plan.prices.input, plan.prices.output) == (1.5, 6)
    assert make_plan(suite, "oracle", samples=5, max_tokens=9).settings.max_tokens == 9
    result = play(suite, "oracle")
    assert len(result.samples) == 2 * (3 + 2 + 2)
    parts = result.summary["parts"]
    assert parts["easy"]["pass@1"] == parts["hard"]["pass@1"] == 1.0
    missed = parts["GuessTheNumber"]["pass@1"]
    assert missed < 1
    assert result.summary["pass@1"] == pytest.approx((3 + 1 + missed) / 5)
    assert [(s.part, s.index, s.sample) for s in result.samples[:3]] == [
        ("easy", 0, 0),
        ("easy", 0, 1),
        ("easy", 1, 0),
    ]


def test_a_data_file_stands_beside_its_suite(tmp_path):
    (tmp_path / "rows.jsonl").write_text(
        '{"prompt": "1+1?", "answer": "2"}\n{"prompt": "1+2?", "answer": "3"}\n'
    )
    suite = load_suite(write(tmp_path, "envs: [{env: JSONL, settings: {data: rows.jsonl}}]"))
    assert play(suite, "oracle").summary["tasks"] == 2


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("envs: []", "envs"),
        ("envs: 5", "envs"),
        ("[1, 2]", "should hold a YAML mapping of names to values"),
        ("envs: [Countdown]\ntask: 5", "task: extra"),
        ("envs: [Cuntdown]", "did you mean"),
        ("envs: [{family: maths}]", "did you mean"),
        ("envs: [{env: Countdown, family: math}]", "either"),
        ("envs: [{tasks: 5}]", "either"),
        ("envs: [Countdown, Countdown]", "two parts"),
        ("envs: [GSM8K]", "data"),
        ("envs: [{env: Countdown, weight: 0}]", "weight"),
        ("envs: [{env: Countdown, weight: .inf}]", "weight"),
        ("envs: [{env: Countdown, difficulty: 11}]", "difficulty"),
        ("envs: [{env: Countdown, settings: {colour: red}}]", "colour"),
        ("envs: [{family: math, name: m}]", "no 'name'"),
        ("envs: [*nobody]", "not YAML"),
        ("envs: [[Countdown]]", "envs"),
        ("envs: [{env: Countdown, tasks: 0}]", "tasks"),
    ],
)
def test_a_wrong_suite_is_told_in_one_sentence(text, fragment, tmp_path, capsys):
    assert run(["eval", write(tmp_path, text), "-m", "oracle"]) == 2
    said = capsys.readouterr().err
    assert fragment in said
    assert said.count("\n") == 1


def test_names_and_files_that_are_not_there(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean"):
        load_suite("quik")
    with pytest.raises(ConfigError, match="check the name"):
        load_suite(str(tmp_path / "no.yaml"))


def test_a_models_file_brings_its_settings(tmp_path):
    text = "model: openai:http://h/v1#big\nlabel: Big\ntemperature: 0.6\nextra: {effort: high}\nkey_env: MY_KEY\n"
    path = write(tmp_path, text + "price_in: 2\nprice_out: 8\n", "model.yaml")
    suite = load_suite("quick")
    plan = make_plan(suite, path, temperature=0.1)
    assert (plan.label, plan.settings.temperature, plan.settings.key_env) == ("Big", 0.1, "MY_KEY")
    assert plan.settings.sampling == {"temperature": 0.1, "max_tokens": 1024, "effort": "high"}
    assert plan.prices.output == 8
    with pytest.raises(ConfigError, match="both prices"):
        make_plan(suite, "oracle", price_in=1.0)
    with pytest.raises(ConfigError, match="extra inputs"):
        make_plan(suite, write(tmp_path, "model: oracle\nheat: 1", "bad.yaml"))


def test_settings_of_single_environments_are_refused_for_suites(capsys):
    assert run(["eval", "quick", "-m", "oracle", "--difficulty", "3"]) == 2
    assert "suite of your own" in capsys.readouterr().err


def test_who_says_nothing_scores_nothing(capsys):
    assert run(["eval", "quick", "-m", "empty", "--limit", "20", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["pass@1"] == 0


@pytest.fixture(scope="module")
def everything():
    suite = load_suite("all")
    return suite.limited(2 * len(suite.parts))


@pytest.mark.slow
def test_the_oracle_is_right_on_every_environment(everything):
    parts = play(everything, "oracle").summary["parts"]
    assert len(parts) == len(everything.parts)
    assert {name: part["pass@1"] for name, part in parts.items() if part["pass@1"] != 1.0} == {}


@pytest.mark.slow
def test_silence_is_right_nowhere_and_guessing_hardly_anywhere(everything):
    silent = play(everything, "empty").summary
    assert (silent["pass@1"], silent["invalid"]) == (0.0, 0)
    guessed = play(everything, "random").summary
    assert guessed["pass@1"] < 0.05
    assert guessed["invalid"] == 0
