"""Compare two texts: which sentences stayed, were edited, added, removed or moved, and which words inside them.

Nothing of either text is lost: the spans of all sentences, joined, are the old text and the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from crawler.text.sentences import split_into_sentences
from crawler.text.typography import normalize_typography

TOKEN_PATTERN = re.compile(r"\s+|\w+(?:[-’'.,]\w+)*|[^\w\s]")
MIN_LIKENESS = 0.5
"""Share of common words from which two sentences count as one that was edited."""
MIN_LONE_LIKENESS = 0.3
"""The same for a sentence in the place of another one, between two that stayed."""
STEM_LENGTH = 5
"""Letters of a word that count when sentences are paired."""
MAX_SENTENCE_PAIRS = 40_000
"""Most pairs of sentences whose likeness is computed."""
MAX_EXACT_WORD_PAIRS = 100_000
"""Pairs of words above which difflib ignores frequent ones (spaces, commas) when it aligns the others."""
MAX_WORD_PAIRS = 4_000_000
"""Pairs of words above which a sentence is not compared word by word but shown as replaced."""

SpanMark = Literal["same", "removed", "added"]


class AlignmentType(StrEnum):
    """How a sentence of one version relates to the other. A moved one is listed twice: at its old and its new place."""

    SAME = "same"
    EDITED = "edited"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


INVERTED_ALIGNMENTS: dict[AlignmentType, AlignmentType] = {
    AlignmentType.ADDED: AlignmentType.REMOVED,
    AlignmentType.REMOVED: AlignmentType.ADDED,
}


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A run of text that both versions have (`same`), or only one of them."""

    mark: SpanMark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedSentence:
    """One sentence of either version, with the space behind it, in spans."""

    alignment: AlignmentType
    spans: tuple[DiffSpan, ...]

    @property
    def old(self) -> str:
        """The sentence in the old version, empty if it is not there."""
        return "".join(span.text for span in self.spans if span.mark != "added")

    @property
    def new(self) -> str:
        """The sentence in the new version, empty if it is not there."""
        return "".join(span.text for span in self.spans if span.mark != "removed")


def align_texts(old: str, new: str) -> tuple[AlignedSentence, ...]:
    """Return every sentence of both texts. With the texts exchanged, the alignment is the same, inverted."""
    if new < old:  # difflib's choice depends on the order of its arguments, so it always gets one order.
        return tuple(invert_sentence(sentence) for sentence in align_texts(new, old))
    old_sentences, new_sentences = split_into_sentences(old), split_into_sentences(new)
    aligned: list[AlignedSentence] = []
    for is_equal, a, b, c, d in _find_stretches(old_sentences, new_sentences):
        if is_equal:
            aligned += map(_align_pair, old_sentences[a:b], new_sentences[c:d])
        else:
            aligned += _align_block(old_sentences[a:b], new_sentences[c:d])
    return tuple(_mark_moved(aligned))


def _find_stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield whether a stretch of sentences is equal, and its start and end in the old and the new text.

    Equal sentences at both ends come off first. The rest is one stretch, unless it is too long to compare each pair:
    then difflib finds equal sentences in it.
    """
    old_keys, new_keys = [normalize_sentence(each) for each in old], [normalize_sentence(each) for each in new]
    a, b, c, d = 0, len(old), 0, len(new)
    while a < b and c < d and old_keys[a] == new_keys[c]:
        a, c = a + 1, c + 1
    while b > a and d > c and old_keys[b - 1] == new_keys[d - 1]:
        b, d = b - 1, d - 1
    yield True, 0, a, 0, c
    if (b - a) * (d - c) <= MAX_SENTENCE_PAIRS:
        yield False, a, b, c, d
    else:
        for tag, *(i, j, k, m) in SequenceMatcher(None, old_keys[a:b], new_keys[c:d], autojunk=False).get_opcodes():
            yield tag == "equal", a + i, a + j, c + k, c + m
    yield True, b, len(old), d, len(new)


def invert_sentence(sentence: AlignedSentence) -> AlignedSentence:
    """Return the sentence with old and new exchanged."""
    marks: dict[SpanMark, SpanMark] = {"removed": "added", "added": "removed", "same": "same"}
    spans = _merge_spans(DiffSpan(marks[span.mark], span.text) for span in sentence.spans)
    return replace(sentence, alignment=INVERTED_ALIGNMENTS.get(sentence.alignment, sentence.alignment), spans=spans)


@lru_cache(maxsize=4096)
def normalize_sentence(sentence: str) -> str:
    """Return the sentence by which two are equal: quotation marks, dashes and spaces in one form."""
    return " ".join(normalize_typography(sentence).split())


def list_words(sentence: str) -> list[str]:
    """Return the words of a sentence, folded, without punctuation."""
    return [token.casefold() for token in TOKEN_PATTERN.findall(normalize_sentence(sentence)) if token[0].isalnum()]


def _list_stems(sentence: str) -> list[str]:
    """Return the beginnings of the words, which stay when their endings change."""
    return [word[:STEM_LENGTH] for word in list_words(sentence)]


def _align_pair(old: str, new: str) -> AlignedSentence:
    if old == new:
        return AlignedSentence(alignment=AlignmentType.SAME, spans=(DiffSpan("same", old),))
    text = old.rstrip()
    is_same = text == new.rstrip() and _is_same_gap(old[len(text) :], new[len(text) :])
    return AlignedSentence(
        alignment=AlignmentType.SAME if is_same else AlignmentType.EDITED, spans=_diff_words(old, new)
    )


def _is_same_gap(old: str, new: str) -> bool:
    """Return whether the same space follows a sentence, or one of the two ends the text."""
    return not old or not new or old == new


def _diff_words(old: str, new: str) -> tuple[DiffSpan, ...]:
    """Return the words of two sentences as spans. A space between two changed words belongs to the change."""
    old_tokens, new_tokens = TOKEN_PATTERN.findall(old), TOKEN_PATTERN.findall(new)
    pair_count = len(old_tokens) * len(new_tokens)
    if pair_count > MAX_WORD_PAIRS:
        return _merge_spans([DiffSpan("removed", old), DiffSpan("added", new)])
    matcher = SequenceMatcher(None, old_tokens, new_tokens, autojunk=pair_count > MAX_EXACT_WORD_PAIRS)
    opcodes = matcher.get_opcodes()
    spans: list[DiffSpan] = []
    for number, (tag, a, b, c, d) in enumerate(opcodes):
        text = "".join(old_tokens[a:b])
        is_gap = text.isspace() and 0 < number < len(opcodes) - 1
        if tag == "equal" and not is_gap:
            spans.append(DiffSpan("same", text))
        else:
            spans += [DiffSpan("removed", text), DiffSpan("added", "".join(new_tokens[c:d]))]
    return _merge_spans(spans)


def _merge_spans(spans: Iterable[DiffSpan]) -> tuple[DiffSpan, ...]:
    """Return the spans with all removed text, then all added text, between two spans that both versions have."""
    merged: list[DiffSpan] = []
    removed = added = ""
    for span in [*spans, DiffSpan("same", "")]:
        if span.mark == "removed":
            removed += span.text
        elif span.mark == "added":
            added += span.text
        else:
            between = (DiffSpan("removed", removed), DiffSpan("added", added), span)
            merged += [each for each in between if each.text]
            removed = added = ""
    return tuple(merged)


def _align_block(old: Sequence[str], new: Sequence[str]) -> list[AlignedSentence]:
    """Align sentences that differ: the best pairs in order were edited, the others were removed or added."""
    aligned: list[AlignedSentence] = []
    i = j = 0
    for a, b in _pair_sentences(old, new):
        aligned += _align_unpaired(old[i:a], new[j:b])
        aligned.append(_align_pair(old[a], new[b]))
        i, j = a + 1, b + 1
    return aligned + _align_unpaired(old[i:], new[j:])


def _align_unpaired(old: Sequence[str], new: Sequence[str]) -> list[AlignedSentence]:
    """Align sentences between two pairs. One in the place of one may have changed more than others."""
    if len(old) == len(new) == 1 and _compute_likeness(_list_stems(old[0]), _list_stems(new[0])) >= MIN_LONE_LIKENESS:
        return [_align_pair(old[0], new[0])]
    return _make_removed(old) + _make_added(new)


def _pair_sentences(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of numbers, in order, with the greatest sum of weights."""
    if len(old) * len(new) > MAX_SENTENCE_PAIRS:  # Hundreds of new sentences for hundreds of old ones: another text.
        return []
    new_words = [_list_stems(each) for each in new]
    weights = [[_get_pair_weight(words, others) for others in new_words] for words in map(_list_stems, old)]
    # best[i][j] is the greatest sum for the sentences from i and from j on.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            paired = weights[i][j] + best[i + 1][j + 1] if weights[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if weights[i][j] and best[i][j] == weights[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _get_pair_weight(words: Sequence[str], others: Sequence[str]) -> float:
    """Return how much two sentences are one: more for likeness and for length, 0 below `MIN_LIKENESS`."""
    likeness = _compute_likeness(words, others)
    return likeness * likeness * (1 + len(words) + len(others)) if likeness >= MIN_LIKENESS else 0.0


def _compute_likeness(words: Sequence[str], others: Sequence[str]) -> float:
    """Return the share of common words in both sentences, 0 to 1."""
    if not words and not others:
        return 1.0
    left: dict[str, int] = {}
    for word in words:
        left[word] = left.get(word, 0) + 1
    shared = 0
    for word in others:
        if left.get(word, 0) > 0:
            left[word] -= 1
            shared += 1
    return 2 * shared / (len(words) + len(others))


def _make_removed(sentences: Iterable[str]) -> list[AlignedSentence]:
    return [AlignedSentence(alignment=AlignmentType.REMOVED, spans=(DiffSpan("removed", each),)) for each in sentences]


def _make_added(sentences: Iterable[str]) -> list[AlignedSentence]:
    return [AlignedSentence(alignment=AlignmentType.ADDED, spans=(DiffSpan("added", each),)) for each in sentences]


def _mark_moved(sentences: list[AlignedSentence]) -> list[AlignedSentence]:
    """Return the sentences with each one that was removed here and added there marked as moved."""
    removed_places: dict[str, list[int]] = {}
    for number, sentence in enumerate(sentences):
        if sentence.alignment is AlignmentType.REMOVED and list_words(sentence.old):
            removed_places.setdefault(normalize_sentence(sentence.old), []).append(number)
    marked = list(sentences)
    for number, sentence in enumerate(sentences):
        if sentence.alignment is AlignmentType.ADDED and (
            places := removed_places.get(normalize_sentence(sentence.new))
        ):
            for place in (number, places.pop(0)):
                marked[place] = replace(marked[place], alignment=AlignmentType.MOVED)
    return marked
