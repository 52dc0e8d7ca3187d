"""The verdict on two texts: exact, near-duplicate, one story, or different; symmetric, and the same every time.

exact           the same words
near_duplicate  one text, edited: a reprint, an excerpt, a correction
same_story      other words about one event, in any language
different       anything else
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from crawler.dedupe.events import NEEDED_UNDATED, WINDOW, Overlap, against, days_apart, overlap
from crawler.dedupe.features import Features
from crawler.dedupe.meaning import Embedding, Vector, cosine
from crawler.dedupe.shingles import PASSAGE_WORDS, Sentence, Text, containment, covered, cut, jaccard, runs

JACCARD = 0.45
CONTAINMENT = 0.60
LEAST_SHINGLES = 8
"""A text of fewer shingles is an edit of another by its Jaccard only."""
SCATTERED = (0.25, 0.72, 0.55)
"""Jaccard, and the shares of words of the shorter and the longer text that stand in shared shingles: a text in which
many single words were exchanged keeps few shingles, but all along."""
OWN = 0.16
"""Share of words of its own that both texts need before the shared ones can be a passage that both merely quote."""
QUOTED_RUN, QUOTED_WORDS = 25, 160
"""Words: a quoted passage stands in one piece of at least so many, and is no longer than so many altogether."""
TAKEN_UP = 0.25


class Sameness(StrEnum):
    """How two texts are the same."""

    EXACT = "exact"
    NEAR_DUPLICATE = "near_duplicate"
    SAME_STORY = "same_story"
    DIFFERENT = "different"

    @property
    def is_one_text(self) -> bool:
        """Whether both are one text, edited or not."""
        return self in (Sameness.EXACT, Sameness.NEAR_DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What other texts taught: `boilerplate` holds the keys of passages that do not count."""

    boilerplate: Collection[int] = ()


NOTHING = Known()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text to be judged. `published` is a day in any one time zone; `story` names what is one story by identity,
    such as the id that the language versions of one release share; `embedding`, where given, reads its meaning."""

    text: Text
    published: date | None = None
    story: str | None = None
    title: str | None = None
    embedding: Embedding | None = None

    @cached_property
    def features(self) -> Features:
        """What title and text say of their event."""
        return Features(titled(self.title, self.text))

    @cached_property
    def meaning(self) -> Vector | None:
        """Where title and text point in meaning, None without an embedding."""
        if self.embedding is None:
            return None
        return self.embedding("\n".join(sentence.text for sentence in titled(self.title, self.text).sentences))

    def features_of(self, text: Text) -> Features:
        """The same for what is left of the text."""
        return self.features if text is self.text else Features(titled(self.title, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its reasons.

    `scores` are jaccard and containment (of shingles, 0 to 1), event (what names, numbers and concepts in common
    weigh), event_needed, and nearness in meaning where it was asked. `shared` holds the passages in common as the first
    text writes them, `ignored` those that did not count, `common` the names, numbers and concepts in common; `against`
    says what makes two events of texts that have enough in common for one; `by_identity` that they are versions of one
    release, whatever they have in common.
    """

    verdict: Sameness
    scores: dict[str, float]
    shared: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    by_identity: bool = False
    against: str | None = None


@dataclass(slots=True)
class _Pair:
    a: Text
    b: Text
    apart: int | None
    jaccard: float = field(init=False)
    containment: float = field(init=False)

    def __post_init__(self) -> None:
        self.jaccard = jaccard(self.a.shingles, self.b.shingles)
        self.containment = containment(self.a.shingles, self.b.shingles)


def document(
    text: str,
    *,
    published: date | None = None,
    story: str | None = None,
    title: str | None = None,
    embedding: Embedding | None = None,
) -> Document:
    """A text made ready to be judged."""
    return Document(text=cut(text), published=published, story=story, title=title, embedding=embedding)


def judge(a: Document, b: Document, known: Known = NOTHING) -> Judgement:
    """The verdict on two texts and its reasons. With a and b exchanged it is the same, told in b's words."""
    if a.text.words and a.text.words == b.text.words:
        return Judgement(verdict=Sameness.EXACT, scores={"jaccard": 1.0, "containment": 1.0})
    ignored = frozenset(known.boilerplate) & (a.text.passages | b.text.passages)
    pair = _Pair(a.text.without(ignored), b.text.without(ignored), days_apart(a.published, b.published))
    event = overlap(a.features_of(pair.a), b.features_of(pair.b), pair.apart, _nearness(a, b))
    quoted = is_alike(pair) and is_quoted(pair)
    scores = {"jaccard": round(pair.jaccard, 4), "containment": round(pair.containment, 4)}
    scores |= {"event": round(event.score, 2), "event_needed": event.needed}
    if event.nearness is not None:
        scores["nearness"] = event.nearness
    shared = shared_passages(pair.a, pair.b)
    return Judgement(
        verdict=_verdict(a, b, pair, event, quoted),
        scores=scores,
        shared=() if quoted else shared,
        by_identity=is_one_release(a, b),
        ignored=(*passages_of(a.text, ignored), *(shared if quoted else ())),
        common=event.shared,
        against=event.against,
    )


def _nearness(a: Document, b: Document) -> Callable[[], float] | None:
    """How near two texts are in meaning, to be asked when it is needed; None where either has no embedding."""
    if a.embedding is None or b.embedding is None:
        return None
    return lambda: cosine(a.meaning or (), b.meaning or ())


def _verdict(a: Document, b: Document, pair: _Pair, event: Overlap, quoted: bool) -> Sameness:
    if is_alike(pair) and not quoted:
        return Sameness.NEAR_DUPLICATE
    return Sameness.SAME_STORY if is_one_release(a, b) or event.is_one_event else Sameness.DIFFERENT


def is_one_release(a: Document, b: Document) -> bool:
    """Whether two texts are versions of one release, by identity."""
    return a.story is not None and a.story == b.story


def titled(title: str | None, text: Text) -> Text:
    """A text with its title as first sentence, unless it has it there already."""
    heading = cut(title).sentences if title else ()
    if not heading or (text.sentences and text.sentences[0].words == heading[0].words):
        return text
    return Text((*heading, *text.sentences))


def is_alike(pair: _Pair) -> bool:
    """Whether two texts have so many words in common that one may be an edit of the other."""
    if pair.jaccard >= JACCARD:
        return True
    if min(len(pair.a.shingles), len(pair.b.shingles)) < LEAST_SHINGLES:
        return False
    if pair.containment >= CONTAINMENT:
        return True
    least, shorter, longer = SCATTERED
    if pair.jaccard < least:
        return False
    shares = sorted(sum(marks) / len(marks) for marks in _marks(pair))
    return shares[1] >= shorter and shares[0] >= longer


def is_quoted(pair: _Pair) -> bool:
    """Whether what two texts have in common is but a passage that both quote, while the rest tells of two events."""
    marks = _marks(pair)
    if min(sum(not mark for mark in side) / len(side) for side in marks) < OWN:
        return False
    pieces = [[length for length in runs(side) if length >= PASSAGE_WORDS] for side in marks]
    if not all(QUOTED_RUN <= max(side, default=0) >= sum(side) / 2 for side in pieces):
        return False
    if max(map(sum, pieces)) > QUOTED_WORDS:
        return False
    if pair.apart is not None and pair.apart > WINDOW:
        return True
    parts = [_parted(text, side) for text, side in zip((pair.a, pair.b), marks, strict=True)]
    (own_a, shared_a), (own_b, shared_b) = parts
    rest = overlap(own_a, own_b, pair.apart)
    if against(own_a, own_b, pair.apart, rest.score) is not None or (
        pair.apart is None and _tells_otherwise(own_a, own_b)
    ):
        return True
    return not (rest.score >= NEEDED_UNDATED or max(_taken_up(own_a, shared_a), _taken_up(own_b, shared_b)) >= TAKEN_UP)


def _taken_up(own: Features, shared: Features) -> float:
    """The share of a part's longer words that the shared part has too: a lead's are, before a passage they are not."""
    return len(own.stems & shared.stems) / max(1, len(own.stems))


def _tells_otherwise(a: Features, b: Features) -> bool:
    """Texts without dates: their own parts name days or numbers, and none in common."""
    return any(one and other and not one & other for one, other in ((a.days, b.days), (a.numbers, b.numbers)))


def _marks(pair: _Pair) -> tuple[list[bool], list[bool]]:
    shared = pair.a.shingles & pair.b.shingles
    return covered(pair.a.words, shared), covered(pair.b.words, shared)


def _parted(text: Text, marks: list[bool]) -> tuple[Features, Features]:
    """The sentences of which less than half is shared, and the others."""
    own: list[Sentence] = []
    shared: list[Sentence] = []
    at = 0
    for sentence in text.sentences:
        end = at + len(sentence.words)
        (own if sum(marks[at:end]) * 2 < end - at else shared).append(sentence)
        at = end
    return Features(Text(own)), Features(Text(shared))


def shared_passages(a: Text, b: Text) -> tuple[str, ...]:
    """The sentences of a that stand in b too, nearly word for word, as a writes them."""
    marks, at, found = covered(a.words, a.shingles & b.shingles), 0, []
    for sentence in a.sentences:
        end = at + len(sentence.words)
        if sum(marks[at:end]) >= 0.8 * len(sentence.words):
            found.append(sentence.text)
        at = end
    return tuple(found)


def passages_of(text: Text, keys: Collection[int]) -> tuple[str, ...]:
    """The sentences of a text with these keys."""
    return tuple(sentence.text for sentence in text.sentences if sentence.key in keys)
