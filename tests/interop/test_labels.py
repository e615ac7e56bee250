"""Labels: what travels in other people's rows."""

import json
import pickle
import subprocess
import sys

import pytest

import rlvr_gym
from rlvr_gym.errors import ConfigError, DataError, UnknownNameError
from rlvr_gym.interop import RewardSpec, Scorer, VerificationFailedError, examples, make_label, read_label
from rlvr_gym.interop.scoring import Scored, or_else
from rlvr_gym.rewards import Reward
from rlvr_gym.verdict import Reason, Verdict


def test_a_spec_of_an_id_a_problem_and_an_environment_is_the_same():
    by_id = RewardSpec.of("Countdown", difficulty=4, reward="r1")
    by_problem = RewardSpec.of(rlvr_gym.load_problem("Countdown", difficulty=4), reward="r1")
    by_env = RewardSpec.of(rlvr_gym.make("Countdown", difficulty=4, reward="r1"))
    assert by_id.env == by_problem.env == by_env.env == "rlvr/Countdown-v0"
    assert by_id.make_problem() == by_problem.make_problem() == by_env.make_problem()
    assert by_id.reward == by_problem.reward == by_env.reward
    assert RewardSpec.from_json(by_env.to_json()) == by_env


def test_a_pair_of_difficulties_survives_json():
    spec = RewardSpec.of("Countdown", difficulty=(2, 5))
    again = RewardSpec.from_json(spec.to_json())
    assert (
        again.make_problem().source(1)[3]
        == rlvr_gym.load_problem("Countdown", difficulty=(2, 5)).source(1)[3]
    )


def test_a_label_holds_the_task_without_its_solution():
    spec = RewardSpec.of("Arithmetic", difficulty=2)
    (example,) = examples(spec, 1, seed=7)
    read_spec, task = read_label(example.label)
    assert read_spec == spec
    assert (task.prompt, task.answer, task.id) == (example.task.prompt, example.task.answer, example.task.id)
    assert task.solution is None
    assert example.task.solution not in example.label
    assert make_label(read_spec, task) == example.label


@pytest.mark.parametrize(
    "label", ["", "null", "[]", "{}", '{"spec": {}, "task": 3}', '{"spec": {"x": 1}, "task": {}}', "[" * 100_000, 7, None]
)  # fmt: skip
def test_what_is_no_label_is_told(label):
    with pytest.raises(DataError, match="label"):
        read_label(label)


def test_wrong_settings_are_told_where_they_are_given():
    with pytest.raises(ConfigError, match="no setting"):
        RewardSpec.of("Countdown", colour="red")
    with pytest.raises(UnknownNameError):
        RewardSpec.of("Countdown", reward="no such design")
    with pytest.raises(ConfigError, match="with an id only"):
        RewardSpec.of(rlvr_gym.load_problem("Countdown"), difficulty=3)
    with pytest.raises(ConfigError, match="none of them"):
        list(examples(RewardSpec.of("Countdown"), 0))


def test_the_scorer_scores_several_environments_at_once_in_order():
    rows = [*examples(RewardSpec.of("Arithmetic"), 3), *examples(RewardSpec.of("Countdown"), 3)][::-1]
    right = [rlvr_gym.load_problem(read_label(r.label)[0].env).answer_text(r.task) for r in rows]
    scorer = pickle.loads(pickle.dumps(Scorer()))
    scored = scorer([r.label for r in rows] * 2, [f"<answer>{a}</answer>" for a in right] + ["?"] * 6)
    assert [one.total for one in scored] == [1.0] * 6 + [0.0] * 6
    assert [one.verdict.correct for one in scored] == [True] * 6 + [False] * 6


def test_a_design_that_compares_needs_groups():
    (row,) = examples(RewardSpec.of("Arithmetic", reward={"solve_rate": 1.0}), 1)
    with pytest.raises(ConfigError, match="compares"):
        Scorer().one(row.label, "x")
    assert [s.total for s in Scorer()([row.label] * 2, ["x", "y"], groups=[0, 0])] == [0.0, 0.0]


def test_without_a_reward_there_is_a_stand_in_or_an_error():
    failed = Scored(Verdict.failed(Reason.TIMEOUT), Reward(float("nan")))
    assert failed.total is None
    assert or_else(failed, -1.0, "") == -1.0
    with pytest.raises(VerificationFailedError, match=r"timeout.*Mend it\."):
        or_else(failed, None, "Mend it.")


def test_processes_judge_as_this_one_does_and_a_fork_makes_its_own():
    (row,) = examples(RewardSpec.of("Arithmetic"), 1)
    code = (
        "import os, sys; from rlvr_gym.interop import Scorer; s = Scorer('process');"
        "label, right = sys.argv[1:]; assert s.one(label, right).total == 1.0; pid = os.fork();\n"
        "if pid == 0: os._exit(0 if s.one(label, right).total == 1.0 else 3)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    answer = f"<answer>{json.loads(row.label)['task']['answer']}</answer>"
    run = subprocess.run([sys.executable, "-c", code, row.label, answer], timeout=300, check=False)
    assert run.returncode == 0
