"""Assignments in many wordings, hedges and contradictions, and claims that are evaluated."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import Reason, Task, get_verifier
from rlvr_gym.testing import HOSTILE_TEXTS
from rlvr_gym.verifiers.knights import AssignmentError, holds, parse_assignment

VERIFIER = get_verifier("knights")
NAMES = ["Alice", "Boris", "Clara"]
# Alice: Boris is a knave. Boris: Clara is a knave or I am a knave. Clara: Alice is a knight and Boris is a knight.
CLAIMS = [["knave", 1], ["or", ["knave", 2], ["knave", 1]], ["and", ["knight", 0], ["knight", 1]]]
TASK = Task(prompt="?", answer={"names": NAMES, "claims": CLAIMS})  # only Boris is a knight

RIGHT = [
    "Alice is a knave, Boris is a knight, Clara is a knave",
    "ALICE IS A KNAVE; boris is a Knight.\nClara is the knave",
    "Alice: knave\nBoris: knight\nClara: knave",
    "(1) Alice is a knave (2) Boris is a knight (3) Clara is a knave",
    "1. Alice - knave\n2. Boris - knight\n3. Clara - knave",
    "- **Alice** is a *knave*\n- **Boris** is a *knight*\n- **Clara** is a *knave*",
    "| Alice | knave |\n| Boris | knight |\n| Clara | knave |",
    '{"Alice": "knave", "Boris": "knight", "Clara": "knave"}',
    '{"knights": ["Boris"], "knaves": ["Alice", "Clara"]}',
    "Knights: Boris. Knaves: Alice and Clara.",
    "Alice and Clara are knaves, and Boris is a knight",
    "Both Alice and Clara are knaves. Therefore Boris is a knight.",
    "Alice is not a knight, Boris is not a knave, Clara is a knave",
    "Alice = knave, Boris = knight, Clara = knave",
    "Alice → knave, Boris → knight, Clara → knave",
    r"\text{Alice is a knave, Boris is a knight, Clara is a knave}",
    "Alice is a knave, Boris is a knight, Clara is a knave, so Alice is a knave",
]


def verdict(answer, form="<answer>{}</answer>"):
    return VERIFIER.verify(form.replace("{}", answer), TASK)


@pytest.mark.parametrize(
    "form", ["{}", "<answer>{}</answer>", "<think>Alice is a knight</think>{}", "<answer>\n{}\n</answer>"]
)
@pytest.mark.parametrize("answer", RIGHT)
def test_wordings(answer, form):
    assert verdict(answer, form).correct, verdict(answer, form)


@pytest.mark.parametrize("answer", [answer for answer in RIGHT if "{" not in answer])
def test_wordings_in_a_box(answer):
    assert verdict(answer, r"\boxed{{}}").correct, verdict(answer, r"\boxed{{}}")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Alice is a knight, Boris is a knight, Clara is a knave", Reason.WRONG),
        ("Alice is a knave, Boris is a knight", Reason.WRONG),
        ("Knights: Boris", Reason.WRONG),
        ("Alice is a knight or a knave, Boris is a knight, Clara is a knave", Reason.AMBIGUOUS),
        ("Alice is a knight and a knave, Boris is a knight, Clara is a knave", Reason.AMBIGUOUS),
        ("Alice is a knave knight, Boris is a knight, Clara is a knave", Reason.AMBIGUOUS),
        ("Alice is a knight, Alice is a knave, Boris is a knight, Clara is a knave", Reason.AMBIGUOUS),
        ("Knights: Alice, Boris, Clara. Knaves: Alice, Boris, Clara.", Reason.AMBIGUOUS),
        ("Knights: Boris. Knaves: Alice. Knights: Clara", Reason.UNPARSEABLE),
        ("Maybe Alice is a knave, Boris is a knight, Clara is a knave", Reason.AMBIGUOUS),
        ("Alice is a knave, Boris is a knight, Clara is a knave, Dora is a knight", Reason.UNPARSEABLE),
        ("Alice is a knave, Boris is a knight, Clara is a knave?", Reason.UNPARSEABLE),
        ("Alice isn't a knight, Boris is a knight, Clara is a knave", Reason.UNPARSEABLE),
        ("Not Alice is a knight, Boris is a knight, Clara is a knave", Reason.UNPARSEABLE),
        ("Alice is not not a knave, Boris is a knight, Clara is a knave", Reason.UNPARSEABLE),
        ("Only Boris is a knight", Reason.UNPARSEABLE),
        ("Alice: knave, Boris: knight, Clara", Reason.UNPARSEABLE),
        ("\u0410lice is a knave, Boris is a knight, Clara is a knave", Reason.UNPARSEABLE),  # Cyrillic A
        ("Alice, Boris, Clara", Reason.UNPARSEABLE),
        ("knave, knight, knave", Reason.UNPARSEABLE),
        ("", Reason.NO_ANSWER),
    ],
)
def test_near_misses_say_why(answer, reason):
    result = verdict(answer)
    assert (result.score, result.valid, result.reason) == (0.0, True, reason), result


def test_two_different_assignments_are_no_answer():
    result = verdict(
        "Alice is a knave, Boris is a knight, Clara is a knave</answer><answer>Alice is a knight"
    )
    assert result.reason is Reason.AMBIGUOUS


STYLES = {
    "sentences": lambda pairs: ", ".join(f"{name} is a {role}" for name, role in pairs),
    "lines": lambda pairs: "\n".join(f"* {name.upper()}: {role.title()}" for name, role in pairs),
    "numbered": lambda pairs: " ".join(
        f"({i}) {name} is a {role}" for i, (name, role) in enumerate(pairs, 1)
    ),
    "json": lambda pairs: json.dumps(dict(pairs)),
    "negated": lambda pairs: "; ".join(
        f"{name} is not a {'knave' if role == 'knight' else 'knight'}" for name, role in pairs
    ),
    "groups": lambda pairs: "\n".join(
        f"{heading}s: {', '.join(name for name, role in pairs if role == heading) or 'none'}"
        for heading in ("knight", "knave")
    ),
}
PEOPLE = ["Alice", "Boris", "Clara", "Dmitri", "Edith", "Felix", "Greta", "Hugo"]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.randoms(), st.sampled_from(sorted(STYLES)))
def test_random_assignments_are_read_back(knights, random, style):
    pairs = [(PEOPLE[i], "knight" if knight else "knave") for i, knight in enumerate(knights)]
    random.shuffle(pairs)
    assert parse_assignment(STYLES[style](pairs), PEOPLE) == dict(enumerate(knights))


WORDS = st.sampled_from(
    [*NAMES, "knight", "knave", "knights", "is", "a", "not", "and", "or", ",", ":", ".", "1", "\n", "!"]
)


@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=60))
def test_any_text_is_an_assignment_or_says_why(text):
    said = assignment_or_reason(text)
    if isinstance(said, dict):
        mentioned = {i for i, name in enumerate(NAMES) if name.casefold() in text.casefold()}
        assert said.keys() == mentioned
    else:
        assert said in (Reason.UNPARSEABLE, Reason.AMBIGUOUS)


def assignment_or_reason(text):
    try:
        return parse_assignment(text, NAMES)
    except AssignmentError as error:
        return error.reason


CLAIM = st.recursive(
    st.tuples(st.sampled_from(["knight", "knave"]), st.integers(0, 2)).map(list),
    lambda part: (
        st.tuples(st.just("not"), part).map(list)
        | st.tuples(st.sampled_from(["and", "or", "implies", "iff"]), part, part).map(list)
    ),
    max_leaves=6,
)


@given(CLAIM)
def test_claims_mean_what_python_says(claim):
    def text(part):
        if part[0] in ("knight", "knave"):
            return f"(k[{part[1]}] == {part[0] == 'knight'})"
        inner = [text(p) for p in part[1:]]
        pattern = {"not": "(not {0})", "and": "({0} and {1})", "or": "({0} or {1})", "implies": "({0} <= {1})",
                   "iff": "({0} == {1})"}  # fmt: skip
        return pattern[part[0]].format(*inner)

    for knights in itertools.product([False, True], repeat=3):
        assert holds(claim, knights) == eval(text(claim), {"k": knights})


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_texts(text):
    for form in ("{}", "<answer>{}</answer>", "<answer>Alice is a knave {}</answer>"):
        result = verdict(text, form)
        assert result.valid
        assert not result.correct
