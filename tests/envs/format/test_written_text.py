"""Where a text that was asked for stands in a completion."""

import pytest

from rlvr_gym.extraction import MAX_ANSWER_CHARS, extract_text
from rlvr_gym.verdict import Reason

TEXT = "The answer is no.\n\n## A heading\n- **one**, `two`\n#### three"


@pytest.mark.parametrize(
    "completion",
    [
        TEXT, f"\n {TEXT} \n", f"<answer>{TEXT}</answer>", f"Here it is: <answer>\n{TEXT}\n</answer> I hope it is good.",
        f"<think><answer>No</answer></think>{TEXT}", f"thinking</think> <ANSWER>{TEXT}</ANSWER>", f"So: \\boxed{{{TEXT}}}",
        f"<answer>{TEXT}</answer><answer> {TEXT}</answer>", f"<answer><answer>{TEXT}</answer></answer>",
    ],
)  # fmt: skip
def test_the_text_is_found_and_left_as_it_is(completion):
    assert extract_text(completion).candidates == (TEXT,)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " ",
        "<answer></answer>",
        f"<answer>{TEXT}",
        f"<think>{TEXT}",
        f"{TEXT} <answer>",
        f"\\boxed{{{TEXT}",
    ],
)
def test_what_is_cut_off_or_only_thought_is_no_text(completion):
    extraction = extract_text(completion)
    assert extraction.candidates == ()
    assert extraction.reason is Reason.NO_ANSWER


def test_several_texts_are_all_told_and_long_ones_refused():
    assert extract_text("<answer>a</answer><answer>b</answer>").candidates == ("a", "b")
    assert extract_text("\\boxed{a} \\boxed{b}").candidates == ("a", "b")
    assert extract_text("a" * (MAX_ANSWER_CHARS + 1)).reason is Reason.TOO_COMPLEX
    assert len(extract_text("".join(f"<answer>{i}</answer>" for i in range(1000))).candidates) < 20


@pytest.mark.parametrize(
    "piece", ["<answer>", "</answer>", "\\boxed{", "<think>", "}", "</think>", "<answer>a</answer>", "\\"]
)
def test_repetitions_take_no_time(piece):
    extract_text(piece * 40_000)
