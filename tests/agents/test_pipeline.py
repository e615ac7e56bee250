"""Pipelines: what they refuse, what they write, that killing them changes nothing; and the fits inside them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from rlvr_gym.agents.config import OptimiserConfig, TrainConfig
from rlvr_gym.agents.fitting import FitConfig, fit
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.pipeline import results_table, run_pipeline
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.reward_model import RewardModel
from rlvr_gym.agents.stage_runs import StageRun, write_down
from rlvr_gym.agents.stages import Form, PipelineConfig
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.errors import ConfigError

RECIPES = Path(__file__).parents[2] / "recipes"
RUN = """
import json, sys
from rlvr_gym.agents.pipeline import run_pipeline
from rlvr_gym.agents.stages import PipelineConfig
run_pipeline(PipelineConfig.parse(json.load(open(sys.argv[1]))), sys.argv[2], resume=True, quiet=True)
"""

TRAIN: dict[str, Any] = {
    "env": {
        "id": "rlvr/Arithmetic-v0",
        "settings": {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1},
        "system_prompt": "tags",
    },
    "sampling": {"prompts_per_step": 4, "group_size": 4, "max_tokens": 8},
    "optimiser": {"micro_batch": 16},
    "eval": {"tasks": 12},
    "checkpoint": {"every": 2},
    "logging": {"tensorboard": False},
    "threads": 1,
    "device": "cpu",
    "steps": 2,
    "reward": {"correct": 1.0, "length": -0.02},  # something to learn even if nothing is right
}
FIT = {"batch_size": 16, "lr": 1e-2}
BASE = {
    "name": "base",
    "kind": "sft",
    "from": "micro",
    "examples": 800,
    "fit": FIT,
    "forms": [{"text": "{answer}"}],
}
SAMPLED = {"prompts": 40, "samples": 8, "fit": {"batch_size": 8}}
STAGES: list[dict[str, Any]] = [
    BASE,
    {"name": "zero", "kind": "rl", "from": "base"},
    {"name": "best", "kind": "best_of_n", "from": "zero", "rounds": 2, "keep": "first", **SAMPLED},
    {"name": "short", "kind": "rejection_sft", "from": "base", "teacher": "best", "keep": "shortest", **SAMPLED},
    {"name": "dpo", "kind": "dpo", "from": "base", "nll_coef": 0.1, **SAMPLED},
    {"name": "judge", "kind": "reward_model", "from": "base", **SAMPLED},
    {"name": "ppo", "kind": "rl", "from": "base",
     "train": {"algorithm": {"name": "ppo", "value": {"trunk": "own", "init": "stage:judge"}}}},
    {"name": "merged", "kind": "merge", "policies": ["zero", "dpo"], "shares": [0.75, 0.25]},
    {"name": "student", "kind": "distil", "from": "micro", "teacher": "best", **SAMPLED},
    {"name": "greedy", "kind": "evaluate", "from": "best", "train": {"eval": {"temperature": 0, "tasks": 5}}},
]  # fmt: skip


def pipeline(*stages: dict[str, Any], **train: Any) -> PipelineConfig:
    return PipelineConfig.parse({"train": {**TRAIN, **train}, "stages": list(stages)})


def without_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def weights(run: Path, stage: str) -> dict[str, torch.Tensor]:
    return load_policy(f"ckpt:{run / 'stages' / stage / 'policy'}").state_dict()


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(weight, b[key]) for key, weight in a.items())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A pipeline with every kind of stage."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run_pipeline(pipeline(*STAGES), folder, quiet=True)


def test_what_a_pipeline_writes(whole: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, rows = whole
    assert [row["stage"] for row in rows] == [stage["name"] for stage in STAGES]
    assert json.loads((folder / "results.json").read_text()) == {"stages": rows}
    assert PipelineConfig.parse(json.loads((folder / "pipeline.json").read_text())) == pipeline(*STAGES)
    by_name = {row["stage"]: row for row in rows}
    for name, row in by_name.items():
        if name == "judge":
            assert "accuracy" not in row
        else:
            measured = row["accuracy"]
            assert measured["tasks"] == (5 if name == "greedy" else 12)
            assert 0 <= measured["low"] <= measured["pass@1"] <= measured["high"] <= 1
            assert 1 <= measured["mean_length"] <= 8
    assert by_name["zero"]["details"]["steps"] == 2
    details = by_name["best"]["details"]
    assert details["sampled"] == 640
    assert 1 <= details["kept"] <= min(80, details["right"])
    judged = by_name["judge"]["details"]
    assert judged["low"] <= judged["held_out"] <= judged["high"]
    assert judged["held_out_pairs"] > 0
    assert not list(folder.rglob("fit.pt"))
    RewardModel.load(folder / "stages" / "judge" / "policy").score(
        [[{"role": "user", "content": "1+1="}]], ["2"]
    )


def test_stages_begin_where_they_are_told_to(whole: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, _ = whole
    zero, dpo = weights(folder, "zero"), weights(folder, "dpo")
    for key, weight in weights(folder, "merged").items():
        torch.testing.assert_close(weight, 0.75 * zero[key] + 0.25 * dpo[key])
    for name in ("zero", "best", "short", "dpo", "ppo", "student"):
        assert not same(weights(folder, name), weights(folder, "base")), name
    begun = json.loads((folder / "stages" / "zero" / "run" / "config.json").read_text())
    assert begun["policy"] == f"ckpt:{folder / 'stages' / 'base' / 'policy'}"
    value = json.loads((folder / "stages" / "ppo" / "run" / "config.json").read_text())["algorithm"]["value"]
    assert value["init"] == f"ckpt:{folder / 'stages' / 'judge' / 'policy'}"


def test_what_is_done_is_not_done_again(
    whole: tuple[Path, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rows = whole
    monkeypatch.setattr(StageRun, "run", lambda *_: pytest.fail("a finished stage was run"))
    assert run_pipeline(pipeline(*STAGES), folder, resume=True, quiet=True) == rows
    with pytest.raises(ConfigError, match="holds a pipeline already; resume it"):
        run_pipeline(pipeline(*STAGES), folder, quiet=True)


@pytest.mark.parametrize(
    ("change", "train", "message"),
    [
        ({**BASE, "examples": 5}, {}, "Stage base was begun with another examples; delete .*base"),
        ({**BASE, "train": {"optimiser": {"eps": 1e-6}}}, {}, r"another train\.optimiser"),
        (BASE, {"seed": 1}, r"another train\.seed"),
    ],
)
def test_other_stages_are_not_mixed_in(
    whole: tuple[Path, list[dict[str, Any]]], change: dict[str, Any], train: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_pipeline(pipeline(change, **train), whole[0], resume=True, quiet=True)


def test_stages_can_be_added_and_notes_changed(tmp_path: Path) -> None:
    run_pipeline(pipeline(BASE), tmp_path, quiet=True)
    longer = pipeline(
        {**BASE, "note": "told otherwise"},
        {"name": "again", "kind": "evaluate", "from": "base"},
        threads=None,
    )
    rows = run_pipeline(longer, tmp_path, resume=True, quiet=True)
    assert rows[0]["accuracy"] == rows[1]["accuracy"]  # the same tasks, the same random streams


def test_killed_with_sigkill_and_resumed(tmp_path: Path, whole: tuple[Path, list[dict[str, Any]]]) -> None:
    """Twice: in the middle of a fit, and in the middle of a run of the trainer."""
    config, killed = pipeline(*STAGES[:3]), tmp_path / "killed"
    (tmp_path / "c.json").write_text(json.dumps(config.to_dict()))
    for mark in ("stages/base/fit.pt", "stages/zero/run/metrics.jsonl"):
        command = [sys.executable, "-c", RUN, str(tmp_path / "c.json"), str(killed)]
        process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
        until = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < until and not _begun(killed / mark):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was to be killed in the middle"
    rows = run_pipeline(config, killed, resume=True, quiet=True)
    assert without_clock(rows) == without_clock(whole[1][:3])
    for name in ("base", "zero", "best"):
        assert same(weights(killed, name), weights(whole[0], name)), name


def _begun(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def test_attempts_are_not_sampled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = pipeline(BASE, STAGES[4] | {"nll_coef": 0.0})

    def fail(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rlvr_gym.agents.stage_runs.dpo_gradient", fail)
        with pytest.raises(KeyboardInterrupt):
            run_pipeline(config, tmp_path, quiet=True)
    written = (tmp_path / "stages" / "dpo" / "attempts.jsonl").read_bytes()
    monkeypatch.setattr("rlvr_gym.agents.stage_runs.sample_attempts", fail)
    assert run_pipeline(config, tmp_path, resume=True, quiet=True)[1]["details"]["pairs"] > 0
    assert (tmp_path / "stages" / "dpo" / "attempts.jsonl").read_bytes() == written


def test_nothing_right_is_told(tmp_path: Path) -> None:
    stage = {"name": "hopeless", "kind": "best_of_n", "from": "micro", "prompts": 2, "samples": 2}
    with pytest.raises(ConfigError, match=r"stages\.hopeless: none of 4 completions was right"):
        run_pipeline(pipeline(stage), tmp_path, quiet=True)
    pairs = {"name": "pairless", "kind": "dpo", "from": "micro", "prompts": 2, "samples": 2}
    with pytest.raises(ConfigError, match=r"stages\.pairless: among 4 completions there is no pair"):
        run_pipeline(pipeline(pairs), tmp_path / "other", quiet=True)


def test_one_process_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process"):
        run_pipeline(pipeline(BASE), tmp_path, quiet=True)


def test_every_stage_has_tasks_of_its_own_and_none_that_is_held_out() -> None:
    config = pipeline(
        BASE,
        {"name": "more", "kind": "rl", "from": "base", "train": {"env": {"settings": {"terms": 3}}}},
        {"name": "apart", "kind": "rl", "from": "base", "train": {"seed": 7, "env": "rlvr/Countdown-v0"}},
    )
    base, more, apart = (config.train_config(stage, Path()) for stage in config.stages)
    assert len({config.base_config().seed, base.seed, more.seed}) == 3
    assert more.env.settings["terms"] == 3
    assert more.eval.settings["terms"] == 2
    assert (apart.seed, apart.eval.settings) == (7, {})


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{**BASE, "kind": "magic"}], r"stages\.base: .*'magic'"),
        ([{**BASE, "exmples": 3}], r"stages\.base\.exmples: Extra inputs"),
        ([{**BASE, "name": "a/b"}], r"stages\.a/b\.name"),
        ([{**BASE, "forms": [{"text": "no place"}]}], r"stages\.base\.forms\.0: .*a form is one of"),
        ([{**BASE, "fit": {"lr": 0}}], r"stages\.base\.fit\.lr: .*got 0"),
        ([{"name": "x", "kind": "rl"}], r"stages\.x\.from: Field required"),
        ([BASE, BASE], "base is there twice"),
        ([{**BASE, "name": "tiny"}], "not named as a policy is .*got 'tiny'"),
        ([{**BASE, "from": "zero"}, STAGES[1]], r"stages\.base: 'zero' comes later"),
        ([{**BASE, "from": "base"}], r"stages\.base: 'base' comes later"),
        ([{**BASE, "from": "tinny"}], r"'tinny' is neither an earlier stage \(there is none\) nor a policy"),
        ([BASE, STAGES[5], {"name": "x", "kind": "rl", "from": "judge"}], "kind reward_model and gives no policy"),
        ([BASE, {**STAGES[8], "teacher": None}], r"stages\.student: .*distil learns from a teacher"),
        ([BASE, {**STAGES[2], "from": "base", "teacher": "base"}], "best_of_n learns from its own"),
        ([BASE, {**STAGES[3], "teacher": "base", "rounds": 2}], "rounds are for best_of_n"),
        ([BASE, {**STAGES[4], "samples": 1}], "at least 2 samples"),
        ([BASE, {"name": "m", "kind": "merge", "policies": ["base"]}], r"stages\.m\.policies"),
        ([BASE, {"name": "m", "kind": "merge", "policies": ["base"] * 2, "shares": [1, 1]}], "add up to 2"),
        ([BASE, {"name": "m", "kind": "merge", "policies": ["base"] * 2, "shares": [1]}], "as many shares; got 1"),
        ([{**BASE, "train": {"optimiser": {"lr": -1}}}], r"stages\.base\.train: .*optimiser\.lr"),
        ([{**BASE, "train": {"algorithm": "gpro"}}], r"stages\.base\.train: .*gpro"),
        ([{**BASE, "train": {"policy": "tiny"}}], "named by 'from'"),
        ([{**BASE, "train": {"algorithm": {"value": {"init": "stage:later"}}}}], "'stage:later' names no earlier stage"),
        ([], r"stages: "),
    ],
)  # fmt: skip
def test_what_is_refused(stages: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pipeline(*stages)


@pytest.mark.parametrize("text", ["- a list", "a: [", "", "3"])
def test_files_that_are_no_pipeline(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"p\.yaml"):
        PipelineConfig.from_yaml(tmp_path / "p.yaml")


def test_a_file_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        PipelineConfig.from_yaml(tmp_path / "nothing.yaml")
    (tmp_path / "p.yaml").write_text("env: rlvr/Arithmetic-v0")
    with pytest.raises(ConfigError, match=r"train: Field required.*stages: Field required.*env: Extra"):
        PipelineConfig.from_yaml(tmp_path / "p.yaml")


@pytest.mark.parametrize("name", ["r1.yaml", "long2short.yaml"])
def test_recipes_are_valid(name: str) -> None:
    config = PipelineConfig.from_yaml(RECIPES / name)
    assert PipelineConfig.parse(config.to_dict()) == config
    for stage in config.stages:
        assert make_settings(config.train_config(stage, Path())).problem.source(0)[0].prompt
    kinds = Counter(stage.kind for stage in config.stages)
    assert kinds >= (Counter(rl=2, sft=1) if name == "r1.yaml" else Counter(dpo=1, merge=1))


def test_forms_are_drawn_by_weight_and_noise_changes_digits_only() -> None:
    settings = make_settings(TrainConfig.parse(TRAIN))
    policy, rng = load_policy("micro"), np.random.default_rng(0)
    task = settings.problem.source(0)[0]

    def written(*forms: Form) -> str:
        row = write_down(settings, task, policy, list(forms), rng)
        said = [token for token, sampled in zip(row.tokens, row.mask, strict=True) if sampled]
        assert said[-1] == policy.tokenizer.eos_id
        prompt = [token for token, sampled in zip(row.tokens, row.mask, strict=True) if not sampled]
        assert prompt == policy.tokenizer.encode_prompt([{"role": "user", "content": task.prompt}])
        return policy.tokenizer.decode(said)

    assert written(Form(text="tags")) == f"<think>{task.solution}</think><answer>{task.answer}</answer>"
    assert written(Form(text="boxed")).endswith(f"\\boxed{{{task.answer}}}")
    assert written(Form(text="{{{answer}}} {solution} {x}")) == f"{{{{{task.answer}}}}} {task.solution} {{x}}"
    drawn = Counter(written(Form(text="a{answer}", weight=3), Form(text="b{answer}"))[0] for _ in range(400))
    assert 260 <= drawn["a"] <= 340
    clean, noisy = written(Form()), [written(Form(noise=0.5)) for _ in range(50)]
    places = [i for i, character in enumerate(clean) if character.isdigit()]
    assert all(len(text) == len(clean) for text in noisy)
    changed = Counter(i for text in noisy for i in range(len(clean)) if text[i] != clean[i])
    assert set(changed) == set(places)
    assert sum(changed.values()) / (50 * len(places)) == pytest.approx(
        0.45, abs=0.08
    )  # one digit in ten stays


def test_forms_are_not_for_conversations() -> None:
    settings = make_settings(TrainConfig.for_env("rlvr/GuessTheNumber-v0"))
    task = settings.problem.source(0)[0]
    with pytest.raises(ConfigError, match="forms are for tasks of a single turn"):
        write_down(settings, task, load_policy("micro"), [Form()], np.random.default_rng(0))


def line(rows: list[float], model: torch.nn.Module) -> dict[str, float]:
    """Least squares, with the identity as what is to be learnt."""
    x = torch.tensor(rows)[:, None]
    loss = (model(x) - x).square().mean()
    loss.backward()
    return {"loss": float(loss.detach())}


def fresh() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(1, 1)


def test_a_fit_that_is_interrupted_ends_like_one_that_is_not(tmp_path: Path) -> None:
    rows = np.linspace(-1, 1, 21).tolist()
    config = FitConfig(epochs=3, batch_size=4, lr=0.1, warmup_steps=2)
    seen: list[list[float]] = []

    def run(model: torch.nn.Module, name: str, stop_at: int | None = None) -> dict[str, float]:
        def gradient(part: list[float]) -> dict[str, float]:
            seen.append(part)
            if len(seen) == stop_at:
                raise KeyboardInterrupt
            return line(part, model)

        return fit(
            model, rows, gradient, config, OptimiserConfig(), seed=3, folder=tmp_path / name, save_every=5
        )

    whole, parts = fresh(), fresh()
    last = run(whole, "whole")
    assert [sorted(x for part in seen[i : i + 6] for x in part) for i in (0, 6, 12)] == [rows] * 3
    assert seen[0] != seen[6]
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        run(parts, "parts", stop_at=13)
    again = fresh()
    assert run(again, "parts") == last
    assert len(seen) == 13 + 8  # from step 11 on
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    logs = [(tmp_path / name / "fit.jsonl").read_text() for name in ("whole", "parts")]
    assert logs[0] == logs[1]
    rates = [json.loads(text)["lr"] for text in logs[0].splitlines()]
    assert rates.index(max(rates)) == 2
    assert rates[-1] < 0.03 < max(rates) <= 0.1


def test_a_fit_of_nothing_and_a_fit_that_fails(tmp_path: Path) -> None:
    model = fresh()
    with pytest.raises(ConfigError, match="the set of examples is empty"):
        fit(
            model, [], lambda part: line(part, model), FitConfig(), OptimiserConfig(), seed=0, folder=tmp_path
        )
    with pytest.raises(TrainingError, match=r"Step 1: the loss \(nan\).*lower fit\.lr"):
        fit(
            model, [float("nan")], lambda part: line(part, model), FitConfig(), OptimiserConfig(), seed=0,
            folder=tmp_path,
        )  # fmt: skip


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rlvr_gym.cli.main import run

    recipe = tmp_path / "small.yaml"
    recipe.write_text(yaml.safe_dump({"train": TRAIN, "stages": [{**BASE, "note": "[a] note"}]}))
    assert run(["pipeline", str(recipe), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "95 % interval" in out
    assert "[a] note" in out
    assert "results.json" in out
    assert run(["pipeline", str(recipe), "--run-dir", str(tmp_path / "run")]) == 2
    assert "holds a pipeline already" in capsys.readouterr().err
    assert run(["pipeline", str(recipe), "--run-dir", str(tmp_path / "run"), "--resume"]) == 0
    assert "base: held-out accuracy" in capsys.readouterr().out
    assert run(["pipeline", str(recipe), "--resume"]) == 2
    assert "--resume needs --run-dir" in capsys.readouterr().err


def test_the_table_tells_every_kind(whole: tuple[Path, list[dict[str, Any]]]) -> None:
    from rich.console import Console

    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(results_table(whole[1]))
    text = console.export_text()
    assert len(text.splitlines()) == 1 + len(STAGES)
    for told in (
        "800 demonstrations",
        "2 steps of RL",
        "of 640 completions",
        "pairs; ",
        "others ordered",
        "merge",
    ):
        assert told in text
