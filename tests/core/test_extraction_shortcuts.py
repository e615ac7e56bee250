"""The shortcuts of extraction find exactly what the whole way finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import extraction
from rlvr_gym.extraction import Extraction, extract_answer, plain_answer

PIECES = st.sampled_from(
    ["answer", "Answer", "anſwer", " is ", " = ", ": ", "the final ", "not ", " ", "\n", ".", "12", "x < 3", "$", "**", "`",
     "<answer>", "</answer>", "<ANSWER >", "<think>", "</think>", "<thinking>", "</Think >", "#### ", "####", "_", "\u2003",
     "\\boxed{", "\\fbox {", "\\\\boxed{", "}", "{", "\\}", "box", "\\frac{1}{2}", "\\(", "\\)", "é", "isn't", "\x1c"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)
WRAPPED = st.tuples(
    st.sampled_from(["", "<think>", "<think>a</think>\n", "a</think>", "b<think>x", "<think>x < 3</think>"]),
    st.lists(PIECES, max_size=2).map("".join),
    st.lists(PIECES, max_size=3).map("".join),
    st.sampled_from(["", "\n", " so.", "<think>", "\\boxed{1}"]),
).map(lambda parts: f"{parts[0]}{parts[1]}<answer>{parts[2]}</answer>{parts[3]}")


def _whole_way(completion: str) -> Extraction:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction, "plain_answer", lambda _: "")
        return extract_answer(completion)


@settings(max_examples=500, deadline=None)
@given(completion=st.one_of(TEXTS, WRAPPED))
def test_the_plain_answer_is_the_only_candidate(completion):
    answer = plain_answer(completion)
    if answer:
        assert _whole_way(completion) == Extraction((answer,), True)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_phrases_are_found_alike_in_ascii_and_in_other_texts(text):
    found = [match.end() for match in extraction._PHRASE.finditer(text)]
    assert list(extraction._phrase_ends(text)) == found


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>12</answer>",
        "<think>so 12</think>\n<answer>12</answer>",
        "so 12</think><answer> 12\n</answer>",
        "by \\(x = \\frac{3}{4}\\) we have <answer>12</answer>",
    ],
)
def test_usual_completions_take_the_shortcut(completion):
    assert plain_answer(completion) == "12"


@pytest.mark.parametrize(
    "completion",
    [
        "<think>is it <answer>12</answer>",
        "<think>is it <answer>12</answer></think>",
        "<think>a</think><think><answer>12</answer>",
        "<answer>12</answer> or \\boxed{13}",
        "<answer>12</answer>\n#### 13",
        "<answer>12</answer></think>",
        "<answer>12</answer><answer>13</answer>",
    ],
)
def test_what_is_not_plain_goes_the_whole_way(completion):
    assert plain_answer(completion) == ""
