"""Questions of several hops about a made-up world, with a search engine between the turns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import level
from rlvr_gym.envs.tools._bm25 import BM25, tokens
from rlvr_gym.envs.tools._dialogue import AnswerDialogue, Session, turns_for
from rlvr_gym.envs.tools._knowledge import (
    BARE,
    COMPACT,
    FULL,
    TINY,
    Fact,
    Knowledge,
    Style,
    draw_chain,
    draw_knowledge,
    passage,
)
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool, ToolError, tag_texts, use_tag, use_tools

__all__ = ["Corpus", "Search"]

MAX_QUERY_CHARS = 500
_STYLES = {"full": FULL, "compact": COMPACT, "tiny": TINY, "bare": BARE}
_LETTERS, _MOST_ENTITIES = 26, 500
_LETTER_STYLES = ("tiny", "bare")
_PROTOCOLS = ("json", "search_tags")
_TITLE_WEIGHT = 3
"""A title counts as often: who is looked up by name should come before who is only mentioned."""


class Corpus:
    """Passages that can be searched.

    Args:
        documents: ``[title, text]`` each.
        results: passages in a result.
        plain: whether results show nothing but the passages, one a line.
    """

    def __init__(self, documents: Sequence[Sequence[str]], results: int, plain: bool) -> None:
        self.documents = documents
        self.results = results
        self.plain = plain
        self._index = BM25([tokens(title) * _TITLE_WEIGHT + tokens(text) for title, text in documents])

    def find(self, query: str) -> list[int]:
        """The best documents."""
        return self._index.best(tokens(query), self.results)

    def search(self, query: str) -> str:
        """The best passages as text."""
        if len(query) > MAX_QUERY_CHARS:
            raise ToolError(f"A query may have {MAX_QUERY_CHARS} characters.")
        found = [self.documents[i] for i in self.find(query)]
        if not found:
            return "Nothing was found." if not self.plain else "nothing"
        if self.plain:
            return "\n".join(f"{title}: {text}" for title, text in found)
        return "\n".join(f"[{i}] {title}: {text}" for i, (title, text) in enumerate(found, 1))


@register("rlvr/SearchR1-v0", family="tools", defaults={"protocol": "search_tags"})
@register("rlvr/Search-v0", family="tools")
@dataclass(frozen=True, kw_only=True)
class Search(AnswerDialogue):
    """Answer a question of 2 to 4 hops about a world that is made up for the task, by searching its passages.

    All names are new in every task, so nothing can be known beforehand; no passage holds both ends of the question.
    Passages are ranked by BM25. Difficulty 1 to 10 is 2 to 4 hops among 12 to 66 entities with a passage each; the
    hardness is the number of bits to find out: for each hop the logarithm of the number of entities.

    ``style="compact"`` and ``style="tiny"`` are for small policies that learn from nothing: names of three letters or of
    one, passages like ``zor: boss kim, pal tek, home bex``, one passage a result. With ``protocol="search_tags"``,
    ``hops=2`` and ``entities=8`` the prompt has fewer than 90 characters (it does not tell the number of turns), and a
    whole episode about 250 in the compact and 210 in the tiny style; ``hops=1`` is easier still. ``turns`` keeps aimless
    episodes short. In the tiny style a guess is right as often as there are few entities. ``style="bare"`` has digits for
    relations, a passage for each fact (``2a: h``), and with ``search_tags`` the question alone as the prompt (``12a?``:
    first ``2a``, then ``1`` of what that is). The form is left to demonstrations; what cannot be known without searching
    stays so.

    Attributes:
        protocol: ``"json"`` for ``<tool_call>{...}</tool_call>``, answered in ``<tool_result>``; ``"search_tags"`` for
            ``<search>query</search>``, answered in ``<result>``, as in R1-Searcher and ReSearch.
        style: ``"full"`` for English about people, towns, companies and books; ``"compact"`` for few characters,
            ``"tiny"`` for fewer, ``"bare"`` for fewest.
        hops: 1 to 6; 0 leaves them to the difficulty.
        entities: 8 to 500, in the tiny and bare styles to 26; 0 leaves them to the difficulty.
        results: passages in a result, 1 to 10; 0 for three, or one in the compact style.
    """

    protocol: str = "json"
    style: str = "full"
    hops: int = 0
    entities: int = 0
    results: int = 0

    verifier: ClassVar[str] = "exact_text"
    form: ClassVar[str] = "the name or year alone"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.protocol not in _PROTOCOLS:
            raise ConfigError(f"protocol is one of {', '.join(_PROTOCOLS)}; got {self.protocol!r}.")
        if self.style not in _STYLES:
            raise ConfigError(f"style is one of {', '.join(_STYLES)}; got {self.style!r}.")
        for name, least, most in (
            ("hops", 1, 6),
            ("entities", 8, _LETTERS if self.style in _LETTER_STYLES else _MOST_ENTITIES),
            ("results", 1, 10),
        ):
            value = getattr(self, name)
            if value != 0 and not least <= value <= most:
                raise ConfigError(
                    f"{name} goes from {least} to {most}, or is 0 for the difficulty's own; got {value!r}."
                )

    @property
    def tags(self) -> tuple[str, ...]:
        """Those of the configured protocol."""
        return super().tags if self.protocol == "json" else tag_texts("search", "result")

    @property
    def _compact(self) -> bool:
        return self.style != "full"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws worlds until there is a chain that can be followed by searching, and by no shorter way."""
        hops = self.hops or level(difficulty, 2, 4)
        count = self.entities or min(
            6 + 6 * difficulty, _LETTERS if self.style in _LETTER_STYLES else _MOST_ENTITIES
        )
        style = _STYLES[self.style]
        chain = None
        while chain is None:
            knowledge = draw_knowledge(style, count, rng)
            documents = _documents(style, knowledge, rng)
            corpus = self._corpus(documents)
            chain = _draw_chain(style, knowledge, corpus, hops, rng)
        plan = [[["search", {"query": _query(fact, style)}]] for fact in chain]
        turns = turns_for(plan)
        return Task(
            prompt=self._prompt(chain, corpus, turns),
            answer=chain[-1].target,
            metadata={
                "hardness": hops * math.log2(len(documents)),
                "hops": hops,
                "turns": turns,
                "documents": documents,
                "plan": plan,
            },
        )

    def _prompt(self, chain: Sequence[Fact], corpus: Corpus, turns: int) -> str:
        phrase = chain[0].source
        for fact in chain:
            phrase = fact.relation.phrase.format(s=phrase)
        if self.style == "bare" and self.protocol == "search_tags":
            return f"{phrase}?"
        if self._compact and self.protocol == "search_tags":
            return f"Find {phrase}. <search>?</search> looks up, <answer>?</answer> ends."
        example = "?" if self._compact else "Nobody"
        return (
            f"Find {phrase}. Only the passages that a search finds know it.\n\n{self._search_rules(corpus, turns)} When you "
            f"know it, give {self.form} in <answer> tags, without a call, for example <answer>{example}</answer>."
        )

    def _search_rules(self, corpus: Corpus, turns: int) -> str:
        if self.protocol == "json":
            return self.rules(self.tools(corpus), turns)
        return (
            "You may search by writing <search>some words</search>, and then wait: the passages that fit best come in "
            f"the next message, in <result> tags. You have {self.turns or turns} turns."
        )

    def _corpus(self, documents: Sequence[Sequence[str]]) -> Corpus:
        return Corpus(documents, self.results or (1 if self._compact else 3), self._compact)

    def open(self, task: Task) -> Corpus:
        """The passages of this task."""
        return self._corpus(task.metadata["documents"])

    def tools(self, world: Any) -> Sequence[Tool]:
        """The search engine."""
        return [Tool("search", "the passages that fit the query best", {"query": str}, world.search)]

    def use(self, session: Session, action: str) -> Reply | None:
        """Answers calls of the configured protocol."""
        tools = self.tools(session.world)
        if self.protocol == "json":
            return use_tools(action, tools)
        return use_tag(action, tools[0], call="search", result="result")

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """A call in the configured protocol."""
        if self.protocol == "json":
            return super().call(name, arguments)
        return f"<search>{arguments['query']}</search>"

    def last_words(self, task: Task) -> str:
        """The answer."""
        return f"<answer>{task.answer}</answer>"


def _documents(style: Style, knowledge: Knowledge, rng: np.random.Generator) -> list[list[str]]:
    """Title and text of every passage: one for each entity, or for each fact."""
    groups = knowledge.facts.values()
    if style.by_fact:
        return [[_question(fact), passage(style, [fact], rng)] for facts in groups for fact in facts]
    return [[facts[0].source, passage(style, facts, rng)] for facts in groups]


def _question(fact: Fact) -> str:
    return fact.relation.phrase.format(s=fact.source)


def _draw_chain(
    style: Style, knowledge: Knowledge, corpus: Corpus, hops: int, rng: np.random.Generator
) -> list[Fact] | None:
    """A chain whose every passage is found, and whose ends stand in one passage only if it is a single hop."""
    chain = draw_chain(knowledge, hops, rng)
    if chain is None:
        return None
    start, end = chain[0].source, chain[-1].target
    told = (
        [[fact] for fact in itertools.chain(*knowledge.facts.values())]
        if style.by_fact
        else knowledge.facts.values()
    )
    if hops > 1 and any(
        {start, end} <= {fact.target for fact in facts} | {facts[0].source} for facts in told
    ):
        return None
    found = (
        any(
            corpus.documents[i][0] in (fact.source, _question(fact)) for i in corpus.find(_query(fact, style))
        )
        for fact in chain
    )
    return chain if all(found) else None


def _query(fact: Fact, style: Style) -> str:
    """What the oracle asks in order to learn a fact."""
    return fact.source if style in (COMPACT, TINY) else _question(fact)
