from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.agents.tokenizer import PRINTABLE, TAGS, CharTokenizer
from rlvr_gym.errors import ConfigError


@given(st.text(alphabet=PRINTABLE))
def test_text_of_the_alphabet_comes_back(text: str) -> None:
    tokenizer = CharTokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text())
def test_any_text_is_encoded_and_unknown_characters_are_told(text: str) -> None:
    tokenizer = CharTokenizer()
    back = tokenizer.decode(tokenizer.encode(text))
    assert back == "".join(c if c in PRINTABLE else "\ufffd" for c in text)


@pytest.mark.parametrize("tag", TAGS)
def test_tags_are_single_tokens(tag: str) -> None:
    tokenizer = CharTokenizer()
    ids = tokenizer.encode(f"a{tag}b")
    assert len(ids) == 3
    assert tokenizer.decode(ids) == f"a{tag}b"


def test_special_ids_differ_and_no_text_can_forge_them() -> None:
    tokenizer = CharTokenizer()
    special = {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.sep_id}
    assert len(special) == 4
    assert tokenizer.stop_ids == (tokenizer.eos_id,)
    assert tokenizer.decode(sorted(special)) == ""
    every_character = "".join(map(chr, range(0x3000))) + "".join(TAGS) + "<pad><bos><eos></s>"
    assert not special & set(tokenizer.encode(every_character))


def test_json_round_trip() -> None:
    tokenizer = CharTokenizer.from_texts(["♠ und ♥", "ä"])
    again = CharTokenizer.from_dict(json.loads(json.dumps(tokenizer.to_dict())))
    assert again.encode("♠ä♥x<think>") == tokenizer.encode("♠ä♥x<think>")
    assert again.vocab_size == tokenizer.vocab_size == CharTokenizer().vocab_size + 3


@pytest.mark.parametrize("data", [{}, {"kind": "bpe", "alphabet": "a"}, {"kind": "char", "alphabet": 3}])
def test_other_json_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="character tokenizer"):
        CharTokenizer.from_dict(data)


@pytest.mark.parametrize("alphabet", ["", "aa"])
def test_bad_alphabets_are_refused(alphabet: str) -> None:
    with pytest.raises(ConfigError, match="alphabet"):
        CharTokenizer(alphabet)


def test_conversations() -> None:
    t = CharTokenizer()
    bos, eos, sep = t.bos_id, t.eos_id, t.sep_id
    prompt = t.encode_prompt([{"role": "system", "content": "s"}, {"role": "user", "content": "u"}])
    assert prompt == [bos, *t.encode("s\n\nu"), sep]
    assert t.encode_completion("ab") == [*t.encode("ab"), eos]
    reply = [{"role": "user", "content": "no"}]
    assert t.encode_reply(reply, finished=True) == [*t.encode("no"), sep]
    assert t.encode_reply(reply, finished=False) == [eos, *t.encode("no"), sep]


def test_a_whole_conversation_is_the_concatenation_of_its_turns() -> None:
    t = CharTokenizer()
    first = [{"role": "user", "content": "u"}]
    spoken, answered = {"role": "assistant", "content": "a"}, {"role": "user", "content": "v"}
    turn_by_turn = [
        *t.encode_prompt(first),
        *t.encode_completion("a"),
        *t.encode_reply([answered], finished=True),
    ]
    assert t.encode_prompt([*first, spoken, answered]) == turn_by_turn


def test_further_tags_are_single_tokens_too_and_leave_the_other_ids_alone() -> None:
    plain, tagged = CharTokenizer(), CharTokenizer(tags=["<search>", "</search>"])
    text = "<answer><search>a</search> <search"
    assert len(tagged.encode(text)) == 5 + len(" <search") - 1
    assert tagged.decode(tagged.encode(text)) == text
    assert tagged.encode("<answer>a<") == plain.encode("<answer>a<")
    again = CharTokenizer.from_dict(json.loads(json.dumps(tagged.to_dict())))
    assert again.encode(text) == tagged.encode(text)
    assert again.vocab_size == tagged.vocab_size == plain.vocab_size + 2


@pytest.mark.parametrize("tags", [["<a>", "<a>"], ["<think>"], ["a"]])
def test_bad_tags_are_refused(tags: list[str]) -> None:
    with pytest.raises(ConfigError, match="Tags have"):
        CharTokenizer(tags=tags)
