import re
from fractions import Fraction

import pytest

ID = "rlvr/Calculator-v0"
SENTENCES = (
    (r"A delivery brings (\d+) more", lambda n, k: n + k),
    (r"(\d+) of them are sold", lambda n, k: n - k),
    (r"Every one is cut into (\d+) pieces", lambda n, k: n * k),
    (r"full bundles of (\d+)", lambda n, k: n // k),
    (r"As many full loads of (\d+)", lambda n, k: n % k),
    (r"if it is odd, (\d+) more", lambda n, k: n + k if n % 2 else n // 2),
)


def read_story(prompt):
    """The answer, out of the prompt's text alone."""
    story = prompt.partition(" How many are there")[0]
    number = int(re.match(r"A warehouse has (\d+)", story)[1])
    for sentence in re.findall(r"[A-Z0-9][^.]*\.", story)[1:]:
        (rule,) = [(m, f) for p, f in SENTENCES if (m := re.search(p, sentence))]
        number = rule[1](number, int(rule[0][1]))
    return number


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_story_has_the_answer_and_so_does_the_last_result(play, difficulty):
    for index in range(10):
        game = play(ID, 1, index, difficulty=difficulty)
        assert read_story(game.task.prompt) == int(game.task.answer) >= 10_000
        assert game.oracle().score == 1.0
        assert game.task.answer in game.episode.messages[-2]["content"]
        assert game.metrics["tool_errors"] == 0
        assert game.metrics["tool_calls"] == game.task.metadata["hardness"]


def test_the_calculator_is_exact(play):
    game = play(ID, turns=50)
    assert game.call("calculate", expression="(99999999999999999999 + 1) * 3 - 2") == str(3 * 10**20 - 2)
    assert game.call("calculate", expression="-1/3") == "-1/3 (about -0.333333)"
    assert game.call("calculate", expression="1/3 + 1/6 + 1/2") == "1"
    large = " * ".join(["9" * 20] * 40)
    assert game.call("calculate", expression=large) == str((10**20 - 1) ** 40)
    shown = game.call("calculate", expression=f"1/({large})")
    assert shown == f"{Fraction(1, (10**20 - 1) ** 40)} (about 0.000000)"
    assert game.call("divide", dividend=-7, divisor=2) == "quotient -4, remainder 1"
    assert game.metrics["tool_errors"] == 0


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("calculate", {"expression": "9**9**9**9"}, "'**' is not allowed"),
        ("calculate", {"expression": "1/(2 - 2)"}, "divides by zero"),
        ("calculate", {"expression": "__import__('os')"}, "cannot be read"),
        ("calculate", {"expression": "1+" * 5000}, "more than 1000 characters"),
        ("calculate", {"expression": "(" * 900}, "nested deeper"),
        ("calculate", {"expression": "9" * 21}, "more than 20 digits"),
        ("calculate", {"expression": ""}, "ends too early"),
        ("calculate", {"expression": 5}, "expression is int"),
        ("divide", {"dividend": 1, "divisor": 0}, "divisor is zero"),
        ("divide", {"dividend": 10**4000, "divisor": 3}, "20 digits"),
        ("divide", {"dividend": 1.5, "divisor": 3}, "dividend is float"),
        ("power", {}, "There is no tool 'power'"),
    ],
)
def test_bad_calls_are_told_counted_and_end_nothing(play, name, arguments, told):
    game = play(ID, 0, 3)
    result = game.call(name, **arguments)
    assert result.startswith("Error: ")
    assert told in result
    assert game.metrics["tool_errors"] == 1
    assert game.oracle().correct


def test_a_wrong_number_is_wrong(play):
    for change in (-1, 1):
        game = play(ID)
        game.say(f"<answer>{int(game.task.answer) + change}</answer>")
        assert game.verdict.score == 0.0
