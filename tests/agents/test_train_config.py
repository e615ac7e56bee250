from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from rlvr_gym.agents.config import ALGORITHMS, TrainConfig
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.errors import ConfigError, UnknownNameError

RECIPES = Path(__file__).parents[2] / "recipes"
RUNS = sorted(path for path in RECIPES.glob("*.yaml") if "\nstages:" not in path.read_text(encoding="utf-8"))


def write(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_and_overrides(tmp_path: Path) -> None:
    path = write(
        tmp_path, "env: rlvr/Arithmetic-v0\nalgorithm: dapo\noptimiser: {lr: 1.0e-4, warmup_steps: 7}\n"
    )
    config = TrainConfig.from_yaml(
        path, **{"optimiser.lr": 2e-4, "steps": 3, "env": {"settings": {"terms": 2}}}
    )
    assert (config.optimiser.lr, config.optimiser.warmup_steps, config.steps) == (2e-4, 7, 3)
    assert config.env.id == "rlvr/Arithmetic-v0"
    assert config.env.settings == {"terms": 2}
    assert config.algorithm.dynamic_sampling


def test_bare_names(tmp_path: Path) -> None:
    config = TrainConfig.from_yaml(write(tmp_path, "env: rlvr/Arithmetic-v0\nalgorithm: rloo\n"))
    assert (config.env.id, config.algorithm.advantage) == ("rlvr/Arithmetic-v0", "rloo")


def test_a_named_algorithm_sets_what_it_says_and_fields_beside_it_win() -> None:
    for name, fields in ALGORITHMS.items():
        algorithm = TrainConfig.for_env("x", algorithm=name).algorithm
        assert algorithm.name == name
        assert all(getattr(algorithm, key) == value for key, value in fields.items())
    dapo = TrainConfig.for_env("x", algorithm={"name": "dapo", "eps_high": 0.4}).algorithm
    assert (dapo.loss, dapo.eps_high, dapo.dynamic_sampling) == ("dapo", 0.4, True)


def test_round_trip() -> None:
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0", algorithm="rloo", reward={"correct": 1.0}, **{"env.settings": {"a.b": 1}}
    )
    assert TrainConfig.parse(config.to_dict()) == config
    assert config.env.settings == {"a.b": 1}


def test_replace_swaps_a_reward_whole() -> None:
    config = TrainConfig.for_env("x", reward={"correct": 1.0}, algorithm="dapo")
    changed = config.replace(reward={"score": 1.0}, seed=3)
    assert changed.reward == {"score": 1.0}
    assert changed.algorithm == config.algorithm
    assert changed.seed == 3


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"steps": -1}, r"steps: .* got -1"),
        ({"optimiser.lr": "fast"}, r"optimiser\.lr: .* got 'fast'"),
        ({"optimiser.rate": 1}, r"optimiser\.rate"),
        ({"sampling.temperature": 0}, r"sampling\.temperature"),
        ({"algorithm": {"loss": "mse"}}, r"algorithm\.loss"),
        ({"algorithm": 7}, r"algorithm"),
    ],
)
def test_wrong_fields_are_told_by_their_place(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig.for_env("x", **overrides)


def test_unknown_algorithm() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean .*\bgrpo"):
        TrainConfig.for_env("x", algorithm="gpro")


@pytest.mark.parametrize("text", ["- a list", "a: [", "", "3"])
def test_files_that_are_no_config(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        TrainConfig.from_yaml(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        TrainConfig.from_yaml(tmp_path / "nothing.yaml")


def test_every_field_is_described() -> None:
    def check(model: type[BaseModel]) -> None:
        for name, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{name}"
            if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
                check(info.annotation)

    check(TrainConfig)


@pytest.mark.parametrize("path", RUNS, ids=lambda p: p.name)
def test_recipes_are_valid(path: Path) -> None:
    config = TrainConfig.from_yaml(path)
    settings = make_settings(config)
    assert settings.problem.source(config.seed)[0].prompt
