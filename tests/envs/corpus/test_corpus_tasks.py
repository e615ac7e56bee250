"""NextSegment, Cloze and Unscramble: what scores, how much, and what does not."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import load_problem
from rlvr_gym.envs.corpus._gaps import read_words
from rlvr_gym.envs.corpus._passages import load_corpus
from rlvr_gym.errors import ConfigError
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.instruction_text import words_of
from rlvr_gym.verifiers.segment_prediction import exact, prefix, token_f1


def score(name, answer, task):
    verdict = get_verifier(name).verify(f"<answer>{answer}</answer>", task)
    assert verdict.valid, verdict
    return verdict.score


# --- NextSegment ---


def segment(text="the old mill by the river", measure="prefix", threshold=0.8):
    return Task("?", {"segment": text, "score": measure, "threshold": threshold})


@pytest.mark.parametrize(
    ("predicted", "values"),
    [
        ("the old mill by the river", (1, 1, 1)), ("the old mill by the lake", (0, 5 / 6, 5 / 6)), ("the old", (0, 2 / 6, 0.5)),
        ("river the by mill old the", (0, 0, 1)), ("the old mill by the river and on", (0, 6 / 8, 12 / 14)), ("", (0, 0, 0)),
        ("the the the the the the", (0, 1 / 6, 4 / 12)), ("no", (0, 0, 0)),
    ],
)  # fmt: skip
def test_measures_by_hand(predicted, values):
    truth = ["the", "old", "mill", "by", "the", "river"]
    found = tuple(measure(predicted.split(), truth) for measure in (exact, prefix, token_f1))
    assert found == pytest.approx(values)


@pytest.mark.parametrize(
    "answer",
    [
        "The old mill, by the River.",
        "the old\nmill by the\u00a0river",
        '"The old mill by the river!"',
        "**the old mill by the river**",
    ],
)
@pytest.mark.parametrize("measure", ["exact", "prefix", "token_f1"])
def test_presentation_does_not_matter(answer, measure):
    assert score("segment_prediction", answer, segment(measure=measure)) == 1.0


def test_scores_thresholds_and_the_floor():
    verify = get_verifier("segment_prediction").verify
    near = verify("<answer>the old mill by the lake</answer>", segment())
    assert near.score == pytest.approx(5 / 6)
    assert near.correct
    strict = verify("<answer>the old mill by the lake</answer>", segment(threshold=1.0))
    assert strict.score == pytest.approx(5 / 6)
    assert not strict.correct
    assert strict.reason is Reason.PARTIAL
    assert score("segment_prediction", "the old", segment()) == 0.0
    assert score("segment_prediction", "river the by mill old the", segment()) == 0.0
    assert score("segment_prediction", "the old mill by the river " * 3, segment()) == 0.0
    assert score("segment_prediction", "a " * 3000, segment()) == 0.0


def test_offering_two_segments_is_hedging():
    two = "<answer>the old mill by the river</answer> <answer>the old inn on a hill</answer>"
    assert get_verifier("segment_prediction").verify(two, segment()).reason is Reason.AMBIGUOUS


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.integers(0, 99), st.booleans())
def test_the_segment_is_what_the_corpus_says(difficulty, seed, index, middle):
    problem = load_problem("NextSegment", difficulty=difficulty, middle=middle)
    task = problem.source(seed)[index]
    context = task.prompt.partition("\n\n")[2].partition(" ...")[0]
    whole = f"{context} {task.answer['segment']}"
    assert any(" ".join(p.sentences).startswith(whole) for p in load_corpus("", "train").passages)
    assert len(words_of(task.answer["segment"])) == task.metadata["words"] <= 2 + 2 * difficulty
    assert score("segment_prediction", task.answer["segment"], task) == 1.0
    words = task.answer["segment"].split()
    assert (
        score("segment_prediction", " ".join(["zebra", *words[1:]]), task) == 0.0
    )  # wrong from the beginning on
    assert score("segment_prediction", context, task) == 0.0


def test_copying_what_stands_there_hardly_pays():
    """The sentence before, as an answer: under token F1 it would often have words in common."""
    for measure in ("prefix", "token_f1"):
        source = load_problem("NextSegment", difficulty=9, score=measure).source(4)
        tasks = [source[i] for i in range(100)]
        paid = [score("segment_prediction", t.prompt.partition(" ...")[0].split(". ")[-1], t) for t in tasks]
        assert sum(paid) / len(paid) < 0.05


@pytest.mark.parametrize(
    "given_settings", [{"score": "bleu"}, {"threshold": 0.2}, {"threshold": 1.5}, {"threshold": math.nan}]
)
def test_settings_that_cannot_be_are_told(given_settings):
    with pytest.raises(ConfigError, match="threshold"):
        load_problem("NextSegment", **given_settings)


def test_splits_share_no_text():
    train, test = ({" ".join(p.sentences) for p in load_corpus("", s).passages} for s in ("train", "test"))
    assert not train & test
    assert (
        load_problem("NextSegment", split="test").source(0)[0].prompt
        != load_problem("NextSegment").source(0)[0].prompt
    )


# --- Cloze ---

CLOZE = Task("?", {"words": ["river", "seven", "bread"]})


@pytest.mark.parametrize(
    "answer",
    [
        "river, seven, bread", "River, SEVEN, bread.", "1. river\n2. seven\n3. bread", "river\nseven\nbread", '["river", "seven", "bread"]',
        "(1) river; (2) seven; (3) bread", "1: river, 2: seven, 3: bread", "- river\n- seven\n- bread", "**river**, *seven*, `bread`",
        "__(1)__ river\n__(2)__ seven\n__(3)__ bread",
    ],
)  # fmt: skip
def test_cloze_lists_in_other_writings(answer):
    assert score("cloze", answer, CLOZE) == 1.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("river, seven, stone", 2 / 3), ("seven, river, bread", 1 / 3), ("bread, river, seven", 0), ("river, seven", 0), ("river, seven, bread, bread", 0),
        ("river or lake, seven, bread", 0), ("river seven bread", 0), ("river/lake, seven, bread", 0), ("", 0), (", ,", 0), ("rivers, seven, bread", 2 / 3),
        ("river, river, river", 1 / 3), ("r\u200biver, seven, bread", 1), ("river" * 900, 0), ("," * 3000, 0), ("1, 2, 3", 0),
    ],
)  # fmt: skip
def test_cloze_scores(answer, value):
    assert score("cloze", answer, CLOZE) == pytest.approx(value)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.integers(0, 99), st.booleans())
def test_the_words_fill_the_gaps(difficulty, seed, index, bank):
    problem = load_problem("Cloze", difficulty=difficulty, bank=bank)
    task = problem.source(seed)[index]
    words = task.answer["words"]
    text = task.prompt.split("\n\n")[1]
    for number, word in enumerate(words, start=1):
        assert text.count(f"__({number})__") == 1
        text = text.replace(f"__({number})__", word)
    wholes = {tuple(p.words) for p in load_corpus("", "train").passages}
    assert tuple(words_of(text)) in wholes
    assert score("cloze", ", ".join(words), task) == 1.0
    assert score("cloze", ", ".join([*words[1:], "zebra"]), task) < 1.0
    if bank:
        listed = task.prompt.split("among these words")[1].partition(": ")[2].partition(".")[0].split(", ")
        assert set(words) <= set(listed)
        assert len(listed) >= 3 + len(set(words))


# --- Unscramble ---


@pytest.mark.parametrize("difficulty", [1, 5, 10])
def test_letters_are_mixed_up_and_only_the_words_of_the_text_are_right(difficulty):
    source = load_problem("Unscramble", difficulty=difficulty, mode="letters").source(3)
    for task in (source[i] for i in range(25)):
        words = task.answer["words"]
        brackets = [piece.partition("]")[0].split() for piece in task.prompt.split("\n\n")[1].split("[")[1:]]
        assert [sorted(letters) for letters in brackets] == [sorted(word) for word in words]
        assert all("".join(letters) != word for letters, word in zip(brackets, words, strict=True))
        assert score("unscramble", "\n".join(words).upper(), task) == 1.0
        assert score("unscramble", ", ".join("".join(letters) for letters in brackets), task) == 0.0
        assert score("unscramble", ", ".join([*words, words[0]]), task) == 0.0
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("difficulty", [1, 5, 10])
def test_words_are_mixed_up_and_only_sentences_of_the_corpus_are_right(difficulty):
    source = load_problem("Unscramble", difficulty=difficulty, mode="words").source(3)
    for task in (source[i] for i in range(25)):
        sentence = task.answer["reference"]
        mixed = task.prompt.split("\n\n")[3]
        assert sorted(words_of(mixed)) == sorted(words_of(sentence))
        assert score("unscramble", sentence.lower().rstrip(".!?"), task) == 1.0
        assert score("unscramble", mixed, task) == 0.0
        assert score("unscramble", f"{sentence} {sentence}", task) == 0.0
        words = words_of(sentence)
        assert score("unscramble", " ".join(words[1:]), task) == 0.0


def test_every_sentence_of_the_same_words_is_right(tmp_path):
    text = "Nobody at all was at home that day. The dog saw the cat on the roof. It rained all day long and the street was wet.\n\n"
    text += "Somebody was at home this time. The cat saw the dog on the roof. It was dry all day and the street was full of people."
    (tmp_path / "a.txt").write_text(text)
    found = 0
    source = load_problem("Unscramble", data=str(tmp_path), mode="words", difficulty=3).source(0)
    for task in (source[i] for i in range(20)):
        if "roof" in task.answer["reference"]:
            found += 1
            assert score("unscramble", "The dog saw the cat on the roof.", task) == 1.0
            assert score("unscramble", "The cat saw the dog on the roof.", task) == 1.0
            assert score("unscramble", "The roof saw the dog on the cat.", task) == 0.0
    assert found


def test_a_mode_that_cannot_be_is_told():
    with pytest.raises(ConfigError, match="letters"):
        load_problem("Unscramble", mode="syllables")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text):
    read_words(text)
    for name, task in (("cloze", CLOZE), ("segment_prediction", segment()), ("unscramble", Task("?", {"mode": "letters", "words": ["river"]})),
                       ("unscramble", Task("?", {"mode": "words", "accepted": ["The old mill is here."]}))):  # fmt: skip
        verdict = get_verifier(name).verify(text, task)
        assert verdict.valid
        assert not verdict.correct
