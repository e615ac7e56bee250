"""Tasks, sources, and the addressing of tasks by seed and index."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from rlvr_gym import DataError, ListSource, SeedError, Task, load_problem
from rlvr_gym.task import task_rng

FULL = Task(
    prompt="Wie viel ist ½ + ½? 𝟙 \u202e",
    answer={"numbers": [1, 2.5, None], "text": "é\x00"},
    id="x-1",
    metadata={"difficulty": 3, "b": [1], "a": {}},
    solution="½ + ½ = 1",
)


def test_json_round_trip():
    assert Task.from_json(FULL.to_json()) == FULL
    assert Task.from_json(Task("p", "a").to_json()) == Task("p", "a")
    assert "\n" not in FULL.to_json()


def test_equal_tasks_give_equal_bytes():
    other = dataclasses.replace(FULL, metadata=dict(reversed(FULL.metadata.items())))
    assert other.to_json() == FULL.to_json()


@pytest.mark.parametrize("answer", [{1, 2}, float("nan"), float("inf"), object(), b"x"])
def test_what_json_cannot_carry_is_refused(answer):
    with pytest.raises(DataError, match="'x' is not JSON"):
        Task("p", answer, id="x").to_json()


@pytest.mark.parametrize(
    "row", [{}, {"prompt": "p"}, {"answer": 1}, {"prompt": "p", "answer": 1, "extra": 2}]
)
def test_rows_with_other_keys_are_refused(row):
    with pytest.raises(DataError, match="A task needs 'prompt' and 'answer'"):
        Task.from_dict(row)


def test_tasks_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.prompt = "other"


def test_the_generator_is_that_of_a_seed_sequence_over_seed_and_index():
    for seed, index in [(0, 0), (0, 1), (1, 0), (7, 2**32 - 1), (2**32 - 1, 7)]:
        reference = np.random.default_rng(np.random.SeedSequence([seed, index]))
        assert (task_rng(seed, index).integers(2**63, size=4) == reference.integers(2**63, size=4)).all()


def test_neighbouring_seeds_share_nothing():
    draws = [int(task_rng(seed, index).integers(2**63)) for seed in range(30) for index in range(30)]
    assert len(set(draws)) == len(draws)


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1), (2**32, 0), (0, 2**32)])
def test_seeds_beyond_32_bits_are_refused(seed, index):
    with pytest.raises(SeedError, match=f"seed={seed}, index={index}"):
        task_rng(seed, index)


def test_any_index_alone_is_the_index_in_sequence():
    problem = load_problem("rlvr/Arithmetic-v0", difficulty=(1, 10))
    in_sequence = [task.to_json() for task, _ in zip(problem.source(5), range(20), strict=False)]
    alone = [problem.source(5)[index].to_json() for index in reversed(range(20))][::-1]
    assert in_sequence == alone
    assert {Task.from_json(text).id.rpartition("-")[2] for text in alone} == {str(i) for i in range(20)}


def test_neighbouring_streams_are_disjoint_and_settings_change_ids():
    problem = load_problem("rlvr/Arithmetic-v0", difficulty=10)
    one, two = ({problem.source(seed)[i].prompt for i in range(200)} for seed in (1, 2))
    assert not one & two
    assert load_problem("rlvr/Arithmetic-v0", difficulty=9).source(1)[0].id != problem.source(1)[0].id


def test_a_bad_seed_is_told_before_the_first_task():
    with pytest.raises(SeedError):
        load_problem("rlvr/Arithmetic-v0").source(-1)


def test_the_same_bytes_in_other_processes_and_under_other_hash_seeds():
    script = (
        "from rlvr_gym import load_problem\n"
        "source = load_problem('rlvr/Arithmetic-v0', difficulty=(1, 10)).source(3)\n"
        "print(*[source[i].to_json() for i in range(20)], sep='\\n')"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for hash_seed in ("0", "1", "12345")
    }
    source = load_problem("rlvr/Arithmetic-v0", difficulty=(1, 10)).source(3)
    assert outputs == {"".join(source[i].to_json() + "\n" for i in range(20)).encode()}


def test_endless_sources_have_no_length():
    source = load_problem("rlvr/Arithmetic-v0").source(0)
    assert source.length is None
    with pytest.raises(TypeError, match="endless"):
        len(source)


def test_list_sources():
    tasks = [Task(str(n), n) for n in range(50)]
    assert list(ListSource(tasks)) == tasks
    shuffled = list(ListSource(tasks, seed=1))
    assert shuffled != tasks
    assert sorted(shuffled, key=lambda task: task.answer) == tasks
    assert shuffled == list(ListSource(tasks, seed=1)) != list(ListSource(tasks, seed=2))
    assert len(ListSource(tasks)) == 50
    for index in (-1, 50):
        with pytest.raises(IndexError, match="50 tasks"):
            ListSource(tasks)[index]
