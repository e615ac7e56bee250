"""Environments whose answers are programs: other right programs pass, wrong ones and cheats do not."""

import dataclasses

import pytest

from rlvr_gym.envs.code._tokens import edit_distance, program_tokens
from rlvr_gym.envs.loading import Row
from rlvr_gym.registration import load_problem
from rlvr_gym.verifiers.code import extract_program

CHEATS = {
    "exits at once": "import os\nos._exit(0)",
    "exits politely": "import sys\nsys.exit(0)",
    "claims to have passed": "print('passed')\nprint('{\"value\": 1}')",
    "is equal to all": (
        "class Everything:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    __hash__ = object.__hash__\n\ndef {name}(*args):\n    return Everything()"
    ),
    "is a list that is equal to all": (
        "class Everything(list):\n    def __eq__(self, other): return True\n\ndef {name}(*args):\n    return Everything()"
    ),
    "exits in the function": "import os\ndef {name}(*args):\n    os._exit(0)",
    "gives nothing": "def {name}(*args):\n    return None",
    "looks for the tests": (
        "import sys\ndef {name}(*args):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in frame.f_locals.values():\n            if 'expected' in str(value): return value\n"
        "        frame = frame.f_back"
    ),
}


def block(code):
    return f"Here it is.\n\n```python\n{code}\n```\n"


def find(problem, wanted, **settings):
    """A task about the function ``wanted``."""
    problem = dataclasses.replace(problem, **settings)
    for seed in range(40):
        source = problem.source(seed)
        for index in range(25):
            task = source[index]
            if task.metadata.get("function") == wanted:
                return task
    raise AssertionError(f"no task about {wanted}")


def judge(problem, task, code):
    verdict = problem.make_verifier().verify(block(code), task)
    assert verdict.valid
    return verdict


@pytest.fixture(scope="module")
def synthesis():
    return load_problem("FunctionSynthesis")


@pytest.fixture(scope="module")
def gcd_task(synthesis):
    return find(synthesis, "common_divisor", difficulty=6)


def test_another_right_function_passes(synthesis, gcd_task):
    code = "import math\n\ndef common_divisor(numbers):\n    return math.gcd(*numbers)"
    assert judge(synthesis, gcd_task, code).score == 1.0


@pytest.mark.parametrize(
    "code",
    [
        "def common_divisor(numbers):\n    return 1",
        "import math\ndef common_divisor(numbers):\n    return float(math.gcd(*numbers))",
        "import math\ndef common_divisor(numbers):\n    return str(math.gcd(*numbers))",
        "import math\ndef common_divisor(numbers):\n    return math.gcd(*numbers) or 1",
        "import math\ndef common_divisor(numbers):\n    return math.gcd(*numbers[:-1])",
        "import math\ndef divisor(numbers):\n    return math.gcd(*numbers)",
    ],
)
def test_plausible_wrong_functions_score_nothing(synthesis, gcd_task, code):
    verdict = judge(synthesis, gcd_task, code)
    assert verdict.score == 0.0
    assert verdict.details["passed"] < verdict.details["total"]


@pytest.mark.parametrize("cheat", CHEATS)
def test_cheats_score_nothing(synthesis, gcd_task, cheat):
    assert judge(synthesis, gcd_task, CHEATS[cheat].replace("{name}", "common_divisor")).score == 0.0


@pytest.mark.parametrize("difficulty", [1, 4, 7, 10])
def test_a_table_of_the_shown_examples_scores_nothing(synthesis, difficulty):
    problem = dataclasses.replace(synthesis, difficulty=difficulty)
    for index in range(3):
        task = problem.source(9)[index]
        name = task.metadata["function"]
        shown = [line.strip() for line in task.prompt.splitlines() if line.startswith(f"    {name}(")]
        assert len(shown) == 2
        table = "".join(
            f"    if repr(args) == repr(given{call.split(' == ')[0].removeprefix(name)}): return {call.split(' == ')[1]}\n"
            for call in shown
        )
        code = f"def given(*args):\n    return args\n\ndef {name}(*args):\n{table}    return {shown[0].split(' == ')[1]}"
        assert judge(problem, task, code).score == 0.0


def test_a_share_of_the_tests_is_told_but_not_paid(synthesis):
    task = find(synthesis, "is_prime", difficulty=4, stop_early=False)
    verdict = judge(synthesis, task, "def is_prime(n):\n    return False")
    assert verdict.score == 0.0
    assert 0 < verdict.details["passed"] < verdict.details["total"]


def test_sort_prepend():
    problem = load_problem("SortPrepend", difficulty=3)
    task = problem.source(0)[0]
    heap = (
        "import heapq\n\ndef sort_prepend(numbers):\n    heap = list(numbers)\n    heapq.heapify(heap)\n"
        "    return [42] + [heapq.heappop(heap) for _ in range(len(heap))]"
    )
    assert judge(problem, task, heap).score == 1.0
    for wrong in (
        "def sort_prepend(numbers):\n    return sorted(numbers)",
        "def sort_prepend(numbers):\n    return sorted(numbers) + [42]",
        "def sort_prepend(numbers):\n    return sorted([42] + numbers)",
        "def sort_prepend(numbers):\n    return [42] + sorted(set(numbers))",
        "def sort_prepend(numbers):\n    return [42] + sorted(numbers, reverse=True)",
        "def sort_prepend(numbers):\n    return (42, *sorted(numbers))",
        "def sort_prepend(numbers):\n    return [42] + numbers",
        *(cheat.replace("{name}", "sort_prepend") for cheat in CHEATS.values()),
    ):
        assert judge(problem, task, wrong).score == 0.0, wrong


def test_stdin_programs():
    problem = load_problem("StdinProgram")
    task = find(problem, "merge_sorted", difficulty=9)
    right = (
        "a = input().split()\nb = input().split()\nprint(' '.join(map(str, sorted(map(int, a + b)))), '\\n')"
    )
    assert judge(problem, task, right).score == 1.0
    for wrong in (
        "a = input().split()\nb = input().split()\nprint(*(a + b))",
        "print(*sorted(map(int, input().split())))",
        "a = input().split()\nb = input().split()\nprint(sorted(map(int, a + b)))",
        "import sys\nprint(*sorted(sys.stdin.read().split()))",
        "import sys\nsys.exit(0)",
        "import os\nprint('ok', flush=True)\nos._exit(0)",
    ):
        assert judge(problem, task, wrong).score == 0.0, wrong


# --- bug repair ---


@pytest.fixture(scope="module")
def repair():
    return load_problem("BugRepair")


def test_repaired_programs_may_differ_from_the_reference(repair):
    task = find(repair, "count_vowels", difficulty=1)
    right = 'def count_vowels(text: str) -> int:\n    # counts\n    return sum((c in "aeiou" for c in text.lower()))'
    assert judge(repair, task, right).score == 1.0
    far = "import re\ndef count_vowels(text):\n    found = re.findall('[aeiou]', text, re.IGNORECASE)\n    return len(found)"
    assert judge(repair, task, far).reason == "rule_broken"


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_buggy_program_scores_nothing(repair, difficulty):
    problem = dataclasses.replace(repair, difficulty=difficulty)
    task = problem.source(3)[0]
    buggy = task.answer["buggy"]
    assert buggy in task.prompt
    assert judge(problem, task, buggy).score == 0.0
    assert judge(problem, task, buggy + "\nimport os\nos._exit(0)").score == 0.0
    reference = extract_program(task.solution)
    distance = edit_distance(program_tokens(buggy), program_tokens(reference), 100)
    assert 1 <= distance == task.answer["edits"] - 4


def test_edit_distance_is_levenshteins():
    assert edit_distance("kitten", "sitting", 10) == 3
    assert edit_distance("kitten", "sitting", 3) == 3
    assert edit_distance("kitten", "sitting", 2) == 3  # more than 2
    assert edit_distance("", "abc", 5) == 3
    assert edit_distance("same", "same", 0) == 0
    assert edit_distance("a" * 5000, "b" * 5000, 8) == 9


def test_layout_and_comments_are_no_edits():
    plain = program_tokens("def f(x):\n    return x + 'a'")
    assert program_tokens('def f( x ):  # adds\n\n        return x+"a"\n') == plain
    assert program_tokens("def f(x):\n    return (x") is None
    assert program_tokens("def f(x):\nreturn x\n  y\n z") is None


# --- faster code ---


def test_faster_code():
    problem = load_problem("FasterCode")
    task = find(problem, "count_pairs_with_sum", difficulty=7)
    fast = (
        "from collections import Counter\n\ndef count_pairs_with_sum(numbers, target):\n    table = Counter(numbers)\n"
        "    ordered = sum(table[n] * table[target - n] for n in table)\n"
        "    return (ordered - (table[target // 2] if target % 2 == 0 else 0)) // 2"
    )
    verdict = judge(problem, task, fast)
    assert (verdict.score, verdict.details["speed"]) == (1.0, "fast")
    slow = task.answer["reference"]
    verdict = judge(problem, task, slow)
    assert (verdict.score, verdict.details["speed"]) == (0.0, "not faster")
    for wrong in (
        fast.replace(")) // 2", "))"),
        "def count_pairs_with_sum(numbers, target):\n    return 0",
        f"{slow}\nn = 1",
        # gives up where it may not fork, as while its time is taken
        f"import os\n{slow}\nif os.fork() == 0:\n    os._exit(0)",
        *(cheat.replace("{name}", "count_pairs_with_sum") for cheat in CHEATS.values()),
    ):
        assert judge(problem, task, wrong).score == 0.0, wrong


# --- data sets ---


HUMANEVAL_ROW = {
    "prompt": 'import math\n\n\ndef halve(n: int) -> int:\n    """Half of n, rounded down."""\n',
    "entry_point": "halve",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(7) == 3\n",
    "canonical_solution": "    return math.floor(n / 2)\n",
}
MBPP_ROW = {
    "text": "Write a function to halve a number.",
    "code": "def halve(n):\r\n    return n // 2",
    "test_list": ["assert halve(4) == 2", "assert halve(5) == 2", "assert halve(-1) == -1"],
    "test_setup_code": "",
    "challenge_test_list": ["assert halve(10**6) == 500000"],
}


def test_humaneval_rows():
    problem = load_problem("HumanEval", data="unused.jsonl")
    task = problem.task_from_row(Row(HUMANEVAL_ROW, "line 1", "test-1"))
    verifier = problem.make_verifier()
    assert verifier.verify(problem.answer_text(task), task).score == 1.0
    assert verifier.verify("```python\n    return n // 2\n```", task).score == 1.0  # only the rest
    assert verifier.verify("def halve(n):\n    return n >> 1", task).score == 1.0
    for wrong in ("    return None", "    return n / 2", "    return 2", "    return n // 2 + 1"):
        assert verifier.verify(f"```python\n{wrong}\n```", task).score == 0.0, wrong
    assert "check" not in task.prompt


def test_mbpp_rows_show_one_assertion():
    problem = load_problem("MBPP", data="unused.jsonl")
    task = problem.task_from_row(Row(MBPP_ROW, "line 1", "test-1"))
    verifier = problem.make_verifier()
    assert "halve(4) == 2" in task.prompt
    assert "halve(5)" not in task.prompt
    assert verifier.verify(problem.answer_text(task), task).score == 1.0
    assert verifier.verify("```python\ndef halve(n):\n    return int(n / 2)\n```", task).score == 0.0
    assert verifier.verify("```python\ndef halve(n):\n    return 2\n```", task).score == 0.0


@pytest.mark.parametrize("wrong", [{"test_list": "assert"}, {"test_list": []}, {"text": 3}])
def test_mbpp_rows_of_another_form_are_refused(wrong):
    from rlvr_gym.errors import DataError

    problem = load_problem("MBPP", data="unused.jsonl")
    with pytest.raises(DataError, match="line 7"):
        problem.task_from_row(Row(MBPP_ROW | wrong, "line 7", "test-7"))
