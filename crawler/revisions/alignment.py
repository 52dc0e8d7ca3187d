"""Two texts side by side: which sentences stayed, were edited, added, removed or moved, and which words inside them.

Nothing of either text is lost: the parts of all sentences, put together again, are the old text and the new one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from crawler.similarity.content_hashes import TYPOGRAPHY_TABLE
from crawler.text.sentences import MAX_SENTENCE_LENGTH, locate_sentence

TOKEN_PATTERN = re.compile(r"\s+|\w+(?:[-’'.,]\w+)*|[^\w\s]")
SENTENCE_END_MARKS = ".!?…\"'»”’)]"
MIN_LIKENESS = 0.5
"""Share of words that two sentences must have in common to count as one that was edited."""
MAX_SENTENCE_PAIRS = 40_000
"""Pairs of sentences whose likeness is weighed."""
MAX_EXACT_WORD_PAIRS = 100_000
"""Pairs of words beyond which frequent ones (spaces, commas) do not serve to align the others."""
MAX_WORD_PAIRS = 4_000_000
"""Pairs of words beyond which a sentence is not compared word by word: it is shown as replaced."""

SpanMark = Literal["same", "removed", "added"]


class ChangeType(StrEnum):
    """What became of a sentence. A moved one stands twice: where it was (removed) and where it is (added)."""

    SAME = "same"
    EDITED = "edited"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


INVERTED_TYPES: dict[ChangeType, ChangeType] = {
    ChangeType.ADDED: ChangeType.REMOVED,
    ChangeType.REMOVED: ChangeType.ADDED,
}


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """A run of text that both versions have (`same`), or only one of them."""

    mark: SpanMark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedSentence:
    """One sentence of either version, with the space behind it, in parts."""

    change_type: ChangeType
    spans: tuple[DiffSpan, ...]

    @property
    def old(self) -> str:
        """The sentence in the old version, empty where it is not there."""
        return "".join(part.text for part in self.spans if part.mark != "added")

    @property
    def new(self) -> str:
        """The sentence in the new version, empty where it is not there."""
        return "".join(part.text for part in self.spans if part.mark != "removed")


def align_texts(old: str, new: str) -> tuple[AlignedSentence, ...]:
    """Every sentence of both texts; the same alignment, turned round, for the texts in the other order."""
    if new < old:  # difflib's choice depends on the order: always ask it in one order
        return tuple(invert_sentence(sentence) for sentence in align_texts(new, old))
    olds, news = split_sentences(old), split_sentences(new)
    found: list[AlignedSentence] = []
    for same, a, b, c, d in _find_stretches(olds, news):
        if same:
            found += [_align_pair(one, other) for one, other in zip(olds[a:b], news[c:d], strict=True)]
        else:
            found += _align_block(olds[a:b], news[c:d])
    return tuple(_mark_moved(found))


def _find_stretches(olds: Sequence[str], news: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches of equal sentences and of others: beginning and end first, then what is between as one.

    Where that is too much to weigh sentence by sentence, difflib finds equal ones inside.
    """
    one, other = [normalize_sentence(each) for each in olds], [normalize_sentence(each) for each in news]
    a, b, c, d = 0, len(one), 0, len(other)
    while a < b and c < d and one[a] == other[c]:
        a, c = a + 1, c + 1
    while b > a and d > c and one[b - 1] == other[d - 1]:
        b, d = b - 1, d - 1
    yield True, 0, a, 0, c
    if (b - a) * (d - c) <= MAX_SENTENCE_PAIRS:
        yield False, a, b, c, d
    else:
        for tag, *(i, j, k, m) in SequenceMatcher(None, one[a:b], other[c:d], autojunk=False).get_opcodes():
            yield tag == "equal", a + i, a + j, c + k, c + m
    yield True, b, len(one), d, len(other)


def apply_alignment(old: str, sentences: Iterable[AlignedSentence]) -> str:
    """The new text, made from the old one; ValueError when the alignment is not of this text."""
    at, new = 0, []
    for sentence in sentences:
        for part in sentence.spans:
            if part.mark != "added":
                if not old.startswith(part.text, at):
                    raise ValueError(f"The text has no {part.text[:40]!r} at character {at}.")
                at += len(part.text)
            if part.mark != "removed":
                new.append(part.text)
    if at != len(old):
        raise ValueError(f"The text goes on after character {at}.")
    return "".join(new)


def invert_sentence(sentence: AlignedSentence) -> AlignedSentence:
    """The sentence with old and new changed over."""
    marks: dict[SpanMark, SpanMark] = {"removed": "added", "added": "removed", "same": "same"}
    parts = _merge_spans(DiffSpan(marks[part.mark], part.text) for part in sentence.spans)
    return replace(sentence, fate=INVERTED_TYPES.get(sentence.change_type, sentence.change_type), parts=parts)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, each with the space behind it; together they are the text.

    >>> split("One.  Two?\\nThree")
    ['One.  ', 'Two?\\n', 'Three']
    """
    starts, at = [0], len(text) - len(text.lstrip())
    while at < len(text):
        end = _find_sentence_end(text, at)
        while end < len(text) and text[end].isspace():
            end += 1
        starts.append(end)
        at = end
    return [text[start:end] for start, end in pairwise([*starts, len(text)]) if end > start]


def _find_sentence_end(text: str, start: int) -> int:
    """Where the sentence that begins at `start` ends; `sentence_at` cuts long ones, which here must stay whole."""
    end = start
    while end < len(text):
        end = max(locate_sentence(text, end, end + 1)[1], end + 1)
        cut = (
            end - start >= MAX_SENTENCE_LENGTH // 3
            and text[end - 1] not in SENTENCE_END_MARKS
            and "\n" not in text[end : end + 1]
        )
        if not cut:
            break
    return end


@lru_cache(maxsize=4096)
def normalize_sentence(sentence: str) -> str:
    """What makes two sentences one: their letters, whatever shape quotes, dashes and spaces have."""
    return " ".join(unicodedata.normalize("NFKC", sentence).translate(TYPOGRAPHY_TABLE).split())


def list_words(sentence: str) -> list[str]:
    """The words of a sentence, folded, without marks."""
    return [token.casefold() for token in TOKEN_PATTERN.findall(normalize_sentence(sentence)) if token[0].isalnum()]


def _align_pair(old: str, new: str) -> AlignedSentence:
    if old == new:
        return AlignedSentence(change_type=ChangeType.SAME, spans=(DiffSpan("same", old),))
    text = old.rstrip()
    if text == new.rstrip() and _is_same_gap(old[len(text) :], new[len(text) :]):
        return AlignedSentence(change_type=ChangeType.SAME, spans=_diff_words(old, new))
    return AlignedSentence(change_type=ChangeType.EDITED, spans=_diff_words(old, new))


def _is_same_gap(one: str, other: str) -> bool:
    """Whether the space behind a sentence is the same to a reader: a paragraph ends in both, or the text in one."""
    return not one or not other or ("\n" in one) == ("\n" in other)


def _diff_words(old: str, new: str) -> tuple[DiffSpan, ...]:
    """The words of two sentences side by side; a space between two changed words belongs to the change."""
    olds, news = TOKEN_PATTERN.findall(old), TOKEN_PATTERN.findall(new)
    if len(olds) * len(news) > MAX_WORD_PAIRS:
        return _merge_spans([DiffSpan("removed", old), DiffSpan("added", new)])
    parts: list[DiffSpan] = []
    many = len(olds) * len(news) > MAX_EXACT_WORD_PAIRS
    opcodes = SequenceMatcher(None, olds, news, autojunk=many).get_opcodes()
    for number, (tag, a, b, c, d) in enumerate(opcodes):
        same = "".join(olds[a:b])
        if tag == "equal" and not (same.isspace() and 0 < number < len(opcodes) - 1):
            parts.append(DiffSpan("same", same))
        else:
            parts += [DiffSpan("removed", same), DiffSpan("added", "".join(news[c:d]))]
    return _merge_spans(parts)


def _merge_spans(parts: Iterable[DiffSpan]) -> tuple[DiffSpan, ...]:
    """Parts of one mark drawn together between two that both versions have, what was removed first."""
    found: list[DiffSpan] = []
    removed = added = ""
    for part in [*parts, DiffSpan("same", "")]:
        if part.mark == "removed":
            removed += part.text
        elif part.mark == "added":
            added += part.text
        else:
            found += [DiffSpan("removed", removed)] * bool(removed) + [DiffSpan("added", added)] * bool(added)
            found += [part] * bool(part.text)
            removed = added = ""
    return tuple(found)


def _align_block(olds: Sequence[str], news: Sequence[str]) -> list[AlignedSentence]:
    """Sentences that differ: the most alike, in order, are one that was edited; the others were removed or added."""
    found: list[AlignedSentence] = []
    i = j = 0
    for a, b in _pair_sentences(olds, news):
        found += _make_removed(olds[i:a]) + _make_added(news[j:b])
        found.append(_align_pair(olds[a], news[b]))
        i, j = a + 1, b + 1
    return found + _make_removed(olds[i:]) + _make_added(news[j:])


def _pair_sentences(olds: Sequence[str], news: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs, in order, whose likeness together is greatest."""
    if len(olds) * len(news) > MAX_SENTENCE_PAIRS:  # hundreds of new sentences for as many old ones are another text
        return []
    bags, others = [list_words(each) for each in olds], [list_words(each) for each in news]
    best = [[0.0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    alike = [[_get_pair_weight(bag, other) for other in others] for bag in bags]
    for i in reversed(range(len(olds))):
        for j in reversed(range(len(news))):
            taken = alike[i][j] + best[i + 1][j + 1] if alike[i][j] else 0.0
            best[i][j] = max(taken, best[i + 1][j], best[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(olds) and j < len(news):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _get_pair_weight(one: Sequence[str], other: Sequence[str]) -> float:
    """What it is worth to see two sentences as one: their likeness, the more the longer they are; 0 when unlike."""
    found = _compute_likeness(one, other)
    return found * found * (1 + len(one) + len(other)) if found >= MIN_LIKENESS else 0.0


def _compute_likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of words in common, of both sentences' words: 0 to 1."""
    if not one and not other:
        return 1.0
    counts: dict[str, int] = {}
    for word in one:
        counts[word] = counts.get(word, 0) + 1
    shared = 0
    for word in other:
        if counts.get(word, 0) > 0:
            counts[word] -= 1
            shared += 1
    return 2 * shared / (len(one) + len(other))


def _make_removed(sentences: Iterable[str]) -> list[AlignedSentence]:
    return [AlignedSentence(change_type=ChangeType.REMOVED, spans=(DiffSpan("removed", each),)) for each in sentences]


def _make_added(sentences: Iterable[str]) -> list[AlignedSentence]:
    return [AlignedSentence(change_type=ChangeType.ADDED, spans=(DiffSpan("added", each),)) for each in sentences]


def _mark_moved(sentences: list[AlignedSentence]) -> list[AlignedSentence]:
    """A sentence removed here and added there is one that moved."""
    gone: dict[str, list[int]] = {}
    for number, sentence in enumerate(sentences):
        if sentence.change_type is ChangeType.REMOVED and list_words(sentence.old):
            gone.setdefault(normalize_sentence(sentence.old), []).append(number)
    found = list(sentences)
    for number, sentence in enumerate(sentences):
        if sentence.change_type is ChangeType.ADDED and (places := gone.get(normalize_sentence(sentence.new))):
            for place in (number, places.pop(0)):
                found[place] = replace(found[place], fate=ChangeType.MOVED)
    return found
