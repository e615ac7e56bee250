"""Languages of rules: what the ARC-like environments share.

A language maps the text of a rule to a function on a state (a row, a grid). A task shows examples of a sequence of
rules; it is fair if every sequence of the language that agrees with the examples gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

__all__ = ["Language", "Names"]

S = TypeVar("S", bound=Hashable)
Names = tuple[str, ...]


class Language(Generic[S]):
    """Rules, and the sequences of at most so many of them.

    Args:
        rules: the text of each rule, and what it does; no rule may raise on any state.
    """

    def __init__(self, rules: Mapping[str, Callable[[S], S]]) -> None:
        self.rules = rules
        self.names = tuple(rules)

    def stages(self, names: Sequence[str], state: S) -> list[S]:
        """The state after each rule."""
        found = []
        for name in names:
            state = self.rules[name](state)
            found.append(state)
        return found

    def apply(self, names: Sequence[str], state: S) -> S:
        """The state after all rules."""
        for name in names:
            state = self.rules[name](state)
        return state

    def candidates(self, before: S, after: S, depth: int) -> Iterator[Names]:
        """The sequences of one to ``depth`` rules that make ``after`` of ``before``."""
        if depth == 1:
            for name, rule in self.rules.items():
                if rule(before) == after:
                    yield (name,)
            return
        reached: dict[S, list[str]] = {}
        for name, rule in self.rules.items():
            reached.setdefault(rule(before), []).append(name)
        for name in reached.get(after, ()):
            yield (name,)
        for state, names in reached.items():  # what several rules lead to is looked at once
            for rest in self.candidates(state, after, depth - 1):
                for name in names:
                    yield (name, *rest)

    def agreeing(self, inputs: Sequence[S], outputs: Sequence[S], depth: int) -> Iterator[Names]:
        """The sequences that agree with all examples."""
        others = list(zip(inputs[1:], outputs[1:], strict=True))
        for names in self.candidates(inputs[0], outputs[0], depth):
            if all(self.apply(names, state) == result for state, result in others):
                yield names

    def determined(self, inputs: Sequence[S], outputs: Sequence[S], depth: int) -> bool:
        """Whether the examples, which are all pairs but the last, determine the last output."""
        fitting = self.agreeing(inputs[:-1], outputs[:-1], depth)
        return all(self.apply(names, inputs[-1]) == outputs[-1] for names in fitting)
