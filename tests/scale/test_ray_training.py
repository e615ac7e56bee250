"""Training with rollout workers on Ray: the same numbers, and the same again when workers are lost or runs resumed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.checkpoint import find_checkpoint, read_weights
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.groups import Sampler
from rlvr_gym.agents.logging import is_wall_clock
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.rollout import make_engine
from rlvr_gym.agents.run import make_policy
from rlvr_gym.agents.tasks import TaskFeed, make_settings
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import ConfigError

pytest.importorskip("ray", reason="NO RAY: pip install 'rlvr-gym[ray]'")

from rlvr_gym.agents.distributed import RaySampler, pack, unpack

pytestmark = pytest.mark.usefixtures("one_torch_thread")

MakeConfig = Callable[..., TrainConfig]
IGNORED = {"staleness"}


@pytest.fixture
def config(tiny_run: dict[str, Any]) -> MakeConfig:
    """A tiny run with some settings changed."""
    return lambda **changes: TrainConfig.parse({**tiny_run, **changes})


def on_ray(workers: int = 2, staleness: int = 0) -> dict[str, Any]:
    return {"workers": workers, "staleness": staleness, "cpus": 0.5}


def rows(folder: Path, name: str = "metrics.jsonl") -> list[dict[str, Any]]:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if not is_wall_clock(k) and k not in IGNORED}
        for line in lines
    ]


def assert_same_run(one: Path, two: Path) -> None:
    for name in ("metrics.jsonl", "eval.jsonl", "rollouts.jsonl"):
        assert rows(one, name) == rows(two, name), name
    first, second = (read_weights(find_checkpoint(folder)) for folder in (one, two))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_weights_travel_whole() -> None:
    here, there = load_policy("micro", seed=0), load_policy("micro", seed=1)
    frozen = next(iter(dict(there.named_parameters())))
    here.get_parameter(frozen).requires_grad_(False)
    before = there.get_parameter(frozen).clone()
    packed = pack(here)
    assert frozen not in packed
    for data in packed.values():
        data.flags.writeable = False  # as it is in Ray's shared memory
    unpack(there, packed)
    assert torch.equal(there.get_parameter(frozen), before)
    for name, weight in here.named_parameters():
        if name != frozen:
            assert torch.equal(there.get_parameter(name), weight)
    versions = [weight._version for weight in there.parameters()]
    unpack(there, packed)  # an engine's copy of another type follows by the version
    assert sum(weight._version for weight in there.parameters()) > sum(versions)


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize("algorithm", ["grpo", {"name": "dapo", "max_resamples": 2}], ids=["grpo", "dapo"])
def test_one_worker_without_staleness_is_the_plain_trainer(
    algorithm: Any, tmp_path: Path, config: MakeConfig
) -> None:
    train(config(algorithm=algorithm), tmp_path / "plain", quiet=True)
    train(config(algorithm=algorithm, ray=on_ray(1)), tmp_path / "ray", quiet=True)
    assert_same_run(tmp_path / "plain", tmp_path / "ray")


@pytest.mark.usefixtures("two_nodes")
def test_a_run_with_rollouts_ahead_is_reproducible_and_resumes(tmp_path: Path, config: MakeConfig) -> None:
    settings = config(ray=on_ray(2, staleness=1))
    train(settings, tmp_path / "whole", quiet=True)
    metrics = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    assert [row["staleness"] for row in metrics] == [0, 1, 1, 1, 1]
    plain = train(config(), tmp_path / "plain", quiet=True)
    assert plain.steps == 5
    assert rows(tmp_path / "plain")[1] != rows(tmp_path / "whole")[1], "older weights sample otherwise"

    real = RaySampler.sample

    def sample(self: RaySampler, step: int) -> Any:
        if step == 4:
            raise InterruptedError
        return real(self, step)

    # the newest checkpoint is that of step 2, with the work of step 3 out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RaySampler, "sample", sample)
        with pytest.raises(InterruptedError):
            train(settings, tmp_path / "parts", quiet=True)
    assert find_checkpoint(tmp_path / "parts").name == "step-000002"
    train(settings, tmp_path / "parts", resume=True, quiet=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


def make_sampler(settings: TrainConfig, **further: Any) -> Any:
    environment = make_settings(settings)
    feed = TaskFeed(environment.problem, settings.seed)
    engine = make_engine("own", make_policy(settings, environment), settings.sampling.max_rows)
    kind = RaySampler if settings.ray else Sampler
    return kind(engine, environment, feed, settings, **further)


def completions(sampler: Any, step: int) -> list[Any]:
    groups, _ = sampler.sample(step)
    return [[(t.episode.task, t.tokens, t.verdict) for t in group.trajectories] for group in groups]


@pytest.mark.usefixtures("two_nodes")
def test_what_a_lost_worker_had_is_played_by_another(config: MakeConfig) -> None:
    expected = [completions(sampler, step) for sampler in [make_sampler(config())] for step in (1, 2, 3)]
    said: list[str] = []
    sampler = make_sampler(config(ray=on_ray(2, staleness=2), steps=3), say=said.append)
    try:
        found = [
            completions(sampler, 1)
        ]  # and the work of steps 2 and 3 is out: the policy does not change here
        fleet = sampler._fleet
        worker = fleet._workers[0]
        pid = fleet._ray.get(worker.handle.__ray_call__.remote(lambda self: os.getpid()))
        os.kill(pid, signal.SIGKILL)
        lost = [share for ahead in sampler._ahead for share in ahead.work.shares if share.worker is worker]
        assert lost
        found += [completions(sampler, step) for step in (2, 3)]
    finally:
        sampler.close()
    assert found == expected


@pytest.mark.usefixtures("two_nodes")
def test_a_cluster_without_room_for_all_workers_is_used_as_it_is(
    config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlvr_gym.agents.distributed.fleet._PATIENCE_FOR_MORE", 1.0)
    said: list[str] = []
    settings = config(ray={**on_ray(4), "cpus": 1})
    expected = completions(make_sampler(config(ray=None)), 1)
    sampler = make_sampler(settings, say=said.append)
    try:
        assert completions(sampler, 1) == expected
    finally:
        sampler.close()
    assert "of 4 rollout workers are there" in said[0]


def test_a_run_survives_a_node(
    two_nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: MakeConfig
) -> None:
    settings = config(ray={**on_ray(2, staleness=1), "cpus": 1})  # a worker on each node
    train(settings, tmp_path / "whole", quiet=True)
    real = RaySampler.sample

    def sample(self: RaySampler, step: int) -> Any:
        if step == 3:
            two_nodes.kill_second()
        return real(self, step)

    monkeypatch.setattr(RaySampler, "sample", sample)
    two_nodes.complete()
    train(settings, tmp_path / "hurt", quiet=True)
    assert_same_run(tmp_path / "whole", tmp_path / "hurt")


@pytest.mark.usefixtures("two_nodes")
def test_it_learns_with_rollouts_one_step_behind(tmp_path: Path, config: MakeConfig) -> None:
    """From nothing, with a reward for ending; other seeds go from about 0.2 to 0.99 or more as well."""
    settings = config(
        ray=on_ray(2, staleness=1),
        reward={"term": "finished"},
        sft={"steps": 0},
        sampling={"prompts_per_step": 8, "group_size": 8, "max_tokens": 24},
        algorithm={"name": "grpo", "minibatches": 2},
        optimiser={"lr": 3e-3, "micro_batch": 8, "warmup_steps": 1},
        eval={"tasks": 0},
        checkpoint={"every": 100},
        steps=30,
    )
    assert settings.algorithm.importance_cap == 2.0
    train(settings, tmp_path / "run", quiet=True)
    reward = [row["reward"] for row in rows(tmp_path / "run")]
    assert sum(reward[:3]) / 3 < 0.5
    assert sum(reward[-3:]) / 3 > 0.9


def test_staleness_brings_importance_sampling(config: MakeConfig) -> None:
    assert config().algorithm.importance_cap is None
    stale = config(ray=on_ray(1, 1))
    assert (stale.algorithm.recompute_old, stale.algorithm.importance_cap) == (True, 2.0)
    assert (
        config(ray=on_ray(1, 1), algorithm={"name": "dapo", "importance_cap": 3.0}).algorithm.importance_cap
        == 3.0
    )
    assert TrainConfig.parse(stale.to_dict()) == stale
    assert stale.replace(steps=2).algorithm == stale.algorithm
    with pytest.raises(ConfigError, match=r"older weights: set algorithm\.importance_cap"):
        config(ray=on_ray(1, 1), algorithm={"importance_cap": None})


def test_without_ray_rollouts_are_sampled_here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: MakeConfig,
) -> None:
    train(config(steps=2), tmp_path / "plain", quiet=True)
    monkeypatch.setattr("rlvr_gym.agents.trainer.ray_is_installed", lambda: False)
    train(config(steps=2, ray=on_ray(2)), tmp_path / "run")
    assert "Ray is not installed, so rollouts are sampled here" in capsys.readouterr().out
    assert_same_run(tmp_path / "plain", tmp_path / "run")


def test_torchrun_and_ray_do_not_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: MakeConfig
) -> None:
    from rlvr_gym.agents.world import World

    monkeypatch.setattr(World, "join", classmethod(lambda cls, *_: cls(0, 2)))
    monkeypatch.setattr(World, "barrier", lambda self: None)
    with pytest.raises(ConfigError, match="without torchrun"):
        train(config(ray=on_ray(1)), tmp_path / "run", quiet=True)
