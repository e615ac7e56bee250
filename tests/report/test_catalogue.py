"""The catalogue: what it says of an environment, and that the committed one is complete."""

from pathlib import Path

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.registration import entry, list_envs, load_problem
from rlvr_gym.report.catalogue import catalogue_text, documented_ids

COMMITTED = Path(__file__).parents[2] / "docs" / "catalogue.md"
SOME = ["rlvr/Sudoku-v0", "rlvr/MiniSudoku-v0", "rlvr/GuessTheNumber-v0", "rlvr/GSM8K-v0"]


@pytest.fixture(scope="module")
def text():
    return catalogue_text([entry(name) for name in SOME])


def section(text, name):
    return text.partition(f"### `{name}`")[2].partition("\n### ")[0]


def test_every_environment_that_is_asked_for_is_described(text):
    assert documented_ids(text) == SOME
    assert "4 environments: [logic](#logic) 2, [games](#games) 1, [math](#math) 1." in text


def test_an_example_with_its_solution_and_two_scores(text):
    told = section(text, "rlvr/Sudoku-v0")
    problem = load_problem("Sudoku")
    task = problem.source(0)[0]
    assert entry("Sudoku").summary in told
    assert task.prompt in told
    assert task.solution.splitlines()[0] in told
    assert f"**Answer**, which scores 1 (`correct`):\n\n```text\n{problem.answer_text(task)}\n```" in told
    assert "**Another task's answer**, which scores 0 (`rule_broken`):" in told


def test_settings_have_the_defaults_of_the_id_and_the_words_of_the_docstrings(text):
    told = section(text, "rlvr/MiniSudoku-v0")
    assert "| `size` | `4` |" in told
    assert "how many cells to leave empty" in told
    assert "| `difficulty` | `3` | 1 (easy) to 10 (hard)" in told


def test_a_conversation_is_shown_with_what_idling_earns(text):
    told = section(text, "rlvr/GuessTheNumber-v0")
    assert "turns: up to 10" in told
    assert "**The oracle's conversation**, which scores 1 (`correct`):" in told
    assert "[assistant]" in told
    assert 'A player who only says "I do not know." scores 0 (`max_turns`).' in told


def test_an_environment_that_needs_data_says_so(text):
    told = section(text, "rlvr/GSM8K-v0")
    assert "It needs the setting `data`" in told
    assert "**Task**" not in told


def test_the_command_writes_a_file_or_standard_output(capsys, tmp_path):
    path = tmp_path / "catalogue.md"
    assert run(["catalogue", "Palindrome", "-o", str(path)]) == 0
    assert run(["catalogue", "Palindrome"]) == 0
    printed = capsys.readouterr().out
    assert path.read_text() in printed
    assert documented_ids(path.read_text()) == ["rlvr/Palindrome-v0"]


def test_the_committed_catalogue_describes_exactly_what_is_registered():
    registered = [env.id for env in list_envs() if env.id.startswith("rlvr/")]
    listed = documented_ids(COMMITTED.read_text(encoding="utf-8"))
    assert listed == registered, "run rlvr-gym catalogue -o docs/catalogue.md"


def test_list_tells_how_many_there_are_of_each_family(capsys):
    assert run(["list", "--family", "numbers"]) == 0
    count = len(list_envs("numbers"))
    assert f"{count} environments: numbers {count}." in capsys.readouterr().out
