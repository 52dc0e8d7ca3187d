"""A text cut into sentences, words and shingles (three words in a row), the ground on which texts are compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from crawler.text.words import words

Shingle = tuple[str, ...]

SIZE = 3
"""Words in a shingle; a shorter text is one shingle of all its words."""
PASSAGE_WORDS = 8
"""A sentence of fewer words is too common to be called a passage."""
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…]+[\"'»”’)\]]*(?=\s|$)|\n|$)")
_INITIAL = re.compile(r"(?:^|[\s(«\"])[^\W\d_]\.$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it stands in the text, and its folded words."""

    text: str
    words: tuple[str, ...]

    @property
    def key(self) -> int | None:
        """What finds the same sentence elsewhere: 63 bits of a hash of its words; None for a very short one."""
        if len(self.words) < PASSAGE_WORDS:
            return None
        digest = blake2b(" ".join(self.words).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1


class Text:
    """A text as it is compared: its sentences, and what follows from them, worked out when asked for."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = tuple(sentences)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All folded words in order."""
        return tuple(word for sentence in self.sentences for word in sentence.words)

    @cached_property
    def shingles(self) -> frozenset[Shingle]:
        """The different shingles; empty for a text without words."""
        return frozenset(shingles(self.words))

    @cached_property
    def passages(self) -> frozenset[int]:
        """The keys of the sentences that are long enough to be told apart."""
        return frozenset(key for sentence in self.sentences if (key := sentence.key) is not None)

    def without(self, passages: Collection[int]) -> Text:
        """The text without these passages; itself where none of them stands in it."""
        if not passages or self.passages.isdisjoint(passages):
            return self
        return Text(sentence for sentence in self.sentences if sentence.key not in passages)


def cut(text: str) -> Text:
    """A text cut into its sentences; those without a letter or digit are left out."""
    found = (Sentence(part, tuple(words(part))) for part in split(text))
    return Text(sentence for sentence in found if sentence.words)


def split(text: str) -> list[str]:
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


def shingles(of: Iterable[str]) -> list[Shingle]:
    """The shingles of words in order, repeated ones repeated."""
    listed = tuple(of)
    if len(listed) < SIZE:
        return [listed] if listed else []
    return [listed[i : i + SIZE] for i in range(len(listed) - SIZE + 1)]


def jaccard(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """The share of what both have among what either has; 0 when one is empty."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0


def containment(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    """The share of the smaller one that the other has too; 0 when one is empty."""
    shared = len(a & b)
    return shared / min(len(a), len(b)) if shared else 0.0


def covered(words_of: tuple[str, ...], shared: frozenset[Shingle]) -> list[bool]:
    """For each word: whether it stands in one of the shared shingles."""
    marks = [False] * len(words_of)
    for at, shingle in enumerate(shingles(words_of)):
        if shingle in shared:
            marks[at : at + len(shingle)] = [True] * len(shingle)
    return marks


def runs(marks: list[bool]) -> list[int]:
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
