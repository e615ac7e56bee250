"""Lengths in prompts: the same for a task everywhere, stated, and found by the reward terms."""

import json
import pickle
import re

import pytest

import rlvr_gym
from rlvr_gym import ConfigError, RewardDesign, Rollout, Verdict, load_problem
from rlvr_gym.env import EnvSettings

ID = "rlvr/LengthConditioned-v0"


def problem(env="rlvr/Arithmetic-v0", **settings):
    return load_problem(ID, env=env, **settings)


def stated(prompt):
    return int(re.search(r"Think for (?:at most )?(\d+) tokens\.$", prompt)[1])


@pytest.mark.parametrize("form", ["exact", "max"])
def test_the_length_is_stated_and_known_to_the_reward(form):
    source = problem(low=50, high=60, form=form, settings={"difficulty": 2}).source(3)
    plain = load_problem("Arithmetic", difficulty=2).source(3)
    lengths = []
    for i in range(40):
        task = source[i]
        assert task.prompt.startswith(plain[i].prompt + "\n\nThink for ")
        assert ("at most" in task.prompt) == (form == "max")
        assert stated(task.prompt) == task.metadata["target_length"]
        assert (task.answer, task.solution) == (plain[i].answer, plain[i].solution)
        lengths.append(task.metadata["target_length"])
    assert set(lengths) <= set(range(50, 61))
    assert len(set(lengths)) > 5
    assert len({source[i].id for i in range(40)}) == 40


def test_lengths_are_spread_evenly():
    source = problem(low=1, high=4, settings={"difficulty": 9}).source(0)
    lengths = [source[i].metadata["target_length"] for i in range(2000)]
    assert all(430 < lengths.count(n) < 570 for n in (1, 2, 3, 4))


def test_a_task_has_the_same_length_in_every_stream(tmp_path):
    rows = "".join(json.dumps({"prompt": f"Say {i}.", "answer": str(i)}) + "\n" for i in range(20))
    (tmp_path / "rows.jsonl").write_text(rows)
    settings = {"data": str(tmp_path / "rows.jsonl")}
    streams = [problem("rlvr/JSONL-v0", settings=settings).source(seed) for seed in (0, 1)]
    assert streams[0].length == 20
    prompts = [sorted(task.prompt for task in stream) for stream in streams]
    assert prompts[0] == prompts[1]


def test_one_length_for_all():
    source = problem(low=512, high=512).source(0)
    assert {stated(source[i].prompt) for i in range(9)} == {512}


def test_in_environments_of_gymnasium():
    settings = {"env": "Arithmetic", "low": 10, "high": 20, "reward": {"lcpo_exact": 1.0}}
    env = rlvr_gym.make(ID, **settings)
    prompt, _ = env.reset(seed=0)
    answer = env.unwrapped.task.answer
    _, reward, terminated, _, _ = env.step(f"<answer>{answer}</answer>")
    assert terminated
    assert reward == pytest.approx(1 - 3e-4 * (stated(prompt) - 1))  # one word
    envs = rlvr_gym.make_vec(ID, num_envs=2, **settings)
    prompts, _ = envs.reset(seed=0)
    assert prompts[0] == prompt
    assert prompts[1] == rlvr_gym.make(ID, **settings).reset(seed=1)[0]


def test_training_takes_it_by_its_id():
    config = pytest.importorskip("rlvr_gym.agents.config")
    from rlvr_gym.agents.tasks import TaskFeed, held_out_tasks, make_settings

    settings = {"env": "rlvr/Arithmetic-v0", "low": 8, "high": 16, "settings": {"prompt": "terse"}}
    run = config.TrainConfig.for_env(ID, env={"settings": settings}, reward="lcpo_exact")
    made = make_settings(run)
    held_out = held_out_tasks(make_settings(run, held_out=True), run.eval.seed, 5)
    tasks = TaskFeed(made.problem, 0, held_out).take(5)
    assert all(8 <= task.metadata["target_length"] <= 16 for task in [*tasks, *held_out])


def settings_of(made):
    return EnvSettings(
        made,
        reward="binary",
        observation="text",
        system_prompt="plain",
        max_turns=None,
        executor="inline",
        verify_timeout=5.0,
        problem_settings={},
    )


def test_dialogues_stay_what_they_are():
    guess = problem("rlvr/GuessTheNumber-v0")
    assert guess.several_turns
    settings = settings_of(guess)
    episode = settings.begin(guess.source(0)[0])
    while not episode.done and episode.pending is None:
        episode.act(episode.problem.oracle(episode.task, episode.state))
    settings.judge([episode])
    assert episode.verdict.correct


def test_mixtures_stay_what_they_are():
    parts = [{"env": "rlvr/Arithmetic-v0"}, {"env": "rlvr/Countdown-v0"}]
    mixed = problem("rlvr/Mixture-v0", settings={"parts": parts})
    settings = settings_of(mixed)
    for i in range(6):
        task = mixed.source(0)[i]
        episode = settings.begin(task)
        episode.act(f"<answer>{mixed.answer_text(task)}</answer>")
        settings.judge([episode])
        assert episode.verdict.correct
        assert task.metadata["part"] in mixed.components()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"env": ""}, "needs env"),
        ({"env": "rlvr/Arithmetic-v0", "settings": 3}, "as a mapping"),
        ({"env": "rlvr/Arithmetic-v0", "low": 9, "high": 8}, "0 < low <= high"),
        ({"env": "rlvr/Arithmetic-v0", "low": 0}, "0 < low <= high"),
        ({"env": "rlvr/Arithmetic-v0", "form": "min"}, "form is one of exact, max"),
        ({"env": ID}, "cannot stand around itself"),
        ({"env": "rlvr/Arithmetic-v0", "settings": {"difficulty": 99}}, "difficulty goes from"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        load_problem(ID, **settings)


def test_it_pickles_and_saved_rollouts_keep_the_target():
    made = problem(low=10, high=20)
    task = pickle.loads(pickle.dumps(made)).source(0)[0]
    assert task == made.source(0)[0]
    saved = json.loads(json.dumps(Rollout(task, "5", Verdict.right(), 15).to_row()))
    design = RewardDesign.parse("lcpo_exact")
    wanted = 1 - 3e-4 * abs(task.metadata["target_length"] - 15)
    assert design([Rollout.from_row(saved)])[0].total == pytest.approx(wanted)
