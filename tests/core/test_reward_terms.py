"""Every reward term at its edges, worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import ConfigError, RewardDesign, Rollout, Task, Verdict
from rlvr_gym.extraction import strip_thinking, thinking_of
from rlvr_gym.rewards import make_term, term_names

RIGHT, WRONG = Verdict.right("5"), Verdict.wrong(extracted="6")


def rollout(tokens=10, correct=True, text="5", task=None, **other):
    return Rollout(task or Task("?", "5", "t"), text, RIGHT if correct else WRONG, tokens, **other)


def value(term, *group, **parameters):
    return make_term(term, **parameters).evaluate(list(group) or [rollout()])


# -- length -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokens", "correct", "expected"),
    [
        (0, True, 1.0),
        (500, True, 1.0),
        (750, True, 0.75),
        (1000, True, 0.5),  # at the target
        (1250, True, 0.25),
        (1500, True, 0.0),
        (9000, True, 0.0),
        (0, False, 0.0),
    ],
)
def test_lcpo_max_of_the_code(tokens, correct, expected):
    item = rollout(tokens, correct)
    assert value("lcpo_max_code", item, target=1000) == [pytest.approx(expected)]
    # the paper's form, with half the slope's inverse
    assert value("lcpo_max", item, target=1000, alpha=1e-3) == [pytest.approx(expected)]


def test_kimi_length():
    group = [
        rollout(100),
        rollout(200, correct=False),
        rollout(300),
        rollout(150, correct=False),
        rollout(250),
    ]
    # lam = 0.5 - (n - 100) / 200
    assert value("kimi_length", *group) == pytest.approx([0.5, 0.0, -0.5, 0.0, -0.25])
    assert value("kimi_length", rollout(7, correct=False), rollout(9, correct=False)) == [0.0, -0.5]
    assert value("kimi_length", rollout(42)) == [0.0]  # a group of one
    assert value("kimi_length", rollout(42), rollout(42, correct=False)) == [0.0, 0.0]  # all equal
    assert value("kimi_length", rollout(0), rollout(1)) == [0.5, -0.5]


@pytest.mark.parametrize(
    ("tokens", "correct", "expected"),
    [
        (0, True, 2.0),
        (50, True, 1.5),  # cos(pi/2) = 0: half way
        (25, True, 1.5 + 0.25 * math.sqrt(2)),
        (99, True, 1.0 + 0.5 * (1 + math.cos(0.99 * math.pi))),
        (100, True, -10.0),  # at the limit it is exceeded
        (5000, True, -10.0),
        (0, False, -10.0),
        (50, False, -5.0),
        (100, False, -10.0),
    ],
)
def test_cosine_length(tokens, correct, expected):
    assert value("cosine_length", rollout(tokens, correct), limit=100) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        ("<think>abcdef</think>xyz", 8.0),  # six characters of nine
        ("abcdef</think>xyz", 8.0),  # it began in the prompt
        ("<think>abcdefghi", 12.0),
        ("abc", 0.0),
        ("", 0.0),
        ("<think></think>abc", 0.0),
    ],
)
def test_lengths_of_thinking_and_answer(text, thinking):
    item = rollout(12, text=text)
    assert value("thinking_length", item) == [pytest.approx(thinking)]
    assert value("answer_length", item) == [pytest.approx(12 - thinking)]


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<THINKING>", "a", " b\n", "<thin"]), max_size=12).map(
        "".join
    )
)
def test_thinking_and_the_rest_are_the_whole(text):
    letters = [c for c in thinking_of(text) + strip_thinking(text) if c in "ab"]
    tagless = text.lower()
    for tag in ("<think>", "</think>", "<thinking>"):
        tagless = tagless.replace(tag, "\n")
    assert sorted(letters) == sorted(c for c in tagless if c in "ab")


# -- groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solved", "parameters", "expected"),
    [
        (0, {}, 0.0),
        (1, {}, 1.0),
        (4, {}, 1.0),
        (4, {"up_to": 0.9}, 0.0),
        (1, {"above": 0.25}, 0.0),
        (2, {"above": 0.25}, 1.0),
    ],
)
def test_sometimes_solved(solved, parameters, expected):
    group = [rollout(correct=i < solved) for i in range(4)]
    assert value("sometimes_solved", *group, **parameters) == [expected] * 4
    assert value("solve_rate", *group) == [solved / 4] * 4


def test_the_second_phase_of_concise_rl():
    design = RewardDesign.parse("concise")
    solved, never = [rollout(), rollout(correct=False)], [rollout(correct=False)] * 2
    for step in (1, 99, 100, 500):
        assert [r.total for r in design(solved, step)] == [1.0, 0.0]
        assert [r.total for r in design(never, step)] == [0.0, 0.0]
    assert (
        RewardDesign.parse({"op": "gate", "if": "sometimes_solved", "then": "correct", "else": "length"})(
            never
        )[0].total
        == 10
    )


# -- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parameters", "expected"),
    [
        ("", {}, 0.0),
        ("one two", {}, 0.0),  # shorter than an n-gram
        ("a b c d", {}, 0.0),
        ("a a a a a", {}, -2 / 3),  # three 3-grams, one of them different
        ("a b a b a", {"n": 2}, -0.5),  # ab ba ab ba
        ("A a", {"n": 1, "most": 0.1}, -0.05),
    ],
)
def test_repetition(text, parameters, expected):
    assert value("repetition", rollout(text=text), **parameters) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("<confidence>0.8</confidence>", -0.04, -0.64),
        ("<confidence>80%</confidence> ok", -0.04, -0.64),
        ("<CONFIDENCE> 1 </CONFIDENCE>", 0.0, -1.0),
        ("<confidence>.5</confidence>", -0.25, -0.25),
        ("<confidence>0</confidence>", -1.0, 0.0),
        ("<confidence>0.5</confidence><confidence>0.5</confidence>", -0.25, -0.25),
        ("<confidence>1</confidence><confidence>0</confidence>", -1.0, -1.0),  # hedged
        ("<think><confidence>1</confidence></think>5", -1.0, -1.0),  # not stated outside the thinking
        ("5", -1.0, -1.0),
        ("<confidence>1.5</confidence>", -1.0, -1.0),
        ("<confidence>101%</confidence>", -1.0, -1.0),
        ("<confidence>80</confidence>", -1.0, -1.0),
        ("<confidence>nan</confidence>", -1.0, -1.0),
        ("<confidence>-0</confidence>", -1.0, -1.0),
        ("<confidence>\u0661</confidence>", -1.0, -1.0),
        ("<confidence>0.8", -1.0, -1.0),
    ],
)
def test_brier(text, right, wrong):
    assert value("brier", rollout(text=text)) == [pytest.approx(right)]
    assert value("brier", rollout(text=text, correct=False)) == [pytest.approx(wrong)]


def test_brier_is_best_at_the_true_chance():
    def expected(p, chance):
        said = f"<confidence>{p}</confidence>"
        (right,), (wrong,) = (
            value("brier", rollout(text=said)),
            value("brier", rollout(text=said, correct=False)),
        )
        return chance * right + (1 - chance) * wrong

    assert max([0.0, 0.3, 0.5, 0.7, 1.0], key=lambda p: expected(p, 0.7)) == 0.7


@pytest.mark.parametrize(
    ("answer", "reference", "f1", "exact"),
    [
        ("Paris", "Paris", 1.0, 1.0),
        ("<think>Rome</think><answer>paris.</answer>", "Paris", 1.0, 1.0),
        ("the city of Paris", "Paris", 0.4, 0.0),  # 2 * 1 / (4 + 1)
        ("a a b", "a b b", 2 / 3, 0.0),  # two in common of three and three
        ("Rome", "Paris", 0.0, 0.0),
        ("", "Paris", 0.0, 0.0),
        ("<answer>Paris</answer><answer>Rome</answer>", "Paris", 0.0, 0.0),  # two answers are none
        ("5", 5, 1.0, 1.0),
    ],
)
def test_references(answer, reference, f1, exact):
    item = rollout(text=answer, task=Task("?", reference))
    assert value("token_f1", item) == [pytest.approx(f1)]
    assert value("exact_match", item) == [exact]


def test_a_reference_of_its_own_wins_and_something_else_is_refused():
    task = Task("?", {"numbers": [1]}, "t", {"reference": "Paris"})
    assert value("exact_match", rollout(text="Paris", task=task)) == [1.0]
    with pytest.raises(ConfigError, match=r"whose answer is a text or a number.*'t' is a dict"):
        value("exact_match", rollout(task=Task("?", {"numbers": [1]}, "t")))


# -- tools ------------------------------------------------------------------------------------------------------------


def called(calls, errors=0, text="<answer>5</answer>"):
    return rollout(text=text, metrics={"tool_calls": float(calls), "tool_errors": float(errors)})


def test_tool_calls_and_their_cost():
    assert value("tool_calls", rollout(), called(3)) == [0.0, 3.0]
    assert value("tool_cost", rollout(), called(2), called(3, 1), called(500)) == pytest.approx(
        [0, -0.1, -0.25, -1]
    )
    assert value("tool_cost", called(3), called(4), free=3, most=9.0) == pytest.approx([0.0, -0.05])
    assert value("metric", called(3), rollout(turns=4), key="turns") == [1.0, 4.0]
    assert value("metric", called(3, 2), rollout(), key="tool_errors") == [2.0, 0.0]


@pytest.mark.parametrize(
    ("item", "retrieve", "answer"),
    [
        (called(1), 1.0, 0.0),
        (called(0), 0.5, 0.0),
        (called(1, 1), 0.5, 0.0),  # the only call failed
        (called(2, 1, "5"), 0.5, -2.0),
        (called(0, 0, ""), 0.0, -2.0),
        (called(1, 0, "<answer>5</answer><answer>6</answer>"), 0.5, -2.0),
        (called(1, 0, "<result>made up</result><answer>5</answer>"), 0.5, -2.0),
        (called(1, 0, "<tool_result >x<answer>5</answer>"), 0.5, -2.0),
    ],
)
def test_retrieval_in_two_stages(item, retrieve, answer):
    assert value("retrieval_format", item) == [retrieve]
    assert value("retrieval_format", item, stage="answer") == [answer]
    design = RewardDesign.parse("r1_searcher")
    f1 = value("token_f1", item)[0]
    assert [design([item], step)[0].total for step in (1, 99, 100)] == pytest.approx(
        [retrieve, retrieve, answer + f1]
    )


# -- process ----------------------------------------------------------------------------------------------------------

SUM = Task("Work out 3+4-2.", "5", "t")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("3+4=7 7-2=5", 1.0),
        ("3 + 4 = 7. 7 - 2 = 5.", 1.0),
        ("- 3+4=7\n2. 7-2=5", 1.0),  # items of lists
        ("3+4=8, 8-2=6", 0.0),  # a wrong step, and one that builds on it
        ("3+4=7, 7-2=6", 0.5),
        ("3+4=7=6+1", 0.0),  # 6 and 1 come out of nowhere
        ("3+4=7\n3+4=7\n3+4=7\n7-2=6", 0.5),  # saying it again is no more
        ("1+1=2 so 3+4=7", 0.5),
        ("5=5", 0.0),  # no step
        ("7 is the sum", 0.0),
        ("", 0.0),
        ("x = 3 + y", 0.0),
        ("3/0=4", 0.0),
        ("9**9**9**9=1", 0.0),
        ("__import__('os')=3+4", 0.0),
        ("3-4=-1 -1+2=1", 1.0),
        ("2/3=0.67 and 3,000=3", 1.0),
        ("2/3=0.66", 0.0),
    ],
)
def test_steps(text, share):
    assert value("steps", rollout(text=text, task=SUM)) == [pytest.approx(share)]


def test_steps_without_a_prompt_to_hold_on_to():
    assert value("steps", rollout(text="1+1=2", task=SUM), grounded=False) == [1.0]


@pytest.mark.parametrize("env", ["Arithmetic", "Countdown"])
@pytest.mark.parametrize("difficulty", [1, 4, 7, 10])
def test_worked_solutions_have_all_their_steps_right(env, difficulty):
    from rlvr_gym import load_problem

    source = load_problem(env, difficulty=difficulty).source(5)
    for i in range(15):
        task = source[i]
        item = rollout(text=f"<think>{task.solution}</think><answer>1</answer>", task=task)
        assert value("steps", item) == [1.0], task


QUANTITY = Task("?", {"value": "5", "unit": "km"}, "t")


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("5 km = 5000 m. <answer>5 km</answer>", 1.0),
        ("<answer>5000 m</answer>", 1.0),  # the same kind of thing
        ("<answer>5 kg</answer>", 0.0),
        ("5 km = 50 m. <answer>5 km</answer>", 0.5),
        ("3 h = 3 kg <answer>5</answer>", 0.0),
        ("1 mile = 1.6 km. <answer>5</answer>", 1.0),
        ("3 apples = 3 pears <answer>5</answer>", 0.0),  # nothing to check
        ("32 fahrenheit = 0 celsius <answer>5</answer>", 0.0),
        ("", 0.0),
    ],
)
def test_units(text, share):
    assert value("units", rollout(text=text, task=QUANTITY)) == [pytest.approx(share)]


ENGLISH = "add the first two numbers and subtract twelve from that sum to see if it fits the target"
GERMAN = "wir sehen dass die erste der zahlen mehr ist als alle anderen und das ist nicht zu viel"


@pytest.mark.parametrize(
    ("text", "target", "share"),
    [
        (f"<think>{ENGLISH}</think>{GERMAN}", "English", 1.0),
        (f"<think>{ENGLISH}</think>{GERMAN}", "German", 0.0),
        (ENGLISH, "English", 1.0),  # no thinking: all of it
        ("so 我们 try", "English", 0.5),  # two words of four
        ("我们 try 12 x", "Chinese", 2 / 3),
        ("12 + 3 = 15", "English", 0.0),  # no words
        ("", "English", 0.0),
        ("давайте посмотрим", "Russian", 1.0),
        ("давайте посмотрим", "English", 0.0),
    ],
)
def test_language(text, target, share):
    assert value("language", rollout(text=text), target=target) == [pytest.approx(share)]


@pytest.mark.parametrize(
    "text",
    [
        "1+" * 200_000,
        "5 km = " * 60_000,
        "ab " * 200_000,
        "<think>" * 50_000,
        "a</think>" * 50_000,
        "=" * 10**6,
    ],
)
def test_terms_are_bounded_on_any_text(text):
    item = rollout(text=text, task=SUM)
    for name in (
        "steps",
        "units",
        "language",
        "repetition",
        "brier",
        "thinking_length",
        "token_f1",
        "retrieval_format",
    ):
        assert math.isfinite(value(name, item)[0])


@pytest.mark.parametrize(
    ("term", "parameters", "message"),
    [
        ("lcpo_max_code", {"scale": 0.0}, "scale above 0"),
        ("cosine_length", {"limit": 0}, "limit of at least 1"),
        ("sometimes_solved", {"above": 0.5, "up_to": 0.5}, "above < up_to"),
        ("repetition", {"n": 0}, "n >= 1"),
        ("brier", {"tag": "a b"}, "a word of ASCII letters"),
        ("tool_cost", {"call": -1.0}, "not negative"),
        ("language", {"target": "Klingon"}, "is one of English, German"),
    ],
)
def test_parameters_that_cannot_be(term, parameters, message):
    with pytest.raises(ConfigError, match=message):
        make_term(term, **parameters)


def test_the_terms_that_there_are():
    asked = (
        "correct score format_r1 format_strict lcpo_exact lcpo_max lcpo_max_code kimi_length cosine_length "
        "soft_overlong sometimes_solved repetition language thinking_length answer_length brier tool_calls tool_cost "
        "retrieval_format code_lint code_tests code_speed units steps soft_score rlmt reward_model token_f1 "
        "exact_match"
    )
    assert set(asked.split()) <= set(term_names())
