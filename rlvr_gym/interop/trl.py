"""TRL (github.com/huggingface/trl, 1.16): reward functions, data sets, tool environments and rollouts.

Single-turn environments::

    trl.GRPOTrainer(
        model, reward_funcs=trl_reward_funcs("Countdown"), train_dataset=to_dataset("Countdown", 10_000, seed=0), ...
    )

Those of several turns come in two ways. :func:`environment_factory` makes the environment a tool, which models that
were trained to call tools can use. :class:`Rollouts` plays plain conversations: the model's messages are the actions,
and the environment's messages are masked out of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.env import TextEnv
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError, MissingExtraError, UnknownNameError
from rlvr_gym.executor import Executor
from rlvr_gym.interop.labels import EnvLike, RewardLike, RewardSpec, examples, read_label
from rlvr_gym.interop.scoring import Scored, Scorer, open_settings
from rlvr_gym.registration import entry
from rlvr_gym.rewards import DESIGNS, RewardDesign
from rlvr_gym.verdict import Reason, Verdict

__all__ = [
    "RLVREnvironment",
    "RewardFunction",
    "Rollouts",
    "environment_factory",
    "text_of",
    "to_dataset",
    "to_rows",
    "trl_reward_funcs",
]


def to_rows(
    env: EnvLike,
    n: int,
    seed: int = 0,
    *,
    start: int = 0,
    chat: bool = True,
    system_prompt: str = "plain",
    reward: RewardLike | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """The rows of :func:`to_dataset`."""
    spec = RewardSpec.of(env, reward=reward, **settings)
    rows = []
    for example in examples(spec, n, seed, start=start, system_prompt=system_prompt):
        *opening, last = example.messages
        marked = [*opening, {**last, "task_id": example.task.id}]
        rows.append(
            {"prompt": marked if chat else example.text, "label": example.label, "task_id": example.task.id}
        )
    return rows


def to_dataset(env: EnvLike, n: int, seed: int = 0, **options: Any) -> Any:
    """Tasks as a Hugging Face ``Dataset`` with the columns ``prompt``, ``label`` and ``task_id``.

    The label (:mod:`rlvr_gym.interop.labels`) holds the reference answer; TRL hands it to the reward functions and
    never to the model. In conversations the last message also has the key ``task_id``, which chat templates pass over
    and :class:`Rollouts` needs.

    Args:
        env: an id, a problem or an environment.
        n: how many tasks; fewer where a finite source ends.
        seed: the stream of tasks.
        **options: ``start`` (the first index), ``chat`` (conversations; False for plain texts, for models without a
            chat template), ``system_prompt`` (``"plain"``, ``"r1"``, ``"boxed"``, or a text of one's own), ``reward``
            (the design; None for that of ``env``) and, where ``env`` is an id, the problem's fields.

    Raises:
        MissingExtraError: if ``datasets`` is not installed.
        ConfigError, UnknownNameError: if an option is wrong.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "hf", "A Hugging Face data set") from error
    return datasets.Dataset.from_list(to_rows(env, n, seed, **options))


def trl_reward_funcs(
    env_or_design: EnvLike | RewardLike | None = None,
    *,
    executor: str | Executor = "inline",
    timeout: float = 10.0,
    eos_token_id: int | Iterable[int] | None = None,
) -> list[RewardFunction]:
    """The list that ``GRPOTrainer(reward_funcs=...)`` takes: one function, whose value is the whole design's.

    Terms that compare see the attempts at one task that are in the same call; give each process whole groups.

    Args:
        env_or_design: a reward design (a name, a dict, a design) that takes the place of the data set's; or an
            environment, of which all rows have to be; None for rows of any environment, with their own designs.
        executor: where verification runs: ``"inline"``, ``"process"`` or an Executor.
        timeout: seconds for one verification, where the executor can enforce it.
        eos_token_id: of the tokenizer; by its absence at the end, designs know that a completion was cut off.

    Raises:
        UnknownNameError: if a name is neither an environment's nor a design's.
    """
    design, env = _design_or_env(env_or_design)
    ends = [eos_token_id] if isinstance(eos_token_id, int) else list(eos_token_id or [])
    return [RewardFunction(Scorer(executor, timeout, design), env, frozenset(ends))]


def _design_or_env(given: EnvLike | RewardLike | None) -> tuple[RewardDesign | None, str | None]:
    if given is None:
        return None, None
    if isinstance(given, RewardDesign | Mapping):
        return RewardDesign.parse(given), None
    if not isinstance(given, str):
        spec = RewardSpec.of(given)
        brings = isinstance(getattr(given, "unwrapped", None), TextEnv)
        return (RewardDesign.parse(spec.reward) if brings else None), spec.env
    if given in DESIGNS:
        return RewardDesign.parse(given), None
    try:
        return None, entry(given).id
    except UnknownNameError as error:
        raise UnknownNameError("environment or reward design", given, [*DESIGNS, str(error)]) from error


@dataclass(frozen=True)
class RewardFunction:
    """A reward function of TRL's form over the rows of :func:`to_dataset`; it pickles.

    Besides the rewards it logs ``rlvr/correct``, ``rlvr/valid`` and ``rlvr/<term>``, means over the batch.

    Attributes:
        scorer: who scores.
        env: the only environment whose rows are accepted; None for any.
        ends: the token ids one of which a finished completion ends with; empty takes all for finished.
    """

    scorer: Scorer = field(default_factory=Scorer)
    env: str | None = None
    ends: frozenset[int] = frozenset()

    @property
    def __name__(self) -> str:
        """What TRL logs the reward under."""
        return "rlvr_gym" if self.scorer.design is None else f"rlvr_gym_{self.scorer.design.name}"

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        *,
        label: Sequence[str] | None = None,
        trainer_state: Any = None,
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        """One reward a completion; None where verification failed, which TRL leaves out of its statistics.

        Args:
            prompts: not needed.
            completions: texts, or conversations of which the assistant's messages count.
            completion_ids: their tokens, for terms about length.
            label: the column of that name.
            trainer_state: TRL's; schedules follow its ``global_step``.
            log_metric: TRL's.

        Raises:
            ConfigError: if there is no column ``label``, or a row is of another environment.
        """
        if label is None:
            raise ConfigError(
                "The data set has no column 'label'; make it with rlvr_gym.interop.trl.to_dataset."
            )
        if self.env is not None:
            others = {read_label(one)[0].env for one in set(label)} - {self.env}
            if others:
                raise ConfigError(
                    f"These rewards are of {self.env}; the data set has {', '.join(sorted(others))}."
                )
        cut = None
        if self.ends and completion_ids is not None:
            cut = [bool(ids) and ids[-1] in self.ends for ids in completion_ids]
        scored = self.scorer(
            label,
            [text_of(completion) for completion in completions],
            num_tokens=None if completion_ids is None else [len(ids) for ids in completion_ids],
            finished=cut,
            groups=label,
            step=int(getattr(trainer_state, "global_step", 0) or 0),
        )
        if log_metric is not None:
            _log(scored, log_metric)
        return [one.total for one in scored]


def _log(scored: Sequence[Scored], log_metric: Callable[[str, float], None]) -> None:
    values: dict[str, list[float]] = {}
    for one in scored:
        values.setdefault("valid", []).append(float(one.verdict.valid))
        if one.verdict.valid:
            values.setdefault("correct", []).append(float(one.verdict.correct))
        for name, value in one.reward.terms.items():
            if not math.isnan(value):
                values.setdefault(name, []).append(value)
    for name, numbers in values.items():
        log_metric(f"rlvr/{name}", sum(numbers) / len(numbers))


def text_of(completion: Any) -> str:
    """What the model wrote, out of either of TRL's forms.

    Where TRL's parser has taken the thinking out of a message, it is put back in ``<think>`` tags.
    """
    if isinstance(completion, str):
        return completion
    return "\n".join(_spoken(message) for message in completion if message.get("role") == "assistant")


def _spoken(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join(part.get("text", "") for part in content)
    thinking = message.get("reasoning_content") or message.get("thinking")
    return f"<think>{thinking}</think>{content}" if thinking else content


def environment_factory(
    executor: str | Executor = "inline", timeout: float = 10.0
) -> Callable[[], RLVREnvironment]:
    """What ``GRPOTrainer(environment_factory=...)`` takes; the rows of :func:`to_dataset` say which environment.

    The trainer needs no ``reward_funcs``: the environment owns the reward.
    """
    return _Factory(executor, timeout)


@dataclass(frozen=True)
class _Factory:
    executor: str | Executor
    timeout: float

    def __call__(self) -> RLVREnvironment:
        return RLVREnvironment(self.executor, self.timeout)


class RLVREnvironment:
    """An environment as a tool: the model acts by calling ``act``. One episode at a time.

    TRL offers every public method but ``reset`` and ``get_reward`` to the model. An episode that the model leaves
    before its end gets the score of one that ran out of turns.

    Args:
        executor: where verification runs.
        timeout: seconds for one verification, where the executor can enforce it.
    """

    def __init__(self, executor: str | Executor = "inline", timeout: float = 10.0) -> None:
        self._executor, self._timeout = executor, timeout
        self._spec: RewardSpec | None = None
        self._episode: Episode | None = None

    def reset(self, label: str | None = None, **_: Any) -> str:
        """Begins the episode of a row; returns what is added to its prompt.

        Raises:
            ConfigError: if the row has no label.
        """
        if label is None:
            raise ConfigError(
                "The data set has no column 'label': all attempts of a group have to be at the same task, so the "
                "tasks come from a data set; make it with rlvr_gym.interop.trl.to_dataset."
            )
        self._spec, task = read_label(label)
        self._episode = open_settings(self._spec, self._executor, self._timeout).begin(task)
        return (
            "\n\nYou act by calling the tool act with the text of your action or answer, written as asked for above; "
            "what it returns is the reply. Only what you send by the tool counts."
        )

    def act(self, action: str) -> str:
        """Sends one action or answer and returns the reply.

        Args:
            action: The text of the action or answer, in the form that the task asks for.

        Returns:
            The reply.
        """
        assert self._spec is not None
        assert self._episode is not None
        episode = self._episode
        before = len(episode.messages) + 1  # the action itself is a message
        episode.act(action)
        open_settings(self._spec, self._executor, self._timeout).judge([episode])
        said = [message["content"] for message in episode.messages[before:]]
        return "\n".join([*said, "This is over."] if episode.done else said)

    def get_reward(self) -> float | None:
        """The episode's reward; None if verification failed."""
        assert self._spec is not None
        assert self._episode is not None
        _leave(self._episode)
        (reward,) = open_settings(self._spec, self._executor, self._timeout).rewards([self._episode])
        return None if math.isnan(reward.total) else reward.total


def _leave(episode: Episode) -> None:
    """Ends an episode that is not over."""
    if not episode.done:
        episode.truncated = True
        episode.conclude(Verdict.wrong(Reason.MAX_TURNS, turns=episode.turns))


class Rollouts:
    """Plays conversations with TRL's model: ``GRPOTrainer(rollout_func=r.rollout_func, reward_funcs=r.reward_func)``.

    A completion is the whole conversation after the prompt, as it was sampled; ``env_mask`` takes what the environment
    said out of the loss. The trainer's ``max_completion_length`` bounds the whole of it. Works with TRL's own
    generation and with its vLLM.

    Args:
        dataset: of :func:`to_dataset`, with conversations; the evaluation set's rows may be in it, too.
        executor: where verification runs.
        timeout: seconds for one verification, where the executor can enforce it.
    """

    def __init__(self, dataset: Any, executor: str | Executor = "inline", timeout: float = 10.0) -> None:
        self._labels: dict[str, str] = dict(zip(dataset["task_id"], dataset["label"], strict=True))
        self._executor, self._timeout = executor, timeout

    def rollout_func(self, prompts: Sequence[Any], trainer: Any) -> dict[str, Any]:
        """Plays one episode a prompt.

        Returns:
            ``prompt_ids``, ``completion_ids``, ``logprobs``, ``env_mask`` and ``env_reward``, each a list with one
            entry a prompt; ``logprobs`` is None where TRL's generation gives none.
        """
        from rlvr_gym.interop.trl_rollouts import play

        specs, episodes = [], []
        for prompt in prompts:
            spec, task = read_label(self._label(prompt))
            specs.append(spec)
            episodes.append(open_settings(spec, self._executor, self._timeout).begin(task))
        settings = [open_settings(spec, self._executor, self._timeout) for spec in specs]
        played = play(trainer, prompts, episodes, settings)
        rewards: list[float | None] = [None] * len(episodes)
        groups: dict[str, list[int]] = {}
        for i, episode in enumerate(episodes):
            _leave(episode)
            groups.setdefault(episode.task.id, []).append(i)
        for numbers in groups.values():
            attempts = [episodes[i].rollout(sum(played[i].mask), played[i].finished) for i in numbers]
            for i, reward in zip(
                numbers, settings[numbers[0]].design(attempts, int(trainer.state.global_step)), strict=True
            ):
                rewards[i] = None if math.isnan(reward.total) else reward.total
        logprobs = [one.logprobs for one in played]
        return {
            "prompt_ids": [one.prompt for one in played],
            "completion_ids": [one.completion for one in played],
            "logprobs": None if any(one is None for one in logprobs) else logprobs,
            "env_mask": [one.mask for one in played],
            "env_reward": rewards,
        }

    def reward_func(
        self, completions: Sequence[Any], env_reward: Sequence[float | None], **_: Any
    ) -> list[float | None]:
        """The rewards of the episodes that were played."""
        return list(env_reward)

    def _label(self, prompt: Any) -> str:
        task_id = prompt[-1].get("task_id") if isinstance(prompt, list) else None
        if task_id not in self._labels:
            raise ConfigError(
                "A prompt does not say which of the data set's tasks it is; make the data set with "
                "rlvr_gym.interop.trl.to_dataset(..., chat=True), and give Rollouts all rows that are played."
            )
        return self._labels[task_id]
