"""Cells: their keys, and that what is done stays done, what was killed goes on, what crashes harms nobody else."""

import json
import multiprocessing
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest
import yaml

from rlvr_gym.agents.logging import is_wall_clock
from rlvr_gym.bench import BenchConfig, make_plan, run_plan
from rlvr_gym.bench.runner import _reason
from rlvr_gym.bench.worker import run_cell
from rlvr_gym.cli.main import run
from rlvr_gym.errors import ConfigError


def plan_of(config, **changes):
    return make_plan(BenchConfig.parse({**config, **changes}))


def keys_of(plan):
    return list(plan.unique())


def test_a_key_follows_the_content(tiny_bench):
    keys = keys_of(plan_of(tiny_bench))
    assert len(set(keys)) == 2
    assert keys == keys_of(plan_of(tiny_bench, name="another name"))
    base = tiny_bench["base"]
    quiet = {**base, "logging": {"rollouts": 0}, "threads": 2, "checkpoint": {"every": 3}}
    assert keys == keys_of(plan_of(tiny_bench, base=quiet))
    for changed in ({"steps": 5}, {"eval": {"tasks": 4, "every": 1}}, {"sft": {"steps": 4, "batch_size": 4}}):
        assert set(keys).isdisjoint(keys_of(plan_of(tiny_bench, base={**base, **changed})))
    assert set(keys).isdisjoint(keys_of(plan_of(tiny_bench, version="2")))


def test_warm_starts_are_shared_by_designs_and_algorithms(tiny_bench):
    plan = plan_of(
        tiny_bench,
        seeds=2,
        algorithms={"a": "grpo", "b": {"algorithm": "ppo", "optimiser.lr": 0.1, "sampling.group_size": 4}},
    )
    assert len(plan.unique()) == 8
    assert len(plan.starts) == 2
    assert all(cell.config.sft.steps == 0 for cell in plan.unique().values())
    assert {start.config.sft.steps for start in plan.starts.values()} == {3}
    assert {start.config.steps for start in plan.starts.values()} == {0}
    longer = {"prompt": "terse", "terms": 3}
    two = plan_of(tiny_bench, environments={"a": {}, "b": {"env.settings": longer}})
    assert len(two.starts) == 2


def test_another_environment_brings_its_own_settings(tiny_bench):
    plan = plan_of(tiny_bench, environments={"sums": {}, "counts": "rlvr/Countdown-v0"})
    sums, _, counts, _ = plan.unique().values()
    assert sums.config.env.settings["terms"] == 2
    assert counts.config.env.settings == {}
    assert counts.config.env.system_prompt == "tags"


def test_the_reward_is_watched_as_the_proxy_and_a_design_as_the_true_metric(tiny_bench):
    plan = plan_of(tiny_bench, truth={"design": {"score": 1.0}})
    rewards = [cell.config.eval.rewards for cell in plan.unique().values()]
    assert rewards[0] == {"proxy": "binary", "truth": {"score": 1.0}}
    assert rewards[1]["proxy"] == {"finished": 1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"designs": {"x": "no such design"}}, "no such design"),
        ({"base": {"env": "rlvr/Arithmetic-v0", "lr": 1}}, r"cell \(sums, binary, grpo, seed 0\)"),
        ({"base": {"env": "rlvr/Arithmetic-v0"}}, "set eval.every"),
        ({"designs": {"x": {"reward": "binary", "range": [1, 1]}}}, "range"),
        ({"truth": "length"}, "truth"),
        ({"environments": {"sums": {"env.settings": {"terms": 99}}}}, "terms is 0 or goes from 2 to 50"),
        ({"environments": {"x": "rlvr/NoSuch-v0"}}, "NoSuch"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_wrong_benchmarks_are_told_before_anything_runs(tiny_bench, changes, message):
    with pytest.raises(ConfigError, match=message):
        plan_of(tiny_bench, **changes)


def rows(path):
    return [
        {key: value for key, value in json.loads(line).items() if not is_wall_clock(key)}
        for line in path.read_text().splitlines()
    ]


def test_a_killed_cell_goes_on_and_what_is_done_is_kept(tiny_bench, tmp_path):
    tiny_bench["base"]["steps"] = 12
    plan = plan_of(tiny_bench, designs={"binary": "binary"})
    (cell,) = plan.unique().values()
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert [o.status for o in run_plan(plan, whole, 1)] == ["done", "done"]

    run_plan(type(plan)(plan.starts, {}), killed, 1)  # nothing needs the start alone, so it is kept for later
    (start,) = plan.starts.values()
    run_in_process(start.config.to_dict(), start.folder(killed))
    folder = cell.folder(killed)
    process = multiprocessing.get_context("spawn").Process(
        target=run_cell, args=(cell.runnable(killed).to_dict(), str(folder))
    )
    process.start()
    deadline = time.monotonic() + 120
    metrics = folder / "metrics.jsonl"
    while process.is_alive() and not (metrics.exists() and metrics.read_text().count("\n") >= 3):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -9
    assert not cell.done(killed)

    assert [o.status for o in run_plan(plan, killed, 1)] == ["kept", "done"]
    for name in ("metrics.jsonl", "eval.jsonl", "rollouts.jsonl"):
        assert rows(folder / name) == rows(cell.folder(whole) / name)
    assert {o.status for o in run_plan(plan, killed, 1)} == {"kept"}


def run_in_process(config, folder):
    process = multiprocessing.get_context("spawn").Process(target=run_cell, args=(config, str(folder)))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_a_crash_is_reported_and_stops_nobody(tiny_bench, tmp_path, capsys):
    config = {
        **tiny_bench,
        "environments": {"sums": {}, "broken": {"policy": "ckpt:/nowhere", "sft.steps": 0}},
        "designs": {"binary": "binary"},
    }
    file = tmp_path / "bench.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    out = tmp_path / "out"
    figures = tmp_path / "figures"
    assert run(["bench", str(file), "--out", str(out), "--jobs", "2", "--figures", str(figures)]) == 1
    shown = capsys.readouterr()
    assert "nowhere" in shown.out
    written = json.loads((out / "bench.json").read_text())["experiments"]["tiny"]
    assert [arm["seeds"] for arm in written["arms"]] == [[0], []]
    assert "nowhere" in written["failures"][0]
    assert any("nothing can be concluded" in text for text in written["warnings"])
    assert "nowhere" in (out / "report.html").read_text()
    drawn = {path.stem: ElementTree.parse(path).getroot() for path in figures.iterdir()}
    assert {"tiny-truth", "tiny-length"} <= set(drawn)
    assert "True metric" in "".join(drawn["tiny-truth"].itertext())


def test_cells_die_with_a_benchmark_that_is_killed(tiny_bench, tmp_path):
    tiny_bench["base"]["steps"] = 100_000
    tiny_bench["base"]["sft"] = {"steps": 0}
    file, out = tmp_path / "bench.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump(tiny_bench))
    command = [sys.executable, "-m", "rlvr_gym", "bench", str(file), "--out", str(out)]
    bench = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        metrics = grown(out, 0)
        with pytest.raises(ConfigError, match="Another benchmark is at work"):
            run_plan(plan_of(tiny_bench), out, 1)
    finally:
        bench.kill()
        bench.wait()
    time.sleep(2)
    size = metrics.stat().st_size
    time.sleep(2)
    assert metrics.stat().st_size == size


def grown(out, size):
    """The first metrics file, once it is larger than this."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for metrics in out.glob("cells/*/metrics.jsonl"):
            if metrics.stat().st_size > size:
                return metrics
        time.sleep(0.1)
    raise AssertionError("no cell began")


def test_nothing_to_report_is_an_error(tiny_bench, tmp_path, capsys):
    file = tmp_path / "bench.yaml"
    file.write_text(yaml.safe_dump(tiny_bench))
    assert run(["bench", str(file), "--out", str(tmp_path / "out"), "--report-only"]) == 2
    assert "nothing to report" in capsys.readouterr().err.replace("\n", " ")
    assert run(["bench", str(file), "--only", "nothing"]) == 2
    assert "tiny" in capsys.readouterr().err


def test_why_a_process_died(tmp_path):
    assert _reason(tmp_path, -9) == "it was killed by SIGKILL"
    assert "log.txt" in _reason(tmp_path, 3)
    (tmp_path / "error.json").write_text('{"error": "TrainingError: the loss is nan"}')
    assert _reason(tmp_path, 1) == "TrainingError: the loss is nan"
