"""Playing episodes with a policy: messages in, completions out, every token kept with where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from rlvr_gym.agents.rollout import Completion, RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.world import World
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError
from rlvr_gym.executor import Executor, InlineExecutor
from rlvr_gym.problem import Problem
from rlvr_gym.rollout import Rollout
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verification import verify_all
from rlvr_gym.verifier import Verifier

__all__ = ["Trajectory", "play"]

_WAVES = 8
"""Batches of answers that are verified side by side; the executor shares its workers among them."""


@dataclass(slots=True)
class Trajectory:
    """One episode as the policy lived it: a single sequence of tokens.

    Attributes:
        episode: the finished episode.
        tokens: prompt, completions and what the environment said in between.
        mask: as long as ``tokens``; True where the policy sampled the token, False on prompt, environment and
            tool tokens.
        logprobs: as long as ``tokens``; of the sampled tokens, 0 elsewhere.
        finished: whether every completion ended by itself.
    """

    episode: Episode
    tokens: list[int]
    mask: list[bool] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finished: bool = True

    def __post_init__(self) -> None:
        self.mask = [False] * len(self.tokens)
        self.logprobs = [0.0] * len(self.tokens)

    @property
    def num_tokens(self) -> int:
        """Tokens that the policy wrote."""
        return sum(self.mask)

    @property
    def verdict(self) -> Verdict:
        """The judgement of the episode."""
        assert self.episode.verdict is not None
        return self.episode.verdict

    def add_completion(self, completion: Completion) -> None:
        """Appends what the policy wrote."""
        self.tokens += completion.tokens
        self.mask += [True] * len(completion.tokens)
        self.logprobs += completion.logprobs
        self.finished = self.finished and completion.finished

    def add_context(self, tokens: list[int]) -> None:
        """Appends what somebody else said."""
        self.tokens += tokens
        self.mask += [False] * len(tokens)
        self.logprobs += [0.0] * len(tokens)

    def rollout(self) -> Rollout:
        """The episode as reward terms see it."""
        return self.episode.rollout(num_tokens=self.num_tokens, finished=self.finished)


def play(
    engine: RolloutEngine,
    episodes: Sequence[Episode],
    params: SamplingParams,
    verifier: Verifier,
    *,
    seed: int,
    first_row: int = 0,
    executor: Executor | None = None,
    timeout: float = 10.0,
) -> list[Trajectory]:
    """Plays fresh episodes to their end, side by side, each at its own pace.

    Where the executor has processes of its own, answers are verified while others are still being written (not where
    several processes of training share the work).

    A conversation that outgrows the policy's context ends as one that ran out of turns does.

    Args:
        engine: samples completions.
        episodes: not yet begun; the G episodes of one task stand together, so that they share its prefill.
        params: of each completion; ``max_tokens`` holds for one turn.
        verifier: judges the answers.
        seed: of the random streams.
        first_row: episode ``i`` draws from the stream ``first_row + i``.
        executor: where verification runs; None for here.
        timeout: seconds for one verification, where the executor can enforce it.

    Returns:
        One trajectory an episode, in order; each episode has a verdict.
    """
    trajectories = _begin(engine, episodes)
    with _Verification(verifier, executor, timeout, engine.world) as verification, ExitStack() as threads:
        engine.converse(
            [tuple(trajectory.tokens) for trajectory in trajectories],
            params,
            _Replies(engine, trajectories, params.max_tokens, verification, threads),
            seed=seed,
            rows=range(first_row, first_row + len(episodes)),
        )
        verification.finish()
    return trajectories


def _begin(engine: RolloutEngine, episodes: Sequence[Episode]) -> list[Trajectory]:
    """Trajectories that hold the prompts; the same task is tokenised once."""
    known: dict[tuple[str, ...], list[int]] = {}
    trajectories = []
    for episode in episodes:
        if episode.turns:
            raise ConfigError("Episodes are played from their beginning; this one has begun already.")
        key = tuple(message["content"] for message in episode.messages)
        if key not in known:
            known[key] = engine.policy.tokenizer.encode_prompt(episode.messages)
        trajectories.append(Trajectory(episode, list(known[key])))
    return trajectories


class _Replies:
    """What the environments say to completions; a :data:`rlvr_gym.agents.decoder.Reply`.

    Where replies may be made side by side they are, in threads, while the engine decodes on.
    """

    def __init__(
        self,
        engine: RolloutEngine,
        trajectories: Sequence[Trajectory],
        max_tokens: int,
        verification: _Verification,
        threads: ExitStack,
    ) -> None:
        self._engine, self._trajectories, self._max_tokens = engine, trajectories, max_tokens
        self._verification, self._threads = verification, threads
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._acting: dict[Future[None], tuple[int, Completion]] = {}

    def __call__(self, ended: dict[int, Completion], wait: bool) -> dict[int, list[int] | None]:
        """Those replies that are there; if there is none and ``wait``, the first that comes."""
        acted: dict[int, Completion] = {}
        for number, completion in ended.items():
            self._trajectories[number].add_completion(completion)
            episode = self._trajectories[number].episode
            if (width := episode.side_by_side) > 1:
                future = self._pool(episode.problem, width).submit(episode.act, completion.text)
                self._acting[future] = number, completion
            else:
                episode.act(completion.text)
                acted[number] = completion
        if self._acting:
            patience = None if wait and not acted else 0
            for future in futures.wait(self._acting, patience, futures.FIRST_COMPLETED).done:
                future.result()
                number, completion = self._acting.pop(future)
                acted[number] = completion
        self._verification.submit([self._trajectories[number].episode for number in acted])
        return {number: self._told(number, completion) for number, completion in acted.items()}

    def _pool(self, problem: Problem, width: int) -> ThreadPoolExecutor:
        """The threads of a problem; a mixture has several."""
        if id(problem) not in self._pools:
            pool = ThreadPoolExecutor(width, thread_name_prefix="replies")
            self._threads.callback(pool.shutdown, cancel_futures=True)
            self._pools[id(problem)] = pool
        return self._pools[id(problem)]

    def _told(self, number: int, completion: Completion) -> list[int] | None:
        """What the environment has said, as tokens, which the trajectory gets too; None if the episode is over."""
        trajectory, policy = self._trajectories[number], self._engine.policy
        episode = trajectory.episode
        if episode.done or episode.pending is not None:
            return None
        last = max(i for i, message in enumerate(episode.messages) if message["role"] == "assistant")
        reply = policy.tokenizer.encode_reply(episode.messages[last + 1 :], finished=completion.finished)
        trajectory.add_context(reply)
        if len(trajectory.tokens) + self._max_tokens > policy.max_context:
            episode.truncated = True
            tokens = len(trajectory.tokens)
            episode.conclude(Verdict.wrong(Reason.MAX_TURNS, turns=episode.turns, context=tokens))
            return None
        return reply


class _Verification:
    """Verifies answers in other processes while the engine decodes on; without other processes, all at the end."""

    def __init__(self, verifier: Verifier, executor: Executor | None, timeout: float, world: World) -> None:
        self._verifier, self._executor, self._timeout = verifier, executor, timeout
        self._world = world
        apart = executor is not None and not isinstance(executor, InlineExecutor) and world.size == 1
        self._threads = ThreadPoolExecutor(_WAVES) if apart else None
        self._waves: list[tuple[list[Episode], Future[list[Verdict]]]] = []
        self._kept: list[Episode] = []

    def submit(self, episodes: Sequence[Episode]) -> None:
        """Takes in what has just been completed; episodes that go on are passed over."""
        waiting = [episode for episode in episodes if episode.pending is not None]
        if self._threads is None:
            self._kept += waiting
        elif waiting:
            self._waves.append((waiting, self._threads.submit(self._verify, waiting)))

    def finish(self) -> None:
        """Hands every episode its verdict."""
        for waiting, verdicts in self._waves:
            _conclude(waiting, verdicts.result())
        if self._kept:
            _conclude(self._kept, self._verify(self._kept))
        self._waves, self._kept = [], []

    def _verify(self, episodes: Sequence[Episode]) -> list[Verdict]:
        mine = self._world.share(episodes)
        answers = [episode.pending or "" for episode in mine]
        tasks = [episode.task for episode in mine]
        verdicts = verify_all(self._verifier, answers, tasks, self._executor, timeout=self._timeout)
        return self._world.gather(verdicts)

    def __enter__(self) -> _Verification:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)


def _conclude(episodes: Sequence[Episode], verdicts: Sequence[Verdict]) -> None:
    for episode, verdict in zip(episodes, verdicts, strict=True):
        episode.conclude(verdict)
