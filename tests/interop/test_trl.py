"""TRL: real GRPOTrainer runs on a tiny model, whose rewards are ours."""

import json
import math
import pickle

import pytest

import rlvr_gym
from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.interop.trl import (
    RLVREnvironment,
    Rollouts,
    environment_factory,
    text_of,
    to_dataset,
    trl_reward_funcs,
)
from rlvr_gym.rewards import RewardDesign
from rlvr_gym.verifier import Verifier, register_verifier

DESIGN = {"correct": 1.0, "format_strict": 0.3, "repetition": 0.5}
PROMPTS, SAMPLES = 2, 4


def train(folder, out, dataset, steps=3, max_completion_length=16, trainer_class=None, **settings):
    """A GRPOTrainer after some steps."""
    import torch
    import transformers
    import trl

    config = trl.GRPOConfig(
        output_dir=str(out), per_device_train_batch_size=PROMPTS * SAMPLES, num_generations=SAMPLES,
        max_completion_length=max_completion_length, max_steps=steps, learning_rate=1e-3, beta=0.0, report_to=[],
        logging_steps=1, save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False, disable_tqdm=True,
        dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = (trainer_class or trl.GRPOTrainer)(
        model=transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        processing_class=transformers.AutoTokenizer.from_pretrained(folder, padding_side="left"),
        args=config, train_dataset=dataset, **settings,
    )  # fmt: skip
    trainer.train()
    return trainer


class Recorder:
    """Passes a reward function's calls on, and remembers them."""

    def __init__(self, inner):
        self.inner, self.calls = inner, []
        self.__name__ = inner.__name__

    def __call__(self, **arguments):
        rewards = self.inner(**arguments)
        self.calls.append((arguments, rewards))
        return rewards


def gymnasium_reward(task_id: str, completion: str, reward, **settings) -> float:
    """The reward that the Gymnasium environment gives for the same."""
    env = rlvr_gym.make("Arithmetic", reward=reward, **settings)
    env.reset(seed=0, options={"index": int(task_id.rpartition("-")[2])})
    return env.step(completion)[1]


@pytest.mark.parametrize("chat", [True, False], ids=["conversations", "texts"])
def test_rewards_in_training_are_those_of_the_environment(tiny, tmp_path, chat):
    dataset = to_dataset("Arithmetic", 60, seed=0, difficulty=1, reward=DESIGN, chat=chat)
    dataset = dataset.filter(lambda row: json.loads(row["label"])["task"]["answer"] in ("1", "2", "3"))
    recorder = Recorder(trl_reward_funcs("Arithmetic")[0])
    trainer = train(tiny, tmp_path, dataset, reward_funcs=[recorder])
    rewards = []
    for arguments, given in recorder.calls:
        for task_id, completion, reward in zip(
            arguments["task_id"], arguments["completions"], given, strict=True
        ):
            assert reward == gymnasium_reward(task_id, text_of(completion), DESIGN, difficulty=1)
            rewards.append(reward)
    assert len(rewards) == 3 * PROMPTS * SAMPLES
    logged = [row for row in trainer.state.log_history if "reward" in row]
    means = [sum(given) / len(given) for _, given in recorder.calls]
    assert [row["reward"] for row in logged] == pytest.approx(means)
    assert all(row["rlvr/valid"] == 1.0 and "rlvr/correct" in row for row in logged)
    if chat:  # the model was taught to answer 1, 2 or 3 in conversations
        assert any(reward > 0 for reward in rewards)
        assert len(set(rewards)) > 1


def test_the_prompt_never_holds_the_answer_and_rows_survive_json():
    dataset = to_dataset("Arithmetic", 20, seed=3, difficulty=5)
    source = rlvr_gym.load_problem("Arithmetic", difficulty=5).source(3)
    for i, row in enumerate(dataset):
        assert row["prompt"][-1]["content"] == source[i].prompt
        assert json.loads(row["label"])["task"]["answer"] == source[i].answer
        assert set(row["prompt"][-1]) == {"role", "content", "task_id"}
    assert dataset.column_names == ["prompt", "label", "task_id"]


def test_a_design_takes_the_place_of_the_data_sets_and_an_environment_brings_its_own():
    row = to_dataset("Arithmetic", 1, difficulty=1, reward="binary")[0]
    right = f"<answer>{json.loads(row['label'])['task']['answer']}</answer>"
    env = rlvr_gym.make("Arithmetic", reward={"correct": 7.0}, difficulty=1)
    for given, expected in [
        (None, 1.0),
        ("Arithmetic", 1.0),
        ({"correct": 3.0}, 3.0),
        (RewardDesign.parse({"correct": 4.0}), 4.0),
        (env, 7.0),
    ]:
        (function,) = trl_reward_funcs(given)
        assert function(prompts=[row["prompt"]], completions=[right], label=[row["label"]]) == [expected]
        again = pickle.loads(pickle.dumps(function))
        assert again(prompts=[row["prompt"]], completions=[right], label=[row["label"]]) == [expected]


def test_lengths_cuts_and_steps_reach_the_design():
    label = to_dataset("Arithmetic", 1, difficulty=1)[0]["label"]
    (by_length,) = trl_reward_funcs({"length": 1.0}, eos_token_id=9)
    assert by_length([""], ["x"], [[1, 2, 9]], label=[label]) == [3.0]
    ramp = {"op": "schedule", "points": [[0, 0.0], [10, 1.0]], "of": {"term": "length"}}
    (scheduled,) = trl_reward_funcs(ramp)

    class State:
        global_step = 5

    assert scheduled([""], ["x"], [[1, 2]], label=[label], trainer_state=State()) == [1.0]


def test_attempts_at_one_task_are_compared_with_each_other_only():
    first, second = to_dataset("Arithmetic", 2, difficulty=1)["label"]
    right, wrong = (json.loads(one)["task"]["answer"] for one in (first, second))
    (function,) = trl_reward_funcs({"solve_rate": 1.0})
    completions = [f"<answer>{right}</answer>", "<answer>x</answer>", f"<answer>{wrong}</answer>"]
    assert function([""] * 3, completions, label=[first, first, second]) == [0.5, 0.5, 1.0]


@register_verifier("interop_fails")
class Fails(Verifier):
    def judge(self, completion, task):
        raise RuntimeError("engine gone")


def test_a_failed_verification_has_no_reward(monkeypatch):
    label = to_dataset("Arithmetic", 1, difficulty=7)[0]["label"]
    problem = type(rlvr_gym.load_problem("Arithmetic"))
    monkeypatch.setattr(problem, "make_verifier", lambda self: Fails())
    (function,) = trl_reward_funcs(None, timeout=9.5)  # other settings: nothing that is open already is used
    assert function(prompts=[""], completions=["<answer>1</answer>"], label=[label]) == [None]


def test_errors_say_what_to_do():
    with pytest.raises(UnknownNameError, match="Arithmetik"):
        trl_reward_funcs("Arithmetik")
    (function,) = trl_reward_funcs("Countdown")
    with pytest.raises(ConfigError, match="to_dataset"):
        function(prompts=[""], completions=[""])
    with pytest.raises(ConfigError, match="Arithmetic"):
        function(prompts=[""], completions=[""], label=to_dataset("Arithmetic", 1)["label"])
    guess = to_dataset("GuessTheNumber", 1)["label"]
    with pytest.raises(ConfigError, match="several turns"):
        trl_reward_funcs()[0](prompts=[""], completions=[""], label=guess)


def test_text_of_takes_every_form():
    assert text_of("a") == "a"
    messages = [
        {"role": "assistant", "content": "x", "reasoning_content": "t"},
        {"role": "tool", "content": "no"},
        {"role": "assistant", "content": [{"type": "text", "text": "y"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert text_of(messages) == "<think>t</think>x\ny\n"


def oracle(label: str, said: list[str]) -> str:
    """The next guess of a perfect player who has heard ``said``."""
    low, high = 1, json.loads(label)["task"]["metadata"]["largest"]
    for reply in said:
        bound = int(reply.rstrip(".").split()[-1])
        low, high = (bound + 1, high) if "higher" in reply else (low, bound - 1)
    return f"<answer>{(low + high) // 2}</answer>"


def test_an_environment_as_a_tool_plays_and_pays():
    row = to_dataset("GuessTheNumber", 1, seed=1, difficulty=2)[0]
    environment = environment_factory()()
    assert isinstance(environment, RLVREnvironment)
    assert "tool" in environment.reset(**row)
    said = []
    while not (reply := environment.act(oracle(row["label"], said))).endswith("over."):
        said.append(reply)
    assert environment.get_reward() == 1.0
    with pytest.raises(ConfigError, match="over"):
        environment.act("<answer>1</answer>")
    environment.reset(**row)
    environment.act("nonsense")
    assert environment.get_reward() == 0.0
    with pytest.raises(ConfigError, match="label"):
        environment.reset(prompt=row["prompt"])


def scripted(base, write):
    """A trainer whose model says what ``write(conversation text)`` says; everything else is TRL's."""

    class Scripted(base):
        def _generate_single_turn(self, prompt_ids, *_, **__):
            texts = [self._tokenizer.decode(ids) for ids in prompt_ids]
            return [self._tokenizer(write(text) + "<|im_end|>")["input_ids"] for text in texts], None

    return Scripted


def test_trl_calls_the_environment_as_a_tool(tiny, tmp_path):
    import trl

    dataset = to_dataset("GuessTheNumber", 4, seed=1, difficulty=1)

    def write(text: str) -> str:
        said = [part.partition("</tool_response>")[0].strip() for part in text.split("<tool_response>")[1:]]
        if any("over" in reply for reply in said):
            return "Done."
        label = dataset[0]["label"]  # all tasks go from 1 to the same number
        call = {"name": "act", "arguments": {"action": oracle(label, said)}}
        return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"

    trainer = train(
        tiny, tmp_path, dataset, steps=1, max_completion_length=1200, environment_factory=environment_factory(),
        trainer_class=scripted(trl.GRPOTrainer, write),
    )  # fmt: skip
    (row,) = [row for row in trainer.state.log_history if "reward" in row]
    assert row["rewards/RLVREnvironment/mean"] == 1.0
    assert row["tools/call_frequency"] >= 1
    assert row["tools/failure_frequency"] == 0


def test_trl_plays_conversations_and_trains_on_what_the_model_said(tiny, tmp_path):
    import trl

    dataset = to_dataset("GuessTheNumber", 4, seed=1, difficulty=1)
    rollouts = Rollouts(dataset)
    seen = []

    def spy(prompts, trainer):
        output = rollouts.rollout_func(prompts, trainer)
        seen.append((trainer, output))
        return output

    def write(text: str) -> str:
        said = [part.partition("<|im_end|>")[0].strip() for part in text.split("<|im_start|>user\n")[2:]]
        return oracle(dataset[0]["label"], said)

    trainer = train(
        tiny, tmp_path, dataset, steps=1, max_completion_length=1200, rollout_func=spy,
        reward_funcs=rollouts.reward_func, trainer_class=scripted(trl.GRPOTrainer, write),
    )  # fmt: skip
    (row,) = [row for row in trainer.state.log_history if "reward" in row]
    assert row["reward"] == 1.0
    assert seen
    for trainer, output in seen:
        assert len(output["completion_ids"]) == PROMPTS * SAMPLES
        for ids, mask in zip(output["completion_ids"], output["env_mask"], strict=True):
            assert len(ids) == len(mask)
            spoken = trainer._tokenizer.decode([i for i, own in zip(ids, mask, strict=True) if own])
            heard = trainer._tokenizer.decode([i for i, own in zip(ids, mask, strict=True) if not own])
            assert "number is" not in spoken
            assert "<answer>" not in heard
            assert heard.count("My number is") == spoken.count("<answer>") - 1


def test_rollouts_with_the_models_own_words(tiny, tmp_path):
    dataset = to_dataset("GuessTheNumber", 4, seed=1, difficulty=1)
    rollouts = Rollouts(dataset)
    trainer = train(
        tiny, tmp_path, dataset, steps=1, max_completion_length=40, rollout_func=rollouts.rollout_func,
        reward_funcs=rollouts.reward_func,
    )  # fmt: skip
    (row,) = [row for row in trainer.state.log_history if "reward" in row]
    assert 0.0 <= row["reward"] <= 1.0
    assert math.isfinite(row["grad_norm"])
    assert row["completions/max_length"] <= 40


def test_rollouts_need_to_know_the_task(tiny):
    rollouts = Rollouts(to_dataset("GuessTheNumber", 1))
    with pytest.raises(ConfigError, match="chat=True"):
        rollouts.rollout_func(["a text"], None)
