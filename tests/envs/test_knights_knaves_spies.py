"""Spies and waverers: one solution by brute force, and answers in other words."""

from itertools import product

import pytest

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.verifiers.knights import AssignmentError, parse_roles

ROLES = ("knight", "knave", "spy", "waverer")


def true_in(claim, roles):
    """Shares nothing with the environment."""
    kind, *parts = claim
    if kind in ROLES:
        return roles[parts[0]] == kind
    values = [true_in(part, roles) for part in parts]
    return {
        "not": lambda a: not a,
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "implies": lambda a, b: b if a else True,
        "iff": lambda a, b: a is b,
    }[kind](*values)


def fits(puzzle, roles):
    if any(roles.count(role) != puzzle["counts"].get(role, 0) for role in ("spy", "waverer")):
        return False
    for role, claims in zip(roles, puzzle["statements"], strict=True):
        true = sum(true_in(claim, roles) for claim in claims)
        if role != "spy" and true != {"knight": len(claims), "knave": 0, "waverer": 1}[role]:
            return False
    return True


def sentence(names, roles):
    return ", ".join(f"{name} is a {role}" for name, role in zip(names, roles, strict=True))


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_one_of_all_ways_to_give_the_roles_fits_and_scores(difficulty):
    problem = load_problem("KnightsKnavesSpies", difficulty=difficulty)
    verifier, source = problem.make_verifier(), problem.source(5)
    for index in range(4):
        task = source[index]
        names = task.answer["names"]
        right = [
            roles
            for roles in product(["knight", "knave", *task.answer["counts"]], repeat=len(names))
            if fits(task.answer, roles)
        ]
        assert len(right) == 1
        assert sentence(names, right[0]) == problem.answer_text(task)
        assert verifier.verify(sentence(names, right[0]), task).score == 1.0
        for person, role in product(range(len(names)), ROLES):
            changed = [*right[0][:person], role, *right[0][person + 1 :]]
            assert verifier.verify(sentence(names, changed), task).correct == (tuple(changed) == right[0])
        swapped = [*right[0][1:], right[0][0]]
        assert verifier.verify(sentence(names, swapped), task).correct == (tuple(swapped) == right[0])


def test_statements_are_told_as_they_are_stored():
    task = load_problem("KnightsKnavesSpies", difficulty=10).source(3)[0]
    assert task.prompt.count(' says: "') == sum(map(len, task.answer["statements"])) == 14
    assert "exactly 2 are spies and exactly 1 is a waverer" in task.prompt


def test_the_worked_solution_ends_in_the_solution():
    problem = load_problem("KnightsKnavesSpies", difficulty=(1, 10))
    source = problem.source(3)
    for index in range(20):
        task = source[index]
        assert task.solution.endswith(f"Everything fits: {problem.answer_text(task)}.")


@pytest.mark.parametrize(
    "text",
    [
        "Ann is a spy, Bob is a knight, Cid is a knave",
        "Ann: spy\nBob: knight\nCid: knave",
        '{"Ann": "Spy", "Bob": "Knight", "Cid": "Knave"}',
        "Spies: Ann. Knights: Bob. Knaves: Cid.",
        "| Ann | spy |\n| Bob | knight |\n| Cid | knave |",
        "**Ann** is the spy; Bob = knight; Cid -> knave.",
    ],
)
def test_how_an_answer_may_be_written(text):
    assert parse_roles(text, ["Ann", "Bob", "Cid"], ["knight", "knave", "spy"]) == {
        0: "spy",
        1: "knight",
        2: "knave",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Ann is not a knight, Bob is a spy",
        "Ann is a knight or a spy",
        "Ann is a waverer",
        "Ann is a spy, Ann is a knight",
        "Ann and Bob",
        "",
    ],
)
def test_what_leaves_it_open_is_no_answer(text):
    with pytest.raises(AssignmentError):
        parse_roles(text, ["Ann", "Bob"], ["knight", "knave", "spy"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"people": 2}, "people is 0 or goes from 3"),
        ({"people": 5, "spies": 0}, "has to be a spy"),
        ({"people": 5, "spies": 2, "waverers": 1}, "no more than half"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        load_problem("KnightsKnavesSpies", **settings)


def test_settings_are_kept():
    task = load_problem("KnightsKnavesSpies", people=6, spies=2, waverers=1).source(0)[0]
    assert task.answer["counts"] == {"spy": 2, "waverer": 1}
    assert len(task.answer["names"]) == 6
