"""A search index over a few hundred passages: Okapi BM25 with the idf of Lucene."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

__all__ = ["BM25", "tokens"]

_WORD = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """The words of a text, case folded."""
    return _WORD.findall(text.casefold())


class BM25:
    """Ranks documents for queries.

    The score of document ``d`` is the sum over the words ``w`` of the query, repeated ones included, of::

        log(1 + (N - n_w + 0.5) / (n_w + 0.5)) * f / (f + k1 * (1 - b + b * |d| / mean |d|))

    with ``n_w`` of the ``N`` documents having ``w``, and ``f`` the times that ``w`` occurs in ``d`` (Robertson and
    Zaragoza 2009, with the idf of Lucene, which is never negative; "lucene" in Kamphuis et al. 2020).

    Args:
        documents: the words of each document.
        k1: how soon further occurrences of a word count for less.
        b: how much long documents are held back.
    """

    def __init__(self, documents: Sequence[Sequence[str]], k1: float = 1.5, b: float = 0.75) -> None:
        mean = sum(map(len, documents)) / len(documents)
        frequencies: dict[str, dict[int, float]] = defaultdict(dict)
        for i, document in enumerate(documents):
            held = k1 * (1 - b + b * len(document) / mean)
            for word, count in Counter(document).items():
                frequencies[word][i] = count / (count + held)
        self._postings = {
            word: {
                i: math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5)) * weight
                for i, weight in found.items()
            }
            for word, found in frequencies.items()
        }

    def scores(self, query: Sequence[str]) -> dict[int, float]:
        """Document -> score, for the documents that have a word of the query."""
        scores: dict[int, float] = defaultdict(float)
        for word in query:
            for i, weight in self._postings.get(word, {}).items():
                scores[i] += weight
        return dict(scores)

    def best(self, query: Sequence[str], count: int) -> list[int]:
        """At most ``count`` documents with a word of the query, the best first, equal ones in their order."""
        scores = self.scores(query)
        return sorted(scores, key=lambda i: (-scores[i], i))[:count]
