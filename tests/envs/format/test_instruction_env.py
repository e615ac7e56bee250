"""Tasks of InstructionConstraints: the oracle keeps all rules, and what breaks one of them does not score."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import load_problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.instruction_constraint import parse_constraint
from rlvr_gym.verifiers.instruction_text import Text

VERIFIER = get_verifier("instruction_constraints")


def verify(text, task):
    return VERIFIER.verify(f"<answer>{text}</answer>", task)


# what breaks a constraint for certain: (fields, text) -> text
MUTATIONS = {
    "word_count": lambda c, t: t.split()[0] if c["relation"] != "at most" else t + " and again" * 200,
    "sentence_count": lambda c, t: t + " Yes." * 30 if c["relation"] != "at least" else "No.",
    "sentence_length": lambda c, t: t + " so" * (c["count"] + 1),
    "paragraph_count": lambda c, t: t + "\n\nOne more.",
    "paragraph_start": lambda c, t: t.replace(c["word"], "Oddly").replace(c["word"].lower(), "oddly").replace(c["word"].upper(), "ODDLY"),
    "keywords": lambda c, t: _without(t, c["words"][0]),
    "keyword_frequency": lambda c, t: _without(t, c["word"]),
    "order": lambda c, t: f"{c['second']} {t}",
    "forbidden": lambda c, t: f"{t} {c['words'][-1]}",
    "max_repeats": lambda c, t: t + " hm" * (c["count"] + 1),
    "bullet_count": lambda c, t: t.replace("- ", "", 1),
    "numbered_list": lambda c, t: t.replace("2. ", "3. "),
    "capital_words": lambda c, t: t.lower(),
    "placeholders": lambda c, t: t.replace("[", "("),
    "without_character": lambda c, t: t + c["character"],
    "letter_case": lambda c, t: t.swapcase(),
    "first_word": lambda c, t: "Well " + t,
    "last_word": lambda c, t: t + " Well.",
    "end_phrase": lambda c, t: t + " Well.",
    "repeat_request": lambda c, t: t[3:],
    "title": lambda c, t: t.replace("<<", "<"),
    "sections": lambda c, t: t.replace("## ", "", 1),
    "quoted": lambda c, t: t[1:],
    "postscript": lambda c, t: t + "\nThe end.",
    "json": lambda c, t: t.replace("{", '{"extra": 1, ', 1),
    "language": lambda c, t: "Das Haus ist nicht am Fluss und der Hund ist im Wald. " * 12 if c["language"] == "English"
    else "The boat is in the harbour and it is not there. " * 12,
}  # fmt: skip


def _without(text, word):
    return " ".join(w for w in text.split(" ") if word.lower() not in w.lower())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.integers(0, 50))
def test_the_oracle_keeps_all_rules_and_every_mutation_breaks_its_own(difficulty, seed, index):
    task = load_problem("InstructionConstraints", difficulty=difficulty).source(seed)[index]
    text = task.answer["reference"]
    assert verify(text, task).score == 1.0
    assert verify(f"\n {text} \n", task).score == 1.0
    assert VERIFIER.verify(f"<think>hm</think>\n{text}", task).score == 1.0
    for row in task.answer["constraints"]:
        constraint = parse_constraint(row)
        mutated = MUTATIONS[row["kind"]](row, text)
        assert not constraint.check(Text(mutated)).held, (row, mutated)
        verdict = verify(mutated, task)
        assert verdict.score == 0.0
        assert verdict.valid


def test_all_kinds_come_up():
    problem = load_problem("InstructionConstraints", difficulty=(1, 10))
    source = problem.source(5)
    kinds = {kind for i in range(250) for kind in source[i].metadata["kinds"]}
    assert kinds == set(MUTATIONS)


@pytest.mark.parametrize("difficulty", [1, 4, 7, 10])
def test_echoes_keyword_lists_and_filler_do_not_score(difficulty):
    source = load_problem("InstructionConstraints", difficulty=difficulty).source(8)
    for task in (source[i] for i in range(15)):
        words = next(c["words"] for c in task.answer["constraints"] if c["kind"] == "keywords")
        rules = task.prompt.partition("\n\n")[2]
        for text in (
            task.prompt,
            rules,
            task.answer["rules"],
            " ".join(words),
            " ".join(words) * 100,
            f"{' '.join(words)} " + "very " * 300,
            f"{' '.join(words)} " + " ".join(f"b{a}r{b}" for a in "aeiou" for b in "aeioulnt") + ".",
            f"{task.answer['rules']}\n\n{task.answer['reference']}",
        ):
            verdict = verify(text, task)
            assert verdict.score == 0.0, text


def test_another_text_than_the_oracles_scores():
    rows = [
        {"kind": "keywords", "words": ["rope", "tide"]},
        {"kind": "sentence_count", "relation": "exactly", "count": 2},
        {"kind": "letter_case", "style": "lowercase"},
        {"kind": "word_count", "relation": "at least", "count": 8},
    ]
    task = Task("?", {"constraints": rows, "rules": "", "graded": False})
    assert verify("the tide took our boat. nobody had tied the rope!", task).score == 1.0
    verdict = verify("the tide took our boat. Nobody had tied the rope!", task)
    assert verdict.score == 0.0
    assert [r["held"] for r in verdict.details["constraints"]] == [True, True, False, True]


def test_graded_scores_are_the_share_but_nothing_without_the_words():
    problem = load_problem("InstructionConstraints", difficulty=6, graded=True)
    task = problem.source(1)[0]
    assert "share of the rules" in task.prompt
    text = task.answer["reference"]
    assert verify(text, task).score == 1.0
    rows = task.answer["constraints"]
    verdict = verify(text + " hm" * 60, task)
    assert 0 < verdict.score < 1
    assert not verdict.correct
    assert verdict.reason is Reason.PARTIAL
    word = next(c["words"] for c in rows if c["kind"] == "keywords")[0]
    assert verify(_without(text, word), task).score == 0.0
    assert verify("banana", task).score == 0.0


def test_two_texts_and_cut_off_tags_are_no_answer():
    task = load_problem("InstructionConstraints").source(1)[0]
    text = task.answer["reference"]
    two = f"<answer>{text}</answer> or <answer>banana</answer>"
    assert VERIFIER.verify(two, task).reason is Reason.AMBIGUOUS
    assert VERIFIER.verify(f"<answer>{text}", task).reason is Reason.NO_ANSWER
    assert VERIFIER.verify(f"<think>{text}</think>", task).reason is Reason.NO_ANSWER
    assert VERIFIER.verify("<answer>" + "a " * 15_000 + "</answer>", task).reason is Reason.TOO_COMPLEX


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_any_text_gets_a_verdict(text):
    task = load_problem("InstructionConstraints", difficulty=10).source(
        random.Random(len(text)).randrange(50)
    )[0]
    verdict = verify(text, task)
    assert verdict.valid
    assert verdict.score == 0.0
