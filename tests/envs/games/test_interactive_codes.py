"""Mastermind and Wordle: every secret of every size is found in time, and nothing but the stated marks is told."""

import re
from collections import Counter
from itertools import islice, product

import numpy as np
import pytest

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.envs.games import _words5 as words5
from rlvr_gym.envs.games._codes import all_codes, answer_of, answers_to, code_text, still_open
from rlvr_gym.envs.games.mastermind import SIZES, _opening, best_guess
from rlvr_gym.testing import play_oracle
from rlvr_gym.testing.subject import act, begin


def marked_by_hand(guess, secret):
    """Black and white pegs, by removing what matches."""
    pairs = [(g, s) for g, s in zip(guess, secret, strict=True) if g != s]
    common = Counter(g for g, _ in pairs) & Counter(s for _, s in pairs)
    return len(guess) - len(pairs), common.total()


def test_the_two_ways_to_answer_a_guess_agree_with_a_third():
    codes = all_codes(3, 4)
    texts = [code_text(code) for code in codes]
    assert sorted(texts) == ["".join(digits) for digits in product("1234", repeat=3)]
    for guess, code in zip(texts, codes, strict=True):
        fast = answers_to(code, codes).tolist()
        for secret, answer in zip(texts, fast, strict=True):
            expected = marked_by_hand(guess, secret)
            assert answer_of(guess, secret)[1:] == expected
            assert answer == expected[0] * 16 + expected[1]


def guesses_at_worst(codes, guess):
    answers = answers_to(np.array(list(map(int, guess)), dtype=np.int8), codes)
    wrong = [codes[answers == answer] for answer in np.unique(answers) if answer != 16 * len(guess)]
    return 1 + max((guesses_at_worst(left, best_guess(left)) for left in wrong), default=0)


@pytest.mark.parametrize(("places", "digits", "worst"), SIZES)
def test_the_oracle_finds_every_code_of_every_size_within_the_limit(places, digits, worst):
    assert guesses_at_worst(all_codes(places, digits), _opening(places, digits)) == worst


@pytest.mark.parametrize("difficulty", [1, 4, 8])
def test_mastermind_without_spare_turns(difficulty):
    problem = load_problem("Mastermind", difficulty=difficulty, spare=0)
    for task in islice(problem.source(0), 30):
        episode = play_oracle(problem, task)
        assert episode.verdict.correct
        assert (
            episode.turns == task.metadata["hardness"] <= task.metadata["turns"] == SIZES[difficulty - 1][2]
        )


def test_mastermind_replies_depend_on_the_answers_only():
    """Two secrets that answer alike are told alike, word for word."""
    problem = load_problem("Mastermind", difficulty=4)
    told = {}
    for task in islice(problem.source(1), 200):
        episode = begin(problem, task)
        for guess in ("112", "345"):
            if not episode.done:
                act(problem, episode, f"<answer>{guess}</answer>")
        if not episode.done:
            clues = tuple(answer_of(guess, task.answer[0]) for guess in ("112", "345"))
            assert told.setdefault(clues, episode.observe("text")) == episode.observe("text")
    assert len(told) > 10


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "1234",
        "127",
        "120",
        "1.2.3.4",
        "one two three",
        "<answer>123</answer> <answer>124</answer>",
        "1２3",
        "-123",
    ],
)
def test_what_is_no_guess_costs_a_turn(text):
    problem = load_problem("Mastermind", difficulty=4)
    episode = begin(problem, problem.source(0)[0])
    act(problem, episode, text if "<" in text else f"<answer>{text}</answer>")
    assert episode.metrics == {"illegal_moves": 1.0}
    assert episode.messages[-1]["content"].startswith("That is no guess")
    assert (episode.turns, episode.state) == (1, [])


@pytest.mark.parametrize(
    "form", ["{}", "\\boxed{{{}}}", "<answer> {} </answer>", "<think>999</think><answer>**{}**</answer>"]
)
@pytest.mark.parametrize("join", ["", " ", ", ", "-"])
def test_how_a_code_may_be_written(form, join):
    problem = load_problem("Mastermind", difficulty=4)
    task = problem.source(0)[0]
    episode = begin(problem, task)
    act(problem, episode, form.format(join.join(task.answer[0])))
    assert episode.done == (join != "-")  # a dash is a sign of its own
    assert not episode.done or episode.verdict.correct


def test_deduced_codes_are_unique_and_every_clue_is_needed():
    for difficulty in (1, 3, 5, 6):
        problem = load_problem("MastermindDeduce", difficulty=difficulty)
        verify = problem.make_verifier().verify
        for task in islice(problem.source(0), 5):
            clues = [tuple(clue) for clue in task.metadata["clues"]]
            places, digits = task.metadata["places"], task.metadata["digits"]
            symbols = "123456789"[:digits]
            codes = ["".join(code) for code in product(symbols, repeat=places)]
            fits = [c for c in codes if all(marked_by_hand(g, c) == (e, w) for g, e, w in clues)]
            assert fits == task.answer
            assert all(
                len(still_open(all_codes(places, digits), [d for d in clues if d != c])) > 1 for c in clues
            )
            scored = [code for code in codes if verify(f"<answer>{code}</answer>", task).score > 0]
            assert scored == fits
            for i, symbol in product(range(places), symbols):
                mutated = fits[0][:i] + symbol + fits[0][i + 1 :]
                assert verify(f"\\boxed{{{mutated}}}", task).correct == (mutated == fits[0])


def marked_word_by_hand(guess, secret):
    marks = ["G" if g == s else "-" for g, s in zip(guess, secret, strict=True)]
    unused = Counter(s for s, mark in zip(secret, marks, strict=True) if mark != "G")
    for i, letter in enumerate(guess):
        if marks[i] != "G" and unused[letter] > 0:
            unused[letter] -= 1
            marks[i] = "Y"
    return "".join(marks)


def test_marks_of_words():
    known = [
        ("eerie", "elder", "GY--Y"),
        ("elder", "eerie", "G--YY"),
        ("allow", "llama", "YGY--"),
        ("sassy", "glass", "YY-G-"),
    ]
    for guess, secret, marks in known:
        expected = marked_word_by_hand(guess, secret)
        assert words5.mark_word(guess, secret) == expected, (guess, secret)
        assert marks.count("-") == expected.count("-")
    listed, patterns = words5.word_list(), words5._patterns()
    for i in range(0, len(listed), 37):
        for j in range(0, len(listed), 11):
            marks = words5.mark_word(listed[i], listed[j])
            assert marks == marked_word_by_hand(listed[i], listed[j])
            assert words5._number(marks) == patterns[i, j]


def test_the_word_list():
    listed = words5.word_list()
    assert 900 < len(listed) == len(set(listed)) < 1500
    assert list(listed) == sorted(listed)
    assert all(re.fullmatch("[a-z]{5}", word) for word in listed)


@pytest.mark.parametrize("difficulty", [1, 5, 8, 9, 10])
def test_the_oracle_finds_every_word_of_the_list_within_the_limit(difficulty):
    problem = load_problem("Wordle", difficulty=difficulty, spare=0)
    task = problem.source(0)[0]
    words = task.metadata["words"] or [w for w in words5.word_list() if difficulty == 10 or len(set(w)) == 5]
    assert task.answer in words
    turns = []
    for secret in words if difficulty < 9 else words[::9]:
        task.metadata["hardness"] = 0
        episode = play_oracle(problem, type(task)(task.prompt, secret, task.id, task.metadata))
        assert episode.verdict.correct
        turns.append(episode.turns)
    assert max(turns) <= task.metadata["turns"]
    if difficulty < 9:
        assert max(turns) == task.metadata["turns"]  # the limit is tight, whatever the secret


def test_wordle_does_not_show_its_secret():
    for difficulty in (9, 10):
        tasks = list(islice(load_problem("Wordle", difficulty=difficulty).source(0), 20))
        assert len({task.answer for task in tasks}) > 15
        assert len({task.prompt for task in tasks}) == 1
    task = load_problem("Wordle", difficulty=5).source(0)[0]
    assert all(task.prompt.count(word) == 1 for word in task.metadata["words"])


def test_the_place_of_the_secret_in_the_list_says_nothing():
    problem = load_problem("Wordle", difficulty=1)
    places = Counter(t.metadata["words"].index(t.answer) for t in islice(problem.source(0), 400))
    assert len(places) == 8
    assert max(places.values()) < 90


@pytest.mark.parametrize(
    "text",
    ["", "four", "sixsix", "ab cde", "abc1e", "ａｂｃｄｅ", "<answer>crane</answer><answer>slate</answer>"],
)
def test_what_is_no_word_costs_a_turn(text):
    problem = load_problem("Wordle", difficulty=10)
    episode = begin(problem, problem.source(0)[0])
    act(problem, episode, text if "<" in text else f"<answer>{text}</answer>")
    assert episode.metrics == {"illegal_moves": 1.0}


@pytest.mark.parametrize("form", ["{}", "{}.", "<answer>\n**{}**</answer>", '"{}"'])
def test_how_a_word_may_be_written(form):
    problem = load_problem("Wordle")
    task = problem.source(0)[0]
    for word in (task.answer, task.answer.upper()):
        episode = begin(problem, task)
        act(problem, episode, form.format(word))
        assert episode.done == episode.verdict.correct if episode.done else form == "{}."


@pytest.mark.parametrize("name", ["Mastermind", "Wordle"])
def test_settings(name):
    with pytest.raises(ConfigError, match="spare"):
        load_problem(name, spare=-1)
