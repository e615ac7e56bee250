"""LengthTarget: the count by the stated rule, and no pay for filler."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import load_problem
from rlvr_gym.envs.format.length_target import SMALL_WORDS
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier

VERIFIER = get_verifier("length_target")


def verify(text, task):
    verdict = VERIFIER.verify(f"<answer>{text}</answer>", task)
    assert verdict.valid, verdict
    return verdict


def task_of(low, high=None, words=("tide",), repeats=3, **more):
    return Task(
        "?", {"low": low, "high": high or low, "words": list(words), "repeats": repeats, "rules": "", **more}
    )


TEXT = "The tide took our small boat out of the harbour."  # ten words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (TEXT, 10), (TEXT.replace(" ", "\u00a0"), 10), (TEXT.replace("took", "to\u200bok"), 10), (TEXT.replace(" ", "\n"), 10),
        (TEXT.replace("small", "rather-small"), 10), (TEXT.replace("small", "rather \u2013 small"), 11), (TEXT.replace("our", "nobody's"), 10),
        (TEXT.replace("our", "nobody\u2019s"), 10), (TEXT + " \u200b \u200b", 10), (TEXT + " ... --- !!!", 10), (TEXT.replace("boat", "boat\u2014which"), 11),
        (TEXT.replace("boat", "bo\u0301at"), 10), ("**" + TEXT + "**", 10), (TEXT + " 12", 11), (TEXT.replace("boat", "bo_at"), 11),
        (TEXT.replace("o", "o\u2060"), 10), (TEXT.upper(), 10),
    ],
)  # fmt: skip
def test_counting(text, count):
    assert verify(text, task_of(count)).score == 1.0
    assert verify(text, task_of(count - 1)).score == 0.0
    assert verify(text, task_of(count + 1)).score == 0.0
    assert verify(text, task_of(count - 3, count + 3)).score == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "tide " * 20,  # one word
        "the tide " * 10,  # two
        "tide and the a of to in is it was on we they my with you he she or no",  # small words only
        "tide bab bac bad bae baf bag bah bai baj bak bal bam ban bao bap baq bar bas bat",  # none
        "the tide is in the bay and the tide is in the town and we have it in my boat",  # a run twice
        "the boat of my aunt is in our bay and nobody has seen it from the tower on that hill",  # a word missing
        "the tides of my aunt is in our bay and nobody has seen it from the tower on a hill",  # not as a word of its own
    ],
)
def test_filler_scores_nothing(text):
    assert len(text.split()) in range(18, 22)
    assert verify(text, task_of(10, 30, repeats=4)).score == 0.0
    assert verify(text, task_of(10, 30, repeats=4, graded=True)).score == 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_the_oracle_scores_and_other_lengths_do_not(difficulty, seed, index):
    task = load_problem("LengthTarget", difficulty=difficulty).source(seed)[index]
    answer = task.answer
    text = answer["reference"]
    verdict = verify(text, task)
    assert verdict.score == 1.0
    assert verify(f"{text}\u200b\n", task).score == 1.0
    # words that are in no text of ours, one too many or one too few
    longer = text + "".join(f" zu{chr(97 + i)}" for i in range(answer["high"] - verdict.details["words"] + 1))
    assert verify(longer, task).score == 0.0
    words = text.split()
    assert verify(" ".join(words[: answer["low"] - 1]), task).score == 0.0
    assert (
        verify(" ".join(w for w in words if w.strip(".,").lower() != answer["words"][0]), task).score == 0.0
    )
    assert verify(task.prompt, task).score == 0.0
    assert verify(answer["rules"], task).score == 0.0


def test_graded_scores_rise_towards_the_target_and_stay_below_one_half():
    task = task_of(12, 12, graded=True)
    scores = [
        verify(TEXT + more, task).score
        for more in ("", " So", " So we", " So we left", " So we left it to them")
    ]
    assert scores[0] < scores[1] < 0.5 < scores[2] == 1.0
    assert scores[4] < scores[3] < 0.5
    assert not verify(TEXT, task).correct


def test_the_prompt_states_the_rules():
    for graded in (False, True):
        task = load_problem("LengthTarget", difficulty=10, graded=graded).source(0)[0]
        assert f"exactly {task.answer['low']} words" in task.prompt
        assert all(word in task.prompt for word in (*SMALL_WORDS, *task.answer["words"], "hyphen", "30%"))
        assert ("one half" in task.prompt) == graded


def test_two_texts_are_no_answer():
    task = task_of(10)
    both = f"<answer>{TEXT}</answer><answer>{TEXT} More.</answer>"
    assert VERIFIER.verify(both, task).reason is Reason.AMBIGUOUS
    assert VERIFIER.verify(TEXT, task).score == 1.0
    assert VERIFIER.verify(f"\\boxed{{{TEXT}}}", task).score == 1.0
    assert VERIFIER.verify(f"\\boxed{{{TEXT}", task).score == 0.0


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text):
    assert verify(text, task_of(3, 50)).score == 0.0
