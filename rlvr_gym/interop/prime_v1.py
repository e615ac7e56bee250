"""Prime Intellect's ``verifiers`` (0.4, ``verifiers.v1``): any environment of ours as one of theirs, of any number of turns.

A plug-in of theirs is a module that exports classes, found by its name; two lines make one::

    from rlvr_gym.interop.prime_v1 import DirectHarness, RLVREnv, RLVRTaskset
    __all__ = ["DirectHarness", "RLVREnv", "RLVRTaskset"]

If that is ``my_env.py``, ``vf-eval my-env --env.taskset.env GuessTheNumber`` evaluates it, and so does anything that
takes their configurations. The task set loads our tasks, the environment plays them as the user of the conversation,
and the harness asks the model and does nothing else: it needs neither a container nor a program of its own.

For version 0.1 of the package there is :mod:`rlvr_gym.interop.prime`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar

from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError
from rlvr_gym.interop._prime_versions import other_version
from rlvr_gym.interop.labels import RewardSpec, examples, no_group_terms, read_label
from rlvr_gym.interop.scoring import Scored, VerificationFailedError, act, open_settings

try:
    vf: Any = import_module("verifiers.v1")
    _seat: Any = vf.AgentConfig(runtime=vf.SubprocessConfig())
    _to_wire: Any = import_module("verifiers.v1.dialects.chat").message_to_wire
except (ImportError, AttributeError) as error:
    raise other_version("0.4", "prime-v1", __name__) from error

__all__ = ["DirectHarness", "RLVREnv", "RLVRTaskset"]


class RLVRTaskConfig(vf.TaskConfig):  # type: ignore[misc]
    """How a task is judged: ``--env.taskset.task.*``.

    Attributes:
        executor: where verification runs: ``"inline"`` or ``"process"``.
        timeout: seconds for one verification, where the executor can enforce it.
    """

    executor: str = "inline"
    timeout: float = 10.0


class RLVRTasksetConfig(vf.TasksetConfig):  # type: ignore[misc]
    """Which tasks there are, and how they are rewarded: ``--env.taskset.*``.

    Attributes:
        env: an id of ours.
        settings: the problem's fields.
        seed: the stream of tasks.
        n: tasks; None for all, which may be without end.
        template: ``"plain"``, ``"r1"``, ``"boxed"``, or a system prompt of one's own.
        reward: the reward design.
        max_turns: most actions in an episode; None for the problem's own.
        task: how they are judged.
    """

    env: str = "Countdown"
    settings: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    seed: int = 0
    n: int | None = None
    template: str = "plain"
    reward: str | dict[str, Any] = "binary"
    max_turns: int | None = None
    task: RLVRTaskConfig = RLVRTaskConfig()


class RLVRData(vf.TaskData):  # type: ignore[misc]
    """A task as it travels: in records of rollouts the label stands beside the prompt, never in it.

    Attributes:
        label: see :mod:`rlvr_gym.interop.labels`.
    """

    label: str


class RLVRState(vf.State):  # type: ignore[misc]
    """What is kept of a rollout while it lasts.

    Attributes:
        scored: a :class:`~rlvr_gym.interop.scoring.Scored`, once the episode is over.
    """

    scored: Any = None


class RLVRTask(vf.Task[RLVRData, RLVRState, RLVRTaskConfig]):  # type: ignore[misc]
    """A task of ours. A failed verification is an error of the rollout, and no wrong answer."""

    def begin(self) -> tuple[EnvSettings, Episode]:
        """A new episode."""
        spec, task = read_label(self.data.label)
        settings = open_settings(spec, self.config.executor, self.config.timeout)
        return settings, settings.begin(task)

    @vf.reward  # type: ignore[untyped-decorator]
    async def rlvr_reward(self, trace: Any) -> float:
        """The reward of the design; 0 for a conversation that was left unfinished."""
        scored = await self._scored(trace)
        if scored is None:
            return 0.0
        if scored.total is None:
            raise VerificationFailedError(scored.verdict, "The rollout is to be left out.")
        return scored.total

    @vf.metric  # type: ignore[untyped-decorator]
    async def correct(self, trace: Any) -> float:
        """1 if the task is solved."""
        scored = await self._scored(trace)
        return float(scored is not None and scored.verdict.correct)

    async def _scored(self, trace: Any) -> Scored | None:
        """The result; where nobody has played here (another environment, a record) the replies are played again."""
        if trace.state.scored is None:
            trace.state.scored = await asyncio.to_thread(self._replay, trace.assistant_messages)
        scored: Scored | None = trace.state.scored
        return scored

    def _replay(self, replies: Any) -> Scored | None:
        settings, episode = self.begin()
        results = (act(settings, episode, message.content or "") for message in replies)
        return next((result for result in results if result is not None), None)


class RLVRTaskset(vf.Taskset[RLVRTask, RLVRTasksetConfig]):  # type: ignore[misc]
    """The tasks of one environment of ours.

    Raises:
        ConfigError, UnknownNameError: if a setting is wrong, or the reward design compares a group's attempts.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.spec = RewardSpec.of(
            config.env, reward=config.reward, max_turns=config.max_turns, **config.settings
        )
        no_group_terms(self.spec, "this task set")
        if config.n is not None and config.n < 1:
            raise ConfigError(f"n is at least 1, or None for all tasks; got {config.n}.")
        self.INFINITE = config.n is None and self.spec.make_problem().source(config.seed).length is None

    def load(self) -> Iterator[RLVRTask]:
        """The tasks, in order."""
        config = self.config
        count = sys.maxsize if config.n is None else config.n
        for example in examples(self.spec, count, config.seed, system_prompt=config.template):
            *system, user = example.messages
            data = RLVRData(
                id=example.task.id,
                prompt=user["content"],
                system_prompt=system[0]["content"] if system else None,
                label=example.label,
            )
            yield RLVRTask(data, config.task)


class RLVREnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """The one who plays.

    Attributes:
        agent: ``--env.agent.*``: model, limits, and where its harness runs, which is here.
    """

    agent: vf.AgentConfig = _seat


class RLVREnv(vf.Env[RLVREnvConfig]):  # type: ignore[misc]
    """Plays the episode: what our environment says are the turns of the user."""

    def __init__(self, config: Any) -> None:
        if config.agent.harness is None and vf.default_harness_id(config.taskset.id) != config.taskset.id:
            raise ConfigError(
                f"The module of {config.taskset.id!r} exports no harness, and theirs would let the model run commands on "
                "this machine: export rlvr_gym.interop.prime_v1.DirectHarness too, or choose env.agent.harness."
            )
        super().__init__(config)
        if not isinstance(self.taskset, RLVRTaskset):
            raise ConfigError(f"RLVREnv plays tasks of RLVRTaskset; {config.taskset.id!r} has others.")

    async def run(self, task: Any, agents: Any) -> None:
        """One episode."""
        settings, episode = task.begin()
        async with agents.agent.interaction(task) as interaction:
            said = await interaction.turn()
            while not said.terminated:
                replies = [message.content or "" for message in said.messages if message.role == "assistant"]
                scored = await asyncio.to_thread(act, settings, episode, "\n".join(replies))
                if scored is not None:
                    interaction.trace.state.scored = scored
                    break
                last = max(i for i, message in enumerate(episode.messages) if message["role"] == "assistant")
                # results of tools come from the user, too: there were no calls in the endpoint's own form
                news = [vf.UserMessage(content=m["content"]) for m in episode.messages[last + 1 :]]
                said = await interaction.turn(news)


class DirectHarness(vf.Harness[vf.HarnessConfig]):  # type: ignore[misc]
    """Asks the model for one message, from this process."""

    APPENDS_SYSTEM_PROMPT: ClassVar[bool] = True
    SUPPORTS_RESUME: ClassVar[bool] = True
    EXECUTES_CODE: ClassVar[bool] = False
    NEEDS_CONTAINER: ClassVar[bool] = False

    async def launch(
        self,
        ctx: Any,
        trace: Any,
        runtime: Any,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: Any,
    ) -> Any:
        """One request to the endpoint that records the rollout; a refusal is an exit code, as of a program."""
        openai: Any = import_module("openai")
        system, prompt = self.resolve_prompt(data)
        asked = [vf.UserMessage(content=prompt)] if isinstance(prompt, str) else prompt
        messages = [_to_wire(message) for message in asked]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        async with openai.AsyncOpenAI(base_url=endpoint, api_key=secret, timeout=None) as client:
            try:
                await client.chat.completions.create(model=ctx.model, messages=messages)
            except openai.OpenAIError as error:
                return vf.ProgramResult(exit_code=1, stdout="", stderr=str(error))
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")
