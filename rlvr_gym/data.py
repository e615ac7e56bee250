"""Are two sets of texts apart? Duplicates, and contamination of one by the other, found by word n-grams.

A test row counts as contaminated if it shares an n-gram of words with a training row, as in the GPT-3 paper
(arXiv 2005.14165, appendix C, n = 13). N-grams that many training rows have in common are boilerplate ("Think step by
step, then give ...") and are no evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from rlvr_gym.errors import ConfigError, DataError

__all__ = ["TEXT_FIELDS", "Comparison", "NgramIndex", "Overlap", "compare", "duplicates", "text_of", "words"]

TEXT_FIELDS = ("prompt", "problem", "question", "instruction", "text", "content")
"""Where a row's text is looked for, in this order."""

# signs that change what a formula says are words; other punctuation is presentation
_WORD = re.compile(r"\w+|[-+*/^=<>%]")


def words(text: str) -> list[str]:
    """The words of a text and the signs of its formulas: case, width, white space and punctuation do not count."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def text_of(row: Mapping[str, Any], field: str | None = None, where: str = "The row") -> str:
    """The text of a row of data: of ``field``, or of the first usual field; chat messages are joined.

    Raises:
        DataError: if there is none.
    """
    names = (field,) if field else TEXT_FIELDS
    value = next((row[name] for name in names if row.get(name)), None)
    if isinstance(value, list):
        value = "\n".join(
            str(part.get("content", "")) if isinstance(part, dict) else str(part) for part in value
        )
    if not isinstance(value, str):
        raise DataError(
            f"{where} has no text in {' or '.join(names)}; it has {sorted(row)}: name the field that holds it."
        )
    return value


def _key(parts: Sequence[str]) -> int:
    # not hash(): that differs between processes
    return int.from_bytes(
        blake2b(" ".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )


def _ngrams(text: str, n: int) -> Iterator[int]:
    """The keys of a text's n-grams; a text of fewer words is a single one."""
    parts = words(text)
    for i in range(max(len(parts) - n + 1, 1)):
        yield _key(parts[i : i + n])


def duplicates(texts: Sequence[str]) -> dict[int, int]:
    """Row -> the earlier row that says the same, word for word."""
    first: dict[int, int] = {}
    found: dict[int, int] = {}
    for row, text in enumerate(texts):
        original = first.setdefault(_key(words(text)), row)
        if original != row:
            found[row] = original
    return found


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text has in common with an index.

    Attributes:
        share: the share of its n-grams that are in the index, boilerplate aside; in [0, 1].
        source: the row of the index that has most of them, the first of equals; None if there is none.
    """

    share: float
    source: int | None


class NgramIndex:
    """The n-grams of a set of texts.

    Args:
        texts: the texts.
        n: words in an n-gram.
        common: an n-gram that more than this share of the different texts have (and more than 10 of them) is
            boilerplate.

    Raises:
        ConfigError: if ``n`` is below 1 or ``common`` outside (0, 1].
    """

    def __init__(self, texts: Sequence[str], n: int = 13, common: float = 0.01) -> None:
        if n < 1 or not 0 < common <= 1:
            raise ConfigError(f"n is at least 1 and common is in (0, 1]; got n={n!r} and common={common!r}.")
        self.n = n
        repeated = duplicates(texts)
        self._rows: dict[int, list[int]] = {}
        for row, text in enumerate(texts):
            if row not in repeated:
                for key in dict.fromkeys(_ngrams(text, n)):
                    self._rows.setdefault(key, []).append(row)
        limit = max(10, common * (len(texts) - len(repeated)))
        self._boilerplate = {key for key, rows in self._rows.items() if len(rows) > limit}

    def overlap(self, text: str) -> Overlap:
        """How much of ``text`` is in the index."""
        keys = [key for key in _ngrams(text, self.n) if key not in self._boilerplate]
        found = [self._rows[key] for key in keys if key in self._rows]
        if not found:
            return Overlap(0.0, None)
        votes = Counter(row for rows in found for row in rows)
        return Overlap(len(found) / len(keys), min(votes, key=lambda row: (-votes[row], row)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sets of texts have in common.

    Attributes:
        repeated_a: row of A -> the earlier row of A that says the same.
        repeated_b: the same for B.
        same: row of B -> a row of A that says the same, word for word.
        contaminated: row of B -> its overlap with A, for rows with enough of it (the rows of ``same`` included).
    """

    repeated_a: dict[int, int]
    repeated_b: dict[int, int]
    same: dict[int, int]
    contaminated: dict[int, Overlap]

    def clean(self, row: int) -> bool:
        """Whether a row of B is the first of its kind and not in A."""
        return row not in self.repeated_b and row not in self.same and row not in self.contaminated


def compare(
    a: Sequence[str], b: Sequence[str], *, n: int = 13, threshold: float = 0.0, common: float = 0.01
) -> Comparison:
    """Compares the texts ``b`` (such as a test set) with the texts ``a`` (such as a training set).

    Args:
        a: the texts that are looked into.
        b: the texts that are looked for.
        n: words in an n-gram.
        threshold: a row of B is contaminated from this share of its n-grams on; 0 means one n-gram is enough.
        common: see :class:`NgramIndex`.

    Raises:
        ConfigError: if a number is outside its range.
    """
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold is a share from 0 to 1; got {threshold!r}.")
    index = NgramIndex(a, n, common)
    whole: dict[int, int] = {}
    for row, text in enumerate(a):
        whole.setdefault(_key(words(text)), row)
    same = {row: whole[key] for row, key in ((r, _key(words(t))) for r, t in enumerate(b)) if key in whole}
    contaminated = {row: Overlap(1.0, source) for row, source in same.items()}
    for row, text in enumerate(b):
        overlap = index.overlap(text) if row not in same else None
        if overlap is not None and overlap.source is not None and overlap.share >= threshold:
            contaminated[row] = overlap
    return Comparison(duplicates(a), duplicates(b), same, dict(sorted(contaminated.items())))
