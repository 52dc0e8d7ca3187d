"""Cut a text into sentences, words and shingles (three words in a row), by which texts are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import chain, groupby
from typing import NamedTuple

from crawler.text.folding import encode_folded, split_folded_lines
from crawler.text.sentences import split_into_passages

SHINGLE_WORDS = 3
"""A shorter text is one shingle of all its words."""
SHINGLE_BITS = 1 << 13
"""Bits by which shared shingles are bounded. Two texts of 200 words that share none have about five bits in common."""
MIN_PASSAGE_WORDS = 8
"""A sentence of fewer words is too common to be a passage."""


class FoldedSentence(NamedTuple):
    """A sentence as the text has it, and its folded words."""

    text: str
    words: tuple[str, ...]


class SegmentedText:
    """The sentences of a text, and the words and shingles that follow from them, computed at their first use."""

    def __init__(self, sentences: Iterable[FoldedSentence]) -> None:
        self.sentences = tuple(sentences)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All folded words in order."""
        return tuple(chain.from_iterable(sentence.words for sentence in self.sentences))

    @cached_property
    def data(self) -> bytes:
        """All sentences as folded bytes, one a line, with a space before and behind each word."""
        lines = [" ".join(sentence.words) for sentence in self.sentences]
        return encode_folded(" " + " \n ".join(lines) + " ")

    @cached_property
    def shingles(self) -> frozenset[str]:
        """The different shingles, each as words with spaces between. Empty for a text without words."""
        return frozenset(make_shingles(self.words))

    @cached_property
    def shingle_bits(self) -> int:
        """A number with a bit for each shingle. Few shingles have a bit in common."""
        marked = bytearray(SHINGLE_BITS // 8)
        for shingle in self.shingles:
            bit = hash(shingle) % SHINGLE_BITS
            marked[bit >> 3] |= 1 << (bit & 7)
        return int.from_bytes(marked, "little")

    @cached_property
    def repeated_bits(self) -> int:
        """How many more shingles there are than bits."""
        return len(self.shingles) - self.shingle_bits.bit_count()

    @cached_property
    def passage_keys(self) -> tuple[int | None, ...]:
        """A key for each sentence, which finds it in other texts. None for one that is too short."""
        return tuple(_make_passage_key(sentence.words) for sentence in self.sentences)

    @cached_property
    def passages(self) -> frozenset[int]:
        """The keys of the sentences that are long enough to have one."""
        return frozenset(key for key in self.passage_keys if key is not None)

    def list_passages(self, keys: Collection[int]) -> list[FoldedSentence]:
        """Return the sentences that have one of these keys."""
        return [each for each, key in zip(self.sentences, self.passage_keys, strict=True) if key in keys]

    def remove_passages(self, keys: Collection[int]) -> SegmentedText:
        """Return the text without the sentences that have one of these keys."""
        kept = zip(self.sentences, self.passage_keys, strict=True)
        return SegmentedText(each for each, key in kept if key not in keys)


def segment_text(text: str) -> SegmentedText:
    """Return the text in sentences, without those that have no letter or digit."""
    passages = split_into_passages(text)
    folded = zip(passages, split_folded_lines(passages), strict=True)
    return SegmentedText(FoldedSentence(passage, tuple(words)) for passage, words in folded if words)


def _make_passage_key(words: Sequence[str]) -> int | None:
    """Return 63 bits of a hash of a sentence's words, or None for a very short one."""
    if len(words) < MIN_PASSAGE_WORDS:
        return None
    digest = blake2b(" ".join(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def make_shingles(words: Sequence[str]) -> list[str]:
    """Return the shingles of words in order, with repetitions.

    >>> make_shingles(["the", "red", "cross", "opens"])
    ['the red cross', 'red cross opens']
    """
    if len(words) < SHINGLE_WORDS:
        return [" ".join(words)] if words else []
    return list(map(" ".join, zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)))


def mark_shared_words(words: tuple[str, ...], shared: frozenset[str]) -> list[bool]:
    """Return for each word whether it is in one of the shared shingles."""
    marks = [False] * len(words)
    if not shared:
        return marks
    length = min(SHINGLE_WORDS, len(words))
    for at, shingle in enumerate(make_shingles(words)):
        if shingle in shared:
            marks[at : at + length] = [True] * length
    return marks


def limit_shared_shingles(a: SegmentedText, b: SegmentedText) -> int:
    """Return a number that two texts share no more shingles than. Counting them takes ten times as long."""
    most = (a.shingle_bits & b.shingle_bits).bit_count() + min(a.repeated_bits, b.repeated_bits)
    return min(most, len(a.shingles), len(b.shingles))


def measure_runs(marks: list[bool]) -> list[int]:
    """Return the lengths of the runs of marked words.

    >>> measure_runs([True, True, False, True])
    [2, 1]
    """
    return [len(list(run)) for is_marked, run in groupby(marks) if is_marked]
