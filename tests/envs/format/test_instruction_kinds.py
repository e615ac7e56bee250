"""Every kind of constraint: texts that keep it, texts that break it, and its way through JSON."""

import json

import pytest

from rlvr_gym.errors import DataError
from rlvr_gym.verifiers import instruction_following  # noqa: F401  (registers the kinds)
from rlvr_gym.verifiers.instruction_constraint import _kinds, parse_constraint
from rlvr_gym.verifiers.instruction_language import detect_language
from rlvr_gym.verifiers.instruction_text import Text, words_of

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
GERMAN = "Der Hund geht mit dem Kind durch den Wald und es ist sehr still."
# kind and fields, texts that keep it, texts that break it
CASES = [
    ({"kind": "word_count", "relation": "exactly", "count": 3}, ["one two three", "don't well-known x", "a, b. c!"],
     ["one two", "one two three four", "", "- - -"]),
    ({"kind": "word_count", "relation": "at least", "count": 3}, ["a b c", "a b c d"], ["a b", "...", "\u200b \u200b \u200b"]),
    ({"kind": "word_count", "relation": "at most", "count": 3}, ["a b c", "a"], ["a b c d"]),
    ({"kind": "sentence_count", "relation": "exactly", "count": 2}, ["A. B!", "A?! B", "It is 3.5 long. Yes.", 'He said "No." Then left.',
     "One\n\nTwo"], ["A.", "A. B. C.", "A.B", ". . .", "A. ..."]),
    ({"kind": "sentence_length", "count": 3}, ["One two three. Four."], ["One two three four.", "", "!"]),
    ({"kind": "paragraph_count", "relation": "exactly", "count": 2}, ["a\n\nb", "a\n \t\n\n\nb\nc"], ["a\nb", "a", "a\n\nb\n\nc", "a\n\n---"]),
    ({"kind": "keyword_frequency", "word": "tide", "relation": "exactly", "count": 2}, ["Tide tide.", "the tide, THE TIDE"],
     ["tide", "tides tide", "tide-tide tide", "tide tide tide"]),
    ({"kind": "max_repeats", "count": 2}, ["a b a b", "A cat. A dog."], ["a a a", "A a A", "", "one two three four. One two three four!",
     "- this is the line\n- this is the line"]),
    ({"kind": "bullet_count", "relation": "exactly", "count": 2}, ["- a\n- b", "x\n* a\n\u2022 b"], ["- a", "-a\n-b", "- a\n- b\n- c", "-\n-", "a - b\nc - d"]),
    ({"kind": "numbered_list", "count": 2}, ["1. a\n2. b", "x\n1) a\ny\n2) b"], ["1. a", "1. a\n3. b", "2. a\n1. b", "1. a 2. b", "1.a\n2.b", "1. a\n2. b\n3. c"]),
    ({"kind": "capital_words", "relation": "exactly", "count": 1}, ["the TIDE is in", "A TIDE"], ["the tide", "I am A OK", "THE TIDE"]),
    ({"kind": "placeholders", "count": 2}, ["[a] and [b]", "[a] [a] [b c]"], ["[a]", "[a] [a]", "[] [ ]", "[a", "[[a]"]),
    ({"kind": "keywords", "words": ["tide", "rope"]}, ["A rope, a Tide."], ["tide", "ropes tide", "tiderope", "ti\u00adde"]),
    ({"kind": "forbidden", "words": ["tide"]}, ["the tides"], ["Tide!", "the tide-line", "ti\u200bde", "\uff54\uff49\uff44\uff45"]),
    ({"kind": "order", "first": "a", "second": "b"}, ["a b", "A a b b"], ["b a", "a b a", "a", "b", ""]),
    ({"kind": "letter_case", "style": "lowercase"}, ["all small, 1 or 2", "\u00e9t\u00e9"], ["One", "123", "\u00c9"]),
    ({"kind": "letter_case", "style": "capital"}, ["ALL LARGE!"], ["ALL LARGe", "...", "STRA\u00dfE"]),
    ({"kind": "without_character", "character": ","}, ["a; b"], ["a, b", "a\uff0c b"]),
    ({"kind": "without_character", "character": "x"}, ["abc"], ["taXi", "ax"]),
    ({"kind": "first_word", "word": "Today"}, ["Today it", '"today"', "**Today** x"], ["It is today", "", "Todays"]),
    ({"kind": "last_word", "word": "tide"}, ["the tide.", 'the "Tide"!'], ["tide it is", "", "the tides"]),
    ({"kind": "end_phrase", "phrase": "That is all."}, ["x. That is all.", "x that  IS\nall."], ["That is all", "That is all. x", "That is all.!", ""]),
    ({"kind": "repeat_request", "request": "Write about it."}, ["Write about it.\n\nIt is good.", "write  about it. Yes"],
     ["Write about it.", "It is good. Write about it.", "Write about it!"]),
    ({"kind": "paragraph_start", "number": 2, "word": "Later"}, ["a\n\nLater b", "a\n\n- later"], ["Later\n\na", "a\nLater", "a", ""]),
    ({"kind": "title"}, ["<<A title>>\nx", "x <<y>> z"], ["<A title>", "<<>>", "<< >>", "<<a>> <<b>>", "<<a\nb>>"]),
    ({"kind": "sections", "headings": ["One", "Two b"]}, ["## One\na\n## Two b\nb", "# one #\na\n\n### TWO B\n\nb"],
     ["## One\n## Two b\nb", "## One\na\n## Two b", "## Two b\na\n## One\nb", "One\na\nTwo b\nb", "## One\na", "## One\na\n## Two b\nb\n## Three\nc"]),
    ({"kind": "quoted"}, ['"a"', "\u201ca b\u201d", '"a"\n"b"'], ["a", '"', '""', '"a', "'a'"]),
    ({"kind": "postscript"}, ["x\n\nP.S. more", "x\nPS: more", "x\n**p. s.** more"], ["P.S. more", "x\nP.S.", "x P.S. more", "x\nP.S. more\ny"]),
    ({"kind": "json", "schema": SCHEMA}, ['{"a": 1}', '```json\n{"a": 1, "b": "x"}\n```', '{"a": 2.0}'],
     ['{"a": 1} x', '{"a": "1"}', '{"b": "x"}', '{"a": 1, "c": 2}', '{"a": 1, "a": 1}', '{"a": NaN}', "[1]", '{"a": 1e999999}', '{"a": true}',
      '{"a": 1.5}', "{'a': 1}", '{"a":' * 5000, '{"a": ' + "9" * 5000 + "}"]),
    ({"kind": "language", "language": "German"}, [GERMAN, GERMAN.upper()], ["The dog walks through the wood and it is very still.", "der die das", "banana " * 9]),
    ({"kind": "language", "language": "Russian"}, ["Утром он идёт на рынок с большой корзиной."], [GERMAN, "Это"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "kept", "broken"), CASES, ids=lambda v: v["kind"] if isinstance(v, dict) else ""
)
def test_kind(row, kept, broken):
    constraint = parse_constraint(json.loads(json.dumps(row)))
    for text in kept:
        assert constraint.check(Text(text)).held, (text, constraint.check(Text(text)).note)
    for text in broken:
        assert not constraint.check(Text(text)).held, (text, constraint.check(Text(text)).note)


@pytest.mark.parametrize("row", [case[0] for case in CASES], ids=lambda row: row["kind"])
def test_it_is_remade_from_json_and_stated_in_several_ways(row):
    constraint = parse_constraint(row)
    assert parse_constraint(constraint.to_dict()) == constraint
    wordings = {constraint.state(i) for i in range(12)}
    assert len(wordings) == len(constraint.wordings) > 1
    assert all("{" not in w or row["kind"] == "json" for w in wordings)


def test_every_kind_has_a_case():
    assert {case[0]["kind"] for case in CASES} == set(_kinds)


@pytest.mark.parametrize(
    "row",
    [
        None, [], {}, {"kind": "nothing"}, {"kind": "word_count"}, {"kind": "word_count", "relation": "about", "count": 3},
        {"kind": "word_count", "relation": "exactly", "count": True}, {"kind": "word_count", "relation": "exactly", "count": -1},
        {"kind": "word_count", "relation": "exactly", "count": 3, "more": 1}, {"kind": "keywords", "words": []},
        {"kind": "keywords", "words": "tide"}, {"kind": "first_word", "word": " "}, {"kind": "letter_case", "style": "odd"},
        {"kind": "language", "language": "Klingon"}, {"kind": "json", "schema": {"pattern": "(a+)+$"}},
        {"kind": "json", "schema": {"$ref": "#"}}, {"kind": "json", "schema": {"type": "whatever"}},
        {"kind": "json", "schema": {"properties": {"a": {"format": "uri"}}}},
    ],
)  # fmt: skip
def test_rows_that_are_no_constraint_are_refused(row):
    with pytest.raises(DataError):
        parse_constraint(row)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("one two", 2), ("one\u00a0two", 2), ("o\u200bn\u200de", 1), ("well-known", 1), ("well \u2013 known", 2), ("well\u2014known", 2),
        ("don't don\u2019t", 2), ("e\u0301te\u0301", 1), ("caf\u00e9", 1), ("a_b", 2), ("3.5", 2), ("\u202eabc\u202c", 1), ("\ud800", 0),
        ("\uff41\uff42", 1), ("", 0), ("-'-", 0), ("a\u2028b", 2), ("a\u0336b\u0336", 1), ("\u3000a\u3000", 1), ("\U0001f600 ok", 1),
    ],
)  # fmt: skip
def test_words_are_counted_as_a_reader_sees_them(text, count):
    assert len(words_of(text)) == count


def test_languages_are_told_apart():
    from rlvr_gym.envs.format._topics import FOREIGN

    for language, sentences in FOREIGN.items():
        text = " ".join(sentences).format(a="Selma", b="Tomas")
        assert detect_language(words_of(text)) == language
        for sentence in sentences:
            assert detect_language(words_of(sentence.format(a="Selma", b="Tomas"))) in (language, None)
    small = "the of and to in is that it was for on with as be at by this have"
    assert detect_language(words_of(small)) is None  # small words alone are no text
    assert detect_language(words_of("Most people notice the boat first and it is gone.")) == "English"


@pytest.mark.parametrize(
    "piece", ["\n", " ", "\n\n", ". ", "[", "<<", '"', "- ", "1. ", "#", "P.S. ", "a-", "a'", "\\", '"\\']
)
def test_long_repetitions_take_no_time(piece):
    for text in (piece * (20_000 // len(piece)), "# a" + piece * (19_000 // len(piece)) + "b"):
        for row, _, _ in CASES:
            parse_constraint(row).check(Text(text))
