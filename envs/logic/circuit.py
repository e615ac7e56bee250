"""Logic circuits: inputs that make the outputs what they should be, or the outputs of given inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, ClassVar, Literal

import numpy as np

from rlvr_gym.envs.logic._explain import explain
from rlvr_gym.envs.logic._solver import Model, Relation, Table
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_bits

__all__ = ["Circuit"]

GATES = {
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "NAND": lambda a, b: 1 - (a & b),
    "NOR": lambda a, b: 1 - (a | b),
}
LEVELS = {
    1: (2, 3, 2), 2: (3, 4, 2), 3: (3, 5, 2), 4: (4, 7, 2), 5: (4, 9, 2), 6: (5, 11, 2), 7: (6, 13, 3), 8: (6, 16, 3),
    9: (7, 19, 3), 10: (8, 22, 3),
}  # fmt: skip
"""Difficulty: inputs, gates, outputs."""
OUTPUTS_TO_EVALUATE = 5
"""More than when inputs are asked for, so that guessing does not help."""
IMPOSSIBLE_SHARE = 0.25
DRAWS = 20
"""Circuits drawn to find one of the wanted kind; after that any will do."""

Gate = list[Any]
"""``[name, first wire, second wire]``; wires are the inputs, then the gates, numbered from 0."""


@register_verifier("circuit")
class CircuitVerifier(RuleVerifier[list[bool]]):
    """Runs the circuit. Any inputs with the wanted outputs are right; "impossible" only if there are none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> list[bool] | None:
        """A bit for every input, or for every output where those are asked for."""
        puzzle = task.answer
        return parse_bits(
            answer, _outputs(len(puzzle["wanted"])) if "given" in puzzle else _inputs(puzzle["inputs"])
        )

    def fault(self, value: list[bool], task: Task) -> str | None:
        """The first output that is not as it should be."""
        puzzle = task.answer
        outputs: list[int] = puzzle["wanted"]
        said: list[int] | list[bool] = value
        if "given" not in puzzle:  # else "wanted" is what the circuit makes of it
            outputs, said = _run(puzzle["gates"], list(map(int, value)))[-len(outputs) :], outputs
        if outputs == said:
            return None
        number = next(i for i, bit in enumerate(outputs) if bit != said[i])
        return f"out{number + 1} is {outputs[number]}"


@register("rlvr/Circuit-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Circuit(Problem):
    """Find inputs of a circuit with the wanted outputs, or say that there are none; all such inputs count.

    Difficulty 1 has 2 inputs and 3 gates, 5 has 4 and 9, 10 has 8 and 22. A quarter of the tasks are impossible, which
    is proved by trying all inputs. Hardness is the number of wires that follow directly, plus four for every value
    ruled out by trying it.

    Attributes:
        goal: ``"find"`` inputs, or ``"evaluate"`` the outputs of given inputs.
    """

    verifier: ClassVar[str] = "circuit"
    goal: Literal["find", "evaluate"] = "find"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.goal not in ("find", "evaluate"):
            raise ConfigError(f"goal is 'find' or 'evaluate'; got {self.goal!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws circuits until the wanted outputs are as possible as they should be."""
        inputs, count, outputs = LEVELS[difficulty]
        if self.goal == "evaluate":
            gates = _draw_gates(rng, inputs, count)
            given = rng.integers(2, size=inputs).tolist()
            return self._evaluation(gates, given, _run(gates, given)[-min(count, OUTPUTS_TO_EVALUATE) :])
        possible = bool(rng.random() >= IMPOSSIBLE_SHARE)
        for _ in range(DRAWS):
            gates = _draw_gates(rng, inputs, count)
            ways = _ways(gates, inputs, outputs)
            wanted = [bits for bits, number in ways.items() if bool(number) == possible]
            if wanted and sum(map(bool, ways.values())) > 1:
                break
        # of the possible outputs, one with the fewest inputs, so that guessing does not help
        least = (
            min(wanted, key=lambda bits: (ways[bits], rng.random()))
            if wanted
            else next(b for b, n in ways.items() if n)
        )
        return self._search(gates, inputs, list(least))

    def _search(self, gates: list[Gate], inputs: int, wanted: list[int]) -> Task:
        names, wires = _inputs(inputs), inputs + len(gates)
        model = _model(gates, inputs)
        for wire, bit in zip(range(wires - len(wanted), wires), wanted, strict=True):
            model.domains[wire] = 1 << bit
        told = explain(model, lambda wire, value: f"{_wire(wire, inputs)}={value}")
        reference = None
        if told.solution is not None:
            reference = ", ".join(f"{name}={told.solution[i]}" for i, name in enumerate(names))
        target = ", ".join(f"{name}={bit}" for name, bit in zip(_outputs(len(wanted)), wanted, strict=True))
        prompt = (
            f"{_circuit_text(gates, inputs, len(wanted))}\n\nFind values of the inputs {', '.join(names)} (0 or 1) for which "
            f"{target}. Give them in <answer> tags, for example <answer>x=0, y=1</answer> if the inputs were x and y. If no "
            f"inputs do this, answer with the word impossible."
        )
        return Task(
            prompt=prompt,
            answer={"inputs": inputs, "gates": gates, "wanted": wanted, "reference": reference},
            metadata={
                "gates": len(gates),
                "possible": reference is not None,
                "assumptions": told.assumptions,
                "hardness": len(gates) + told.effort,
            },
            solution="\n".join([*told.lines, f"So: {reference or CircuitVerifier.impossible}"]),
        )

    def _evaluation(self, gates: list[Gate], given: list[int], wanted: list[int]) -> Task:
        inputs = len(given)
        values = _run(gates, given)
        lines = [
            f"{_wire(inputs + i, inputs)} = {values[first]} {name} {values[second]} = {values[inputs + i]}"
            for i, (name, first, second) in enumerate(gates)
        ]
        reference = ", ".join(
            f"{name}={bit}" for name, bit in zip(_outputs(len(wanted)), wanted, strict=True)
        )
        told = ", ".join(f"{name}={bit}" for name, bit in zip(_inputs(inputs), given, strict=True))
        prompt = (
            f"{_circuit_text(gates, inputs, len(wanted))}\n\nThe inputs are {told}. What are the outputs? Give them in "
            f"<answer> tags, for example <answer>x=0, y=1</answer> if the outputs were x and y."
        )
        return Task(
            prompt=prompt,
            answer={
                "inputs": inputs,
                "gates": gates,
                "wanted": wanted,
                "given": given,
                "reference": reference,
            },
            metadata={"gates": len(gates), "hardness": len(gates)},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The bits asked for, or the word for there being no such inputs."""
        return task.answer["reference"] or CircuitVerifier.impossible


@cache
def _inputs(count: int) -> tuple[str, ...]:
    return tuple("abcdefgh"[:count])


@cache
def _outputs(count: int) -> tuple[str, ...]:
    return tuple(f"out{number}" for number in range(1, count + 1))


def _wire(wire: int, inputs: int) -> str:
    return _inputs(inputs)[wire] if wire < inputs else f"g{wire - inputs + 1}"


def _circuit_text(gates: Sequence[Gate], inputs: int, outputs: int) -> str:
    lines = [
        f"g{i} = {name}({_wire(first, inputs)}, {_wire(second, inputs)})"
        for i, (name, first, second) in enumerate(gates, 1)
    ]
    lines += [f"out{i} = g{len(gates) - outputs + i}" for i in range(1, outputs + 1)]
    return f"A logic circuit with the inputs {', '.join(_inputs(inputs))}:\n\n" + "\n".join(lines)


def _draw_gates(rng: np.random.Generator, inputs: int, count: int) -> list[Gate]:
    """Gates on earlier wires, preferring wires that nothing reads yet."""
    unread = rng.permutation(inputs).tolist()
    gates: list[Gate] = []
    names = list(GATES)
    for wire in range(inputs, inputs + count):
        pool = [unread.pop(0)] if unread else []
        pool += rng.permutation(wire).tolist()
        first, second = list(dict.fromkeys(pool))[:2]
        gates.append([names[int(rng.integers(len(names)))], first, second])
        unread = [w for w in unread if w != second] + [wire]
    return gates


def _run(gates: Sequence[Gate], bits: Sequence[int]) -> list[int]:
    """The values of all wires."""
    values = list(bits)
    for name, first, second in gates:
        values.append(GATES[name](values[first], values[second]))
    return values


def _ways(gates: Sequence[Gate], inputs: int, outputs: int) -> dict[tuple[int, ...], int]:
    """How many of all inputs lead to each combination of outputs, combinations out of reach included."""
    table = np.array(list(product((0, 1), repeat=inputs))).T
    values = list(table)
    for name, first, second in gates:
        values.append(GATES[name](values[first], values[second]))
    counts = dict.fromkeys(product((0, 1), repeat=outputs), 0)
    for column in zip(*(row.tolist() for row in values[-outputs:]), strict=True):
        counts[column] += 1
    return counts


@cache
def _gate_relation(name: str) -> Relation:
    return Relation((a, b, GATES[name](a, b)) for a, b in product((0, 1), repeat=2))


def _model(gates: Sequence[Gate], inputs: int) -> Model:
    rules = [
        Table(
            (first, second, inputs + i),
            _gate_relation(name),
            f"g{i + 1} = {name}({_wire(first, inputs)}, {_wire(second, inputs)})",
        )
        for i, (name, first, second) in enumerate(gates)
    ]
    return Model([3] * (inputs + len(gates)), rules)


register("rlvr/CircuitEvaluation-v0", Circuit, family="logic", defaults={"goal": "evaluate"})
