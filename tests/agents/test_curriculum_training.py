"""Training under a curriculum: difficulties move, solved prompts leave, and a killed run resumes to the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.logging import is_wall_clock
from rlvr_gym.agents.tasks import TaskFeed, preview_levels, task_key
from rlvr_gym.agents.trainer import Trainer, train
from rlvr_gym.curriculum import CurriculumSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import load_problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier, register_verifier

QUICK = {"window": 4, "margin": 0.05, "step": 0.5, "retire_at": 0.05, "retire_after": 4}


@register_verifier("test_lenient")
class Lenient(Verifier):
    """Everything is right but what the task forbids."""

    def judge(self, completion: str, task: Task) -> Verdict:
        return Verdict.wrong() if task.answer == "never" else Verdict.right()


def rows_file(folder: Path, count: int, answer: str = "3") -> str:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"prompt": f"{i}+{i}=", "answer": answer}) for i in range(count)))
    return str(path)


def metrics(run: Path) -> list[dict[str, Any]]:
    lines = [line for line in (run / "metrics.jsonl").read_text().splitlines() if line.endswith("}")]
    return [{k: v for k, v in json.loads(line).items() if not is_wall_clock(k)} for line in lines]


@pytest.fixture
def mixed_config(micro_config: TrainConfig, tmp_path: Path) -> TrainConfig:
    """Sums that get easier as they are failed, and a file of a few prompts."""
    sums = {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1, "difficulty": 5}
    data = {"data": rows_file(tmp_path, 40), "verifier": "test_lenient", "instruction": ""}
    parts = [
        {"env": "rlvr/Arithmetic-v0", "name": "sums", "settings": sums, "weight": [[0, 3], [8, 1]]},
        {"env": "rlvr/JSONL-v0", "name": "file", "settings": data},
    ]
    env = {
        "id": "rlvr/Mixture-v0",
        "settings": {"parts": parts, "tasks_per_step": 4},
        "curriculum": QUICK,
    }
    settings = {**micro_config.to_dict(), "env": {**micro_config.to_dict()["env"], **env}}
    return TrainConfig.parse({**settings, "sampling": {**settings["sampling"], "max_tokens": 6}, "steps": 8})


def test_difficulty_follows_and_solved_prompts_leave(mixed_config: TrainConfig, tmp_path: Path) -> None:
    train(mixed_config, tmp_path / "run", quiet=True)
    rows = metrics(tmp_path / "run")
    difficulty = [row["curriculum/sums/difficulty"] for row in rows]
    assert difficulty[0] == 5
    assert difficulty[-1] < 4, "an untrained policy solves none: down it goes"
    retired = [row["curriculum/retired"] for row in rows]
    assert 0 < retired[0] <= retired[-1] <= 40
    assert "curriculum/file/difficulty" not in rows[0]


def test_a_stopped_run_goes_on_as_if_it_had_not(mixed_config: TrainConfig, tmp_path: Path) -> None:
    train(mixed_config, tmp_path / "whole", quiet=True)
    train(mixed_config.replace(steps=3), tmp_path / "parts", quiet=True)
    train(mixed_config, tmp_path / "parts", resume=True, quiet=True)
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")


def test_killed_with_sigkill_and_resumed(
    mixed_config: TrainConfig, tmp_path: Path, run_and_kill: Any
) -> None:
    settings = mixed_config.to_dict()["env"]["settings"]
    settings["parts"][1]["settings"]["verifier"] = "rational"  # the other process does not know ours
    changes: dict[str, Any] = {"env.settings": settings, "checkpoint.every": 3, "eval.tasks": 0, "steps": 400}
    config = mixed_config.replace(**changes)
    killed = run_and_kill(config)
    steps = metrics(killed)[-1]["step"] + 4
    train(config.replace(steps=steps), killed, resume=True, quiet=True)
    train(config.replace(steps=steps), tmp_path / "whole", quiet=True)
    assert metrics(killed) == metrics(tmp_path / "whole")
    assert len({row["curriculum/sums/difficulty"] for row in metrics(killed)}) > 2


def test_when_all_are_solved_they_come_again(tmp_path: Path) -> None:
    problem = load_problem("JSONL", data=rows_file(tmp_path, 5), verifier="test_lenient")
    feed = TaskFeed(problem, 0, curriculum=CurriculumSettings(retire_after=2))
    seen = []
    for _ in range(7):
        task = feed.next()
        seen.append(task.prompt)
        feed.observe(task, [Verdict.right(), Verdict.right()])
    assert len(set(seen[:5])) == 5
    assert seen[5:] == seen[:2]


def test_unsolved_prompts_stay_and_invalid_verdicts_say_nothing(tmp_path: Path) -> None:
    problem = load_problem("JSONL", data=rows_file(tmp_path, 4), verifier="test_lenient")
    feed = TaskFeed(problem, 0, curriculum=CurriculumSettings(retire_after=2))
    hard, failed = feed.next(), feed.next()
    feed.observe(hard, [Verdict.right(), Verdict.wrong()])
    feed.observe(failed, [Verdict.failed(Reason.TIMEOUT), Verdict.right()])
    for task in feed.take(2):
        feed.observe(task, [Verdict.right()] * 2)
    assert [feed.next().prompt for _ in range(4)] == [hard.prompt, failed.prompt] * 2


def test_endless_sources_are_not_kept_count_of() -> None:
    feed = TaskFeed(load_problem("Arithmetic"), 0, curriculum=CurriculumSettings(retire_after=1))
    for task in feed.take(20):
        feed.observe(task, [Verdict.right()])
    assert feed.curriculum is not None
    assert feed.curriculum.state_dict()["tries"] == {}
    assert feed.curriculum.retired == 0


@pytest.mark.parametrize("always", [True, False])
def test_held_out_tasks_stay_out_at_every_level(
    micro_config: TrainConfig, tmp_path: Path, always: bool
) -> None:
    changes: dict[str, Any] = {"eval.tasks": 60, "env.curriculum": {**QUICK, "window": 1}}
    running = Trainer(micro_config.replace(**changes), tmp_path, resume=False, quiet=True)
    held_out = {task_key(running.settings.problem, task) for task in running.held_out.tasks}
    assert len(held_out) == 60
    levels = set()
    for _ in range(150):
        task = running.feed.next()
        levels.add(task.metadata["difficulty"])
        assert task_key(running.settings.problem, task) not in held_out
        running.feed.observe(task, [Verdict.right() if always else Verdict.wrong()])
    assert levels == (set(range(3, 11)) if always else {1, 2, 3})
    running.close()


def test_a_fresh_policy_can_read_every_level() -> None:
    problem = load_problem("Countdown", difficulty=2)
    assert {task.metadata["difficulty"] for task in preview_levels(problem, 0)} == set(range(1, 11))


def test_without_a_curriculum_nothing_changes() -> None:
    problem = load_problem("Countdown", difficulty=(2, 5))
    feed = TaskFeed(problem, 3)
    source = problem.source(3)
    assert feed.take(10) == [source[i] for i in range(10)]
    feed.observe(source[0], [Verdict.right()])
    assert feed.metrics() == {}


def test_the_config() -> None:
    config = TrainConfig.for_env("rlvr/Countdown-v0", **{"env.curriculum": {}})
    assert config.env.curriculum is not None
    assert config.env.curriculum.settings() == CurriculumSettings()
    assert TrainConfig.parse(json.loads(json.dumps(config.to_dict()))) == config
    assert TrainConfig.for_env("rlvr/Countdown-v0").env.curriculum is None
    for wrong, message in (
        ({"target": 2}, "env.curriculum.target"),
        ({"targt": 0.5}, "env.curriculum.targt"),
        ({"target": 0.9, "margin": 0.2}, "room on both sides"),
    ):
        with pytest.raises(ConfigError, match=message):
            TrainConfig.for_env("rlvr/Countdown-v0", **{"env.curriculum": wrong})
