"""Texts to make tasks of: the bundled corpus, or local files; and how surprising their words are."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

import rlvr_gym
from rlvr_gym.data import text_of
from rlvr_gym.envs.loading import load_rows
from rlvr_gym.errors import DataError
from rlvr_gym.verifiers.instruction_text import words_of

__all__ = ["Corpus", "Passage", "load_corpus", "split_sentences"]

BUNDLED = Path(rlvr_gym.__file__).parent / "datasets" / "corpus-plain"
_TEXT_SUFFIXES = (".txt", ".md")
_ROW_SUFFIXES = (".jsonl", ".jsonl.gz", ".json.gz")
LEAST_SENTENCES, MOST_SENTENCES = 3, 40
LEAST_WORDS = 25

# not after a capital letter or a common title, which are abbreviations: "J. Smith", "Dr. Smith"
_BOUNDARY = re.compile(
    r"(?<![A-Z]\.)(?<!Mr\.)(?<!Dr\.)(?<!St\.)(?<!Mrs\.)(?<=[.!?\"'\u201d\u2019)])\s+(?=[\"'(\u201c\u2018]?[^\W_a-z])"
)
_ENDS = re.compile(r"[.!?][\"'\u201d\u2019)]{0,3}$")


def split_sentences(text: str) -> list[str]:
    """The sentences of a paragraph: they end with a mark before white space and a capital letter or a figure."""
    sentences: list[str] = []
    for piece in _BOUNDARY.split(" ".join(text.split())):
        if sentences and not _ENDS.search(sentences[-1]):
            sentences[-1] += f" {piece}"  # a closing bracket or quotation mark alone ends nothing
        else:
            sentences.append(piece)
    return [sentence for sentence in sentences if words_of(sentence)]


@dataclass(frozen=True)
class Passage:
    """A paragraph.

    Attributes:
        sentences: its sentences, in order.
    """

    sentences: tuple[str, ...]

    @cached_property
    def words(self) -> list[str]:
        """Its words in lower case."""
        return [word for sentence in self.sentences for word in words_of(sentence)]

    @cached_property
    def pairs(self) -> Counter[tuple[str, str]]:
        """How often each pair of neighbouring words comes."""
        return Counter(pairwise(self.words))

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word comes."""
        return Counter(self.words)


class Corpus:
    """Passages, and a model of their words.

    Args:
        passages: at least one.
    """

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self.passages = passages

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word comes."""
        return sum((p.counts for p in self.passages), Counter())

    @cached_property
    def _total(self) -> int:
        return self.counts.total()

    @cached_property
    def _pairs(self) -> Counter[tuple[str, str]]:
        pairs: Counter[tuple[str, str]] = Counter()
        for passage in self.passages:
            pairs.update(passage.pairs)
        return pairs

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Its words of letters alone, sorted."""
        return tuple(sorted(word for word in self.counts if word.isascii() and word.isalpha()))

    def bits(self, passage: Passage, position: int) -> float:
        """How surprising a word of a passage is after the one before it, to one who has read all other passages.

        Minus the binary logarithm of 0.6 times the share of the word among the followers of the one before it, and
        0.4 times its share among all words (with one added to each count). The passage's own words are taken out of
        the counts.
        """
        word = passage.words[position]
        own = len(passage.words)
        total = self._total - own + len(self.counts) + 1
        single = (self.counts[word] - passage.counts[word] + 1) / total
        if position == 0:
            return -math.log2(single)
        before = passage.words[position - 1]
        followed = self.counts[before] - passage.counts[before]
        pair = self._pairs[before, word] - passage.pairs[before, word]
        return -math.log2(0.4 * single + 0.6 * (pair / followed if followed else single))


def load_corpus(data: str, split: str) -> Corpus:
    """The passages of the bundled corpus or of local files, kept until a file changes.

    Args:
        data: empty for the bundled corpus; a text file or a folder of ``.txt`` and ``.md`` files, with empty lines
            between paragraphs; a JSONL file with the text in ``text`` (or ``content``, ...), or a folder with
            ``<split>.jsonl``.
        split: chooses the file of a folder of JSONL.

    Raises:
        DataError: if there is no text of at least three sentences and 25 words.
    """
    return _local(Path(data).expanduser(), data, split) if data else _bundled(split)


@lru_cache(maxsize=8)  # these files do not change
def _bundled(split: str) -> Corpus:
    return _local(BUNDLED, "", split)


def _local(path: Path, data: str, split: str) -> Corpus:
    files = _files(path, _TEXT_SUFFIXES if data else ())
    if files:
        corpus = _from_text(files)
    elif rows := _files(path, _ROW_SUFFIXES):
        corpus = _from_rows(path, split, rows)
    else:
        raise DataError(
            f"There is no text in {data!r}; data is a .txt, .md or .jsonl file, or a folder of .txt and .md files or with "
            f"{split}.jsonl in it."
        )
    if not corpus.passages:
        raise DataError(
            f"There is no paragraph of at least {LEAST_SENTENCES} sentences and {LEAST_WORDS} words in {path}; put empty "
            "lines between paragraphs."
        )
    return corpus


_Files = tuple[tuple[Path, int], ...]


def _files(path: Path, suffixes: tuple[str, ...]) -> _Files:
    """The files of these kinds that ``path`` is or holds, and when they were changed."""
    found = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
    return tuple((file, file.stat().st_mtime_ns) for file in found if file.name.endswith(suffixes))


@lru_cache(maxsize=8)
def _from_text(files: _Files) -> Corpus:
    texts: list[str] = []
    for file, _ in files:
        try:
            texts += re.split(r"\n[ \t]*\n", file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{file} cannot be read as text in UTF-8: {error}.") from error
    return Corpus(tuple(_passages(texts)))


@lru_cache(maxsize=8)
def _from_rows(path: Path, split: str, _files: _Files) -> Corpus:
    return Corpus(
        tuple(_passages(text_of(row.values, where=row.where) for row in load_rows(str(path), split)))
    )


def _passages(texts: Iterable[str]) -> Iterator[Passage]:
    seen: set[tuple[str, ...]] = set()
    for text in texts:
        sentences = split_sentences(text)
        for start in range(0, len(sentences), MOST_SENTENCES):  # a text without paragraphs is cut into pieces
            part = tuple(sentences[start : start + MOST_SENTENCES])
            passage = Passage(part)
            if len(part) >= LEAST_SENTENCES and len(passage.words) >= LEAST_WORDS and part not in seen:
                seen.add(part)
                yield passage
