"""Completions that try to be right twice, to hide an answer, or to cost more time than they should."""

import time

import pytest

from rlvr_gym import AnswerVerifier, Reason, Task, Verdict, get_verifier
from rlvr_gym.extraction import MAX_CANDIDATES, boxed_contents, extract_answer, strip_thinking

FIVE = Task(prompt="What is 2 + 3?", answer="5")
MEGABYTE = 1_000_000


def reason(completion: str) -> str:
    return str(get_verifier("rational").verify(completion, FIVE).reason)


@pytest.mark.parametrize(
    "completion",
    [
        "5",
        " 5\n",
        "<answer>5</answer>",
        "<answer>\n 5 \n</answer>",
        "<ANSWER>5</Answer>",
        "<answer >5</answer >",
        "<answer>\\boxed{5}</answer>",
        "<answer>The result is \\boxed{5}.</answer>",
        "<answer>**5**</answer>",
        "<answer>Answer: 5</answer>",
        "<answer>**Answer:** 5</answer>",
        "<answer>**The final answer is** 5</answer>",
        "<answer>Answer:**5**</answer>",
        "<answer>5</answer> I repeat: <answer>5.0</answer>, that is \\boxed{5}\n#### 5",
        "\\boxed{5}",
        "\\boxed {5}",
        "\\fbox{5}",
        "$\\boxed{5}$",
        "\\[\\boxed{\\boxed{5}}\\]",
        "It is \\boxed{5} and nothing else {",
        "I write \\boxed{}. The answer is 5.",
        "\\boxed{5} ... \\boxed{4",  # the last one is not balanced
        "\\boxed{4 ... \\boxed{5}",
        "2 + 3 = 5\n#### 5",
        "#### 5\n\nQuestion: what is 6 + 6?",
        "#### Step 1: Look\nat it.\n#### 2. Then add\nthem.\n\\boxed{5}",  # Markdown headings
        "The answer is 5.",
        "The answer is 5. I hope that it helps.",
        "the ANSWER is: 5",
        "Answer: 5",
        "**Answer:** 5",
        "**Answer: 5**",
        "__Answer__: 5",
        "### Final Answer:\n\n**5**",
        "Final Answer: The final answer is $5$. I hope it is correct.",  # Minerva's prompt (2206.14858)
        "So the answer is $5$!",
        "The answer is not 4. The answer is 5.",
        "The answer isn't 4, the answer is 5",
        "<think>Is it 4? The answer is 4. <answer>4</answer> \\boxed{4}\n#### 4\n</think><answer>5</answer>",
        "<think>I should use <think> tags.</think><answer>5</answer>",
        "the prompt opened it: 4 </think> 5",
        "<THINK>4</THINK><answer>5</answer>",
        "<thinking>4</thinking><answer>5</answer>",
        "<think>a</think><answer>5</answer><think>b</think>",
        "<answer>4</answer></think><answer>5</answer>",  # what was said before is declared to be thinking
    ],
)
def test_one_answer_is_found(completion):
    assert reason(completion) == "correct"


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>4</answer><answer>5</answer>",
        "<answer>5</answer><answer>4</answer>",
        "<ANSWER>4</ANSWER><answer>5</answer>",
        "<answer>5</answer> or rather \\boxed{4}",
        "<answer>\\boxed{4}<answer>5</answer></answer>",
        "<answer>\\boxed{4} \\boxed{5}</answer>",
        "\\boxed{4} or \\boxed{5}",
        "\\boxed{5}\n#### 4",
        "#### 4\n#### 5",
        "The answer is 4. The answer is 5.",
        "The answer is 5. The answer is 4.",
        "answer: 5 answer: 4",
        "Answer: 5\nAnswer: 4",
        "<think>x</think><answer>4</answer><think>y</think><answer>5</answer>",
        "".join(f"\\boxed{{{n}}}" for n in range(100)),
    ],
)
def test_two_answers_are_none(completion):
    assert reason(completion) == "ambiguous"


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>4 or 5</answer>",
        "<answer>5 or 4</answer>",
        "<answer>4, 5</answer>",
        "<answer>not 4 but 5</answer>",
        "\\boxed{4 \\text{ or } 5}",
        "The answer is 4 or 5.",
        "The answer is either 5 or 4",
        "The answer is not 5.",
        "the answer isn't 5",
        "5 or 4",
        "1 2 3 4 5",
        "<answer>5<answer>4</answer>",
        "<answer>4</answer> the answer is 5",  # a marker outranks a phrase
        "\\boxed{4} the answer is 5",
    ],
)
def test_hedges_and_denials_are_not_right(completion):
    assert reason(completion) in {"wrong", "unparseable", "ambiguous"}


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " \n\t",
        "<answer></answer>",
        "<answer> </answer>",
        "\\boxed{}",
        "<answer>5",  # cut off: it may have become 55
        "\\boxed{5",
        "5</answer>",
        "</answer>5<answer>",
        "<think>5</think>",
        "<think><answer>5</answer></think>",
        "<think>The answer is \\boxed{5}",
        "<think>no end <answer>5</answer>",
        "<answer>5</think></answer>",
        "<answer>5</answer></think>",
        "<answer>5</answer></THINK>",
        "<think>\n#### 5\n</think>\n",
    ],
)
def test_nothing_is_offered(completion):
    assert reason(completion) == "no_answer"


def test_thinking_between_two_halves_does_not_glue_them():
    assert strip_thinking("1<think>x</think>2") == "1\n2"
    assert extract_answer("<ans<think></think>wer>5</answer>").candidates == ()


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        (r"\boxed{\frac{1}{2}}", [r"\frac{1}{2}"]),
        (r"\boxed{\{1, 2\}}", [r"\{1, 2\}"]),
        (r"\boxed{1\}} \boxed{2}", [r"1\}", "2"]),
        (r"\boxed{\text{a\}b}}", [r"\text{a\}b}"]),
        (r"\\boxed{3}", ["3"]),
        (r"\boxed{1}\boxed{2}", ["1", "2"]),
        (r"\boxed{a\boxed{b}c}", [r"a\boxed{b}c"]),
        (r"} \boxed{1}", ["1"]),
        (r"{ \boxed{1}", ["1"]),
        (r"\boxed{1", []),
        (r"\boxed", []),
        (r"\boxedx{1}", []),
        ("\\boxed{\\", []),
    ],
)
def test_boxes(text, contents):
    assert boxed_contents(text) == contents


def test_candidates_are_bounded_and_distinct():
    many = extract_answer("".join(f"<answer>{n}</answer>" for n in range(1000)))
    assert len(many.candidates) == MAX_CANDIDATES
    assert extract_answer("<answer>5</answer>" * 1000).candidates == ("5",)


def test_an_answer_that_is_too_long():
    assert extract_answer(f"<answer>{'5' * 30_000}</answer>").reason is Reason.TOO_COMPLEX
    assert extract_answer("word " * 30_000).reason is Reason.NO_ANSWER


class _Picky(AnswerVerifier):
    """Fails on "broken"; else right if the answer is "a" or "b"."""

    def check(self, answer, task):
        if answer == "broken":
            raise OSError("engine gone")
        return Verdict.right(answer) if answer in {"a", "b"} else Verdict.wrong(extracted=answer)


@pytest.mark.parametrize(
    ("completion", "valid", "reason"),
    [
        ("<answer>a</answer><answer>b</answer>", True, Reason.CORRECT),
        ("<answer>a</answer><answer>c</answer>", True, Reason.AMBIGUOUS),
        ("<answer>broken</answer>", False, Reason.VERIFIER_ERROR),
        ("<answer>broken</answer><answer>a</answer>", False, Reason.VERIFIER_ERROR),
    ],
)
def test_candidates_that_mean_the_same_are_accepted_together(completion, valid, reason):
    verdict = _Picky().verify(completion, FIVE)
    assert (verdict.valid, verdict.reason) == (valid, reason)


PIECES = [
    "<answer>",
    "</answer>",
    "<answer>1</answer>",
    "<answer><answer></answer>",
    "<answer>\\boxed{",
    "<think>",
    "</think>",
    "<think></think>",
    "<",
    "\\boxed{",
    "\\boxed{1}",
    "\\boxed{\\boxed{1}}",
    "\\boxed   ",
    "{",
    "}",
    "{}",
    "\\",
    "\\{",
    "#### 1\n",
    "#### ab\n",
    "####",
    "####\n",
    "answer",
    "answer is ",
    "answer is not ",
    "answer:\n",
    "answer:\n\n \n",
    "answer: \t",
    "answer***",
    "the answer is 5. ",
    "*",
    "**",
    "$",
    "`",
    "_",
    " ",
    "\n",
    ".",
    "\u202e",
    "\x00",
]


@pytest.mark.parametrize("prefix", ["", "<answer>", "\\boxed{", "<think>", "The answer is "])
def test_a_megabyte_of_anything_is_read_in_linear_time(prefix):
    """Quadratic behaviour takes minutes here, linear behaviour less than a second for each text."""
    start = time.process_time()
    for piece in PIECES:
        extract_answer(prefix + piece * (MEGABYTE // len(piece)))
    assert time.process_time() - start < 3 * len(PIECES)
