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

from crawler.dedupe.content import TYPOGRAPHY
from crawler.text.sentences import LONGEST, sentence_at

TOKEN = re.compile(r"\s+|\w+(?:[-’'.,]\w+)*|[^\w\s]")
ENDS = ".!?…\"'»”’)]"
ALIKE = 0.5
"""Share of words that two sentences must have in common to count as one that was edited."""
WEIGHED = 40_000
"""Pairs of sentences whose likeness is weighed."""
QUICK = 100_000
"""Pairs of words beyond which frequent ones (spaces, commas) do not serve to align the others."""
MOST = 4_000_000
"""Pairs of words beyond which a sentence is not compared word by word: it is shown as replaced."""

Mark = Literal["same", "removed", "added"]


class Fate(StrEnum):
    """What became of a sentence. A moved one stands twice: where it was (removed) and where it is (added)."""

    SAME = "same"
    EDITED = "edited"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


TURNED: dict[Fate, Fate] = {Fate.ADDED: Fate.REMOVED, Fate.REMOVED: Fate.ADDED}


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text that both versions have (`same`), or only one of them."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of either version, with the space behind it, in parts."""

    fate: Fate
    parts: tuple[Part, ...]

    @property
    def old(self) -> str:
        """The sentence in the old version, empty where it is not there."""
        return "".join(part.text for part in self.parts if part.mark != "added")

    @property
    def new(self) -> str:
        """The sentence in the new version, empty where it is not there."""
        return "".join(part.text for part in self.parts if part.mark != "removed")


def align(old: str, new: str) -> tuple[Sentence, ...]:
    """Every sentence of both texts; the same alignment, turned round, for the texts in the other order."""
    if new < old:  # difflib's choice depends on the order: always ask it in one order
        return tuple(turned(sentence) for sentence in align(new, old))
    olds, news = split(old), split(new)
    found: list[Sentence] = []
    for same, a, b, c, d in _stretches(olds, news):
        if same:
            found += [_both(one, other) for one, other in zip(olds[a:b], news[c:d], strict=True)]
        else:
            found += _block(olds[a:b], news[c:d])
    return tuple(_moves(found))


def _stretches(olds: Sequence[str], news: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches of equal sentences and of others: beginning and end first, then what is between as one.

    Where that is too much to weigh sentence by sentence, difflib finds equal ones inside.
    """
    one, other = [key(each) for each in olds], [key(each) for each in news]
    a, b, c, d = 0, len(one), 0, len(other)
    while a < b and c < d and one[a] == other[c]:
        a, c = a + 1, c + 1
    while b > a and d > c and one[b - 1] == other[d - 1]:
        b, d = b - 1, d - 1
    yield True, 0, a, 0, c
    if (b - a) * (d - c) <= WEIGHED:
        yield False, a, b, c, d
    else:
        for tag, *(i, j, k, m) in SequenceMatcher(None, one[a:b], other[c:d], autojunk=False).get_opcodes():
            yield tag == "equal", a + i, a + j, c + k, c + m
    yield True, b, len(one), d, len(other)


def apply(old: str, sentences: Iterable[Sentence]) -> str:
    """The new text, made from the old one; ValueError when the alignment is not of this text."""
    at, new = 0, []
    for sentence in sentences:
        for part in sentence.parts:
            if part.mark != "added":
                if not old.startswith(part.text, at):
                    raise ValueError(f"The text has no {part.text[:40]!r} at character {at}.")
                at += len(part.text)
            if part.mark != "removed":
                new.append(part.text)
    if at != len(old):
        raise ValueError(f"The text goes on after character {at}.")
    return "".join(new)


def turned(sentence: Sentence) -> Sentence:
    """The sentence with old and new changed over."""
    marks: dict[Mark, Mark] = {"removed": "added", "added": "removed", "same": "same"}
    parts = _runs(Part(marks[part.mark], part.text) for part in sentence.parts)
    return replace(sentence, fate=TURNED.get(sentence.fate, sentence.fate), parts=parts)


def split(text: str) -> list[str]:
    """The sentences of a text, each with the space behind it; together they are the text.

    >>> split("One.  Two?\\nThree")
    ['One.  ', 'Two?\\n', 'Three']
    """
    starts, at = [0], len(text) - len(text.lstrip())
    while at < len(text):
        end = _end(text, at)
        while end < len(text) and text[end].isspace():
            end += 1
        starts.append(end)
        at = end
    return [text[start:end] for start, end in pairwise([*starts, len(text)]) if end > start]


def _end(text: str, start: int) -> int:
    """Where the sentence that begins at `start` ends; `sentence_at` cuts long ones, which here must stay whole."""
    end = start
    while end < len(text):
        end = max(sentence_at(text, end, end + 1)[1], end + 1)
        cut = end - start >= LONGEST // 3 and text[end - 1] not in ENDS and "\n" not in text[end : end + 1]
        if not cut:
            break
    return end


@lru_cache(maxsize=4096)
def key(sentence: str) -> str:
    """What makes two sentences one: their letters, whatever shape quotes, dashes and spaces have."""
    return " ".join(unicodedata.normalize("NFKC", sentence).translate(TYPOGRAPHY).split())


def words(sentence: str) -> list[str]:
    """The words of a sentence, folded, without marks."""
    return [token.casefold() for token in TOKEN.findall(key(sentence)) if token[0].isalnum()]


def _both(old: str, new: str) -> Sentence:
    if old == new:
        return Sentence(fate=Fate.SAME, parts=(Part("same", old),))
    text = old.rstrip()
    if text == new.rstrip() and _is_same_gap(old[len(text) :], new[len(text) :]):
        return Sentence(fate=Fate.SAME, parts=_parts(old, new))
    return Sentence(fate=Fate.EDITED, parts=_parts(old, new))


def _is_same_gap(one: str, other: str) -> bool:
    """Whether the space behind a sentence is the same to a reader: a paragraph ends in both, or the text in one."""
    return not one or not other or ("\n" in one) == ("\n" in other)


def _parts(old: str, new: str) -> tuple[Part, ...]:
    """The words of two sentences side by side; a space between two changed words belongs to the change."""
    olds, news = TOKEN.findall(old), TOKEN.findall(new)
    if len(olds) * len(news) > MOST:
        return _runs([Part("removed", old), Part("added", new)])
    parts: list[Part] = []
    many = len(olds) * len(news) > QUICK
    opcodes = SequenceMatcher(None, olds, news, autojunk=many).get_opcodes()
    for number, (tag, a, b, c, d) in enumerate(opcodes):
        same = "".join(olds[a:b])
        if tag == "equal" and not (same.isspace() and 0 < number < len(opcodes) - 1):
            parts.append(Part("same", same))
        else:
            parts += [Part("removed", same), Part("added", "".join(news[c:d]))]
    return _runs(parts)


def _runs(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts of one mark drawn together between two that both versions have, what was removed first."""
    found: list[Part] = []
    removed = added = ""
    for part in [*parts, Part("same", "")]:
        if part.mark == "removed":
            removed += part.text
        elif part.mark == "added":
            added += part.text
        else:
            found += [Part("removed", removed)] * bool(removed) + [Part("added", added)] * bool(added)
            found += [part] * bool(part.text)
            removed = added = ""
    return tuple(found)


def _block(olds: Sequence[str], news: Sequence[str]) -> list[Sentence]:
    """Sentences that differ: the most alike, in order, are one that was edited; the others were removed or added."""
    found: list[Sentence] = []
    i = j = 0
    for a, b in _pairs(olds, news):
        found += _removed(olds[i:a]) + _added(news[j:b])
        found.append(_both(olds[a], news[b]))
        i, j = a + 1, b + 1
    return found + _removed(olds[i:]) + _added(news[j:])


def _pairs(olds: Sequence[str], news: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs, in order, whose likeness together is greatest."""
    if len(olds) * len(news) > WEIGHED:  # hundreds of new sentences for as many old ones are another text
        return []
    bags, others = [words(each) for each in olds], [words(each) for each in news]
    best = [[0.0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    alike = [[_weight(bag, other) for other in others] for bag in bags]
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


def _weight(one: Sequence[str], other: Sequence[str]) -> float:
    """What it is worth to see two sentences as one: their likeness, the more the longer they are; 0 when unlike."""
    found = _likeness(one, other)
    return found * found * (1 + len(one) + len(other)) if found >= ALIKE else 0.0


def _likeness(one: Sequence[str], other: Sequence[str]) -> float:
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


def _removed(sentences: Iterable[str]) -> list[Sentence]:
    return [Sentence(fate=Fate.REMOVED, parts=(Part("removed", each),)) for each in sentences]


def _added(sentences: Iterable[str]) -> list[Sentence]:
    return [Sentence(fate=Fate.ADDED, parts=(Part("added", each),)) for each in sentences]


def _moves(sentences: list[Sentence]) -> list[Sentence]:
    """A sentence removed here and added there is one that moved."""
    gone: dict[str, list[int]] = {}
    for number, sentence in enumerate(sentences):
        if sentence.fate is Fate.REMOVED and words(sentence.old):
            gone.setdefault(key(sentence.old), []).append(number)
    found = list(sentences)
    for number, sentence in enumerate(sentences):
        if sentence.fate is Fate.ADDED and (places := gone.get(key(sentence.new))):
            for place in (number, places.pop(0)):
                found[place] = replace(found[place], fate=Fate.MOVED)
    return found
