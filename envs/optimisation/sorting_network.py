"""SortingNetwork: as few comparators as possible that sort every input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, shuffled
from rlvr_gym.envs.algorithmic._reading import parse_pairs
from rlvr_gym.envs.optimisation._graded import ClassicProblem, GradedVerifier, Scale
from rlvr_gym.envs.optimisation._records import records
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["SortingNetwork", "SortingNetworkVerifier"]

MOST = 300
"""More comparators are not simulated: 12 channels need 66 even by bubble sort."""

Network = list[tuple[int, int]]


@register_verifier("sorting_network")
class SortingNetworkVerifier(GradedVerifier[Network]):
    """Any network that sorts all inputs of 0 and 1, and therefore all inputs (the 0-1 principle), by its size."""

    def read(self, answer: str, task: Task) -> Network | None:
        """Pairs of channels: ``(1, 2), (3, 4)`` or ``1-2, 3-4``; the first of a pair gets the smaller value."""
        names = [str(channel) for channel in task.answer["order"]]
        pairs = parse_pairs(f"[{answer}]", names)  # the parser drops the brackets around all pairs
        if pairs is None or len(pairs) > MOST or any(weight is not None for _, _, weight in pairs):
            return None
        return [(int(a), int(b)) for a, b, _ in pairs]

    def fault(self, value: Network, task: Task) -> str | None:
        """The first rule that is broken."""
        given = [tuple(pair) for pair in task.answer["given"]]
        if value[: len(given)] != given:
            return "it does not begin with the given comparators"
        if any(a == b for a, b in value):
            return "a comparator joins a channel with itself"
        return None if sorts(value, task.answer["order"]) else "it does not sort every input"

    def measure(self, value: Network, task: Task) -> int:
        """The number of comparators, the given ones included."""
        return len(value)


@lru_cache(maxsize=16)
def _all_inputs(channels: int) -> tuple[int, ...]:
    """One integer of ``2^channels`` bits a channel; bit ``i`` of channel ``c`` is bit ``c`` of ``i``."""
    size = 1 << channels
    rows = []
    for channel in range(channels):
        half = 1 << channel
        block = ((1 << half) - 1) << half
        width = 2 * half
        while width < size:
            block |= block << width
            width *= 2
        rows.append(block)
    return tuple(rows)


def sorts(network: Sequence[Sequence[int]], order: Sequence[int]) -> bool:
    """Whether a network puts every input of 0 and 1 into ``order`` (channels from the least to the greatest value)."""
    state = dict(zip(sorted(order), _all_inputs(len(order)), strict=True))
    for a, b in network:
        state[a], state[b] = state[a] & state[b], state[a] | state[b]
    return all(not state[a] & ~state[b] for a, b in pairwise(order))


@register("rlvr/SortingNetwork-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class SortingNetwork(ClassicProblem):
    """Build a sorting network with few comparators; the least possible number is correct.

    Difficulty 1 has 4 channels and 10 has 12. Comparators may point either way, the values have to
    end up in a given order of the channels, and up to two comparators are given: so tasks differ, but the least size
    does not, as channels may be renamed and any comparators of disjoint channels can come first. That size is proved
    minimal (Knuth 5.3.4 up to 8 channels, Codish et al. 2014 up to 10, Harder 2020 up to 12). Bubble sort earns 0.1.
    The hardness is the number of comparators.

    Attributes:
        classic: the channels' own order, and no given comparators; each difficulty then has a single task.
    """

    verifier: ClassVar[str] = "sorting_network"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Renames the channels of the smallest network."""
        channels = level(difficulty, 4, 12)
        standard = next(row["network"] for row in records("sorting_networks") if row["n"] == channels)
        order = list(range(1, channels + 1)) if self.classic else shuffled(rng, range(1, channels + 1))
        # comparators of the first layer may change places
        layer = channels // 2
        first = standard[:layer] if self.classic else shuffled(rng, standard[:layer])
        network = [(order[a], order[b]) for a, b in [*first, *standard[layer:]]]
        given = [] if self.classic else network[: integer(rng, 0, 2)]
        return _task(network, order, given)

    def answer_text(self, task: Task) -> str:
        """The smallest network that our search found, with this task's names of channels."""
        return str(task.answer["reference"])


def _task(network: Network, order: list[int], given: Network) -> Task:
    channels, reference = len(order), _named(network)
    scale = Scale(len(network), channels * (channels - 1) // 2)
    start = f"The network has to begin with {_named(given)}; these count. " if given else ""
    return Task(
        prompt=ask(
            f"Build a sorting network for {channels} channels, numbered from 1 to {channels}. A comparator (a, b) compares "
            "the values on channels a and b and puts the smaller one on a and the larger one on b; a may be larger or "
            "smaller than b. Whatever the values are at first, after all comparators they have to stand in ascending "
            f"order on the channels {', '.join(map(str, order))}, the least one on channel {order[0]}. {start}Use as few "
            f"comparators as possible.\n\n"
            + scale.text("the least possible size", "the size of a bubble sort"),
            "the comparators in order",
            "(1, 2), (2, 3)",
            "(2, 1), (3, 2)",
        ),
        answer={
            "order": order,
            "given": [list(pair) for pair in given],
            "best": scale.best,
            "plain": scale.plain,
            "reference": reference,
        },
        metadata={"channels": channels, "hardness": len(network)},
        solution="\n".join([*_reasoning(network, order), f"So: {reference}"]),
    )


def _named(network: Sequence[Sequence[int]]) -> str:
    return ", ".join(f"({a}, {b})" for a, b in network)


def _reasoning(network: Network, order: Sequence[int]) -> list[str]:
    """The network in layers, and how many of all 0-1 outputs are possible after each."""
    state = dict(zip(sorted(order), _all_inputs(len(order)), strict=True))
    lines, layer = [], Network()
    for pair in [*network, None]:
        if pair is None or any(set(pair) & set(other) for other in layer):
            left = _distinct(list(state.values()), len(order))
            lines.append(f"{_named(layer)}: {left} of {1 << len(order)} outputs of zeros and ones are left.")
            layer = Network()
        if pair is not None:
            a, b = pair
            state[a], state[b] = state[a] & state[b], state[a] | state[b]
            layer.append(pair)
    lines.append(f"{len(order) + 1} are as many as there are sorted ones: every input is sorted.")
    return lines


def _distinct(rows: Sequence[int], channels: int) -> int:
    """How many different columns the rows of bits have."""
    size = 1 << channels
    columns = np.zeros(size, dtype=np.int64)
    for channel, row in enumerate(rows):
        data = np.frombuffer(row.to_bytes(max(size // 8, 1), "little"), dtype=np.uint8)
        columns |= np.unpackbits(data, bitorder="little")[:size].astype(np.int64) << channel
    return len(np.unique(columns))
