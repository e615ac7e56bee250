"""Duplicates and n-gram contamination, with examples that can be counted by hand."""

from __future__ import annotations

import json

import pytest

from rlvr_gym.data import NgramIndex, compare, duplicates, text_of, words
from rlvr_gym.errors import ConfigError, DataError

TRAIN = [
    "Tom has three apples and gives one of them to Mary; how many are left?",
    "What is 3 + 4?",
    "tom has three apples, and gives one of them to Mary. How many are left",
]


def test_presentation_does_not_count_but_signs_do():
    assert words("A  cat,\nｏｎ $x$!") == words("a CAT on x")
    assert words("x+1") != words("x-1")
    assert words("3.5") != words("35")


def test_duplicates_point_to_the_first():
    assert duplicates(TRAIN) == {2: 0}
    assert duplicates(["a", "b", "A!", "b.", "c"]) == {2: 0, 3: 1}


def test_share_of_ngrams():
    index = NgramIndex(["one two three four five"], n=2)
    # of "two three", "three six", "six four", "four five" two are known
    overlap = index.overlap("two three six four five")
    assert (overlap.share, overlap.source) == (0.5, 0)
    assert index.overlap("nothing of that kind").source is None


def test_short_texts_count_as_a_whole():
    index = NgramIndex(["What is 3 + 4?"], n=13)
    assert index.overlap("what is 3 + 4").share == 1.0
    assert index.overlap("what is 3 + 5").share == 0.0


def test_boilerplate_is_no_evidence():
    tail = "think step by step and then give the final answer in tags please"
    train = [f"question number {i} about thing {i * i} {tail}" for i in range(40)]
    test = [f"something quite different here {tail}", "question number 7 about thing 49 now"]
    found = compare(train, test, n=5)
    assert list(found.contaminated) == [1]
    assert found.contaminated[1].source == 7
    assert list(compare(train, test, n=5, common=1.0).contaminated) == [0, 1]


def test_compare_and_threshold():
    test = ["What is 3+4 ?", "Tom has three apples and gives two of them to Ann", "quite new", "Quite new!"]
    found = compare(TRAIN, test, n=5)
    assert found.same == {0: 1}
    assert list(found.contaminated) == [0, 1]
    assert found.repeated_b == {3: 2}
    assert [found.clean(i) for i in range(4)] == [False, False, True, False]
    assert 1 not in compare(TRAIN, test, n=5, threshold=0.9).contaminated


@pytest.mark.parametrize("wrong", [{"n": 0}, {"threshold": 1.5}, {"common": 0.0}])
def test_numbers_outside_their_range(wrong):
    with pytest.raises(ConfigError):
        compare(["a"], ["b"], **wrong)


def test_text_of_a_row():
    assert text_of({"problem": "p", "answer": "a"}) == "p"
    assert (
        text_of({"prompt": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]})
        == "hi\nyo"
    )
    assert text_of({"prompt": "p", "note": "n"}, "note") == "n"
    with pytest.raises(DataError, match="has no text"):
        text_of({"answer": "a"})
    with pytest.raises(DataError, match="row 3"):
        text_of({"prompt": 5}, where="row 3")


def test_command_writes_the_clean_rows(tmp_path, capsys):
    from rlvr_gym.cli.main import run

    a, b, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "clean.jsonl"
    a.write_text("".join(json.dumps({"question": text}) + "\n" for text in TRAIN))
    rows = [{"problem": "What is 3 + 4?"}, {"problem": "What is 5 + 4?", "id": 7}, {"problem": "what is 5+4"}]
    b.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["data", "dedup", str(a), str(b), "--output", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["rows_of_B_word_for_word_in_A"] == 1
    assert report["counts"]["repeated_within_A"] == report["counts"]["repeated_within_B"] == 1
    assert report["findings"] == [{"index": 0, "b_line": 1, "a_line": 2, "share": 1.0, "same": True}]
    assert [json.loads(line) for line in out.read_text().splitlines()] == [rows[1]]
    assert run(["data", "dedup", str(a), str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err
