"""A text cut into sentences, words and shingles (three words in a row), the ground on which texts are compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from crawler.text.folding import split_folded_words

Shingle = tuple[str, ...]

SHINGLE_WORDS = 3
"""Words in a shingle; a shorter text is one shingle of all its words."""
MIN_PASSAGE_WORDS = 8
"""A sentence of fewer words is too common to be called a passage."""
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…]+[\"'»”’)\]]*(?=\s|$)|\n|$)")
_INITIAL = re.compile(r"(?:^|[\s(«\"])[^\W\d_]\.$")


@dataclass(frozen=True, slots=True)
class FoldedSentence:
    """A sentence as it stands in the text, and its folded words."""

    text: str
    words: tuple[str, ...]

    @property
    def passage_key(self) -> int | None:
        """What finds the same sentence elsewhere: 63 bits of a hash of its words; None for a very short one."""
        if len(self.words) < MIN_PASSAGE_WORDS:
            return None
        digest = blake2b(" ".join(self.words).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1


class SegmentedText:
    """A text as it is compared: its sentences, and what follows from them, worked out when asked for."""

    def __init__(self, sentences: Iterable[FoldedSentence]) -> None:
        self.sentences = tuple(sentences)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All folded words in order."""
        return tuple(word for sentence in self.sentences for word in sentence.words)

    @cached_property
    def shingles(self) -> frozenset[Shingle]:
        """The different shingles; empty for a text without words."""
        return frozenset(make_shingles(self.words))

    @cached_property
    def passages(self) -> frozenset[int]:
        """The keys of the sentences that are long enough to be told apart."""
        return frozenset(key for sentence in self.sentences if (key := sentence.passage_key) is not None)

    def remove_passages(self, passages: Collection[int]) -> SegmentedText:
        """The text without these passages; itself where none of them stands in it."""
        if not passages or self.passages.isdisjoint(passages):
            return self
        return SegmentedText(sentence for sentence in self.sentences if sentence.passage_key not in passages)


def segment_text(text: str) -> SegmentedText:
    """A text cut into its sentences; those without a letter or digit are left out."""
    found = (FoldedSentence(part, tuple(split_folded_words(part))) for part in split_passages(text))
    return SegmentedText(sentence for sentence in found if sentence.words)


def split_passages(text: str) -> list[str]:
    """The sentences of a text; a line ends one, an initial's dot does not.

    >>> split("Е. Ашикбаев принял гостя. Они говорили.\\nКонец")
    ['Е. Ашикбаев принял гостя.', 'Они говорили.', 'Конец']
    """
    parts: list[str] = []
    glued = False
    for found in _SENTENCE.finditer(text):
        part = found[0].strip()
        if not part:
            glued = glued and not found[0].endswith("\n")
            continue
        if glued:
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
        glued = bool(_INITIAL.search(part)) and not found[0].endswith("\n")
    return parts


def make_shingles(words: Iterable[str]) -> list[Shingle]:
    """The shingles of words in order, repeated ones repeated."""
    listed = tuple(words)
    if len(listed) < SHINGLE_WORDS:
        return [listed] if listed else []
    return [listed[i : i + SHINGLE_WORDS] for i in range(len(listed) - SHINGLE_WORDS + 1)]


def compute_jaccard(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """The share of what both have among what either has; 0 when one is empty."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0


def compute_containment(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """The share of the smaller one that the other has too; 0 when one is empty."""
    shared = len(a & b)
    return shared / min(len(a), len(b)) if shared else 0.0


def mark_shared_words(words: tuple[str, ...], shared: frozenset[Shingle]) -> list[bool]:
    """For each word: whether it stands in one of the shared shingles."""
    marks = [False] * len(words)
    for at, shingle in enumerate(make_shingles(words)):
        if shingle in shared:
            marks[at : at + len(shingle)] = [True] * len(shingle)
    return marks


def measure_runs(marks: list[bool]) -> list[int]:
    """The lengths of the runs of marked words.

    >>> runs([True, True, False, True])
    [2, 1]
    """
    lengths, length = [], 0
    for mark in [*marks, False]:
        if mark:
            length += 1
        elif length:
            lengths.append(length)
            length = 0
    return lengths
