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

from crawler.similarity.event_overlap import (
    MAX_DAYS_APART,
    MIN_SCORE_UNDATED,
    EventOverlap,
    count_days_apart,
    find_contradiction,
    measure_overlap,
)
from crawler.similarity.features import EventFeatures
from crawler.similarity.semantic import Embedding, Vector, compute_cosine
from crawler.similarity.shingles import (
    MIN_PASSAGE_WORDS,
    FoldedSentence,
    SegmentedText,
    compute_containment,
    compute_jaccard,
    mark_shared_words,
    measure_runs,
    segment_text,
)

MIN_JACCARD = 0.45
MIN_CONTAINMENT = 0.60
MIN_SHINGLES_FOR_CONTAINMENT = 8
"""A text of fewer shingles is an edit of another by its Jaccard only."""
SCATTERED_EDIT_LIMITS = (0.25, 0.72, 0.55)
"""Jaccard, and the shares of words of the shorter and the longer text that stand in shared shingles: a text in which
many single words were exchanged keeps few shingles, but all along."""
MIN_OWN_WORD_SHARE = 0.16
"""Share of words of its own that both texts need before the shared ones can be a passage that both merely quote."""
MIN_QUOTED_RUN_WORDS, MAX_QUOTED_WORDS = 25, 160
"""Words: a quoted passage stands in one piece of at least so many, and is no longer than so many altogether."""
MIN_TAKEN_UP_SHARE = 0.25


class SimilarityType(StrEnum):
    """How two texts are the same."""

    EXACT = "exact"
    NEAR_DUPLICATE = "near_duplicate"
    SAME_STORY = "same_story"
    DIFFERENT = "different"

    @property
    def is_one_text(self) -> bool:
        """Whether both are one text, edited or not."""
        return self in (SimilarityType.EXACT, SimilarityType.NEAR_DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPassages:
    """What other texts taught: `boilerplate` holds the keys of passages that do not count."""

    boilerplate: Collection[int] = ()


NO_KNOWN_PASSAGES = KnownPassages()


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text to be judged. `published` is a day in any one time zone; `story` names what is one story by identity,
    such as the id that the language versions of one release share; `embedding`, where given, reads its meaning."""

    text: SegmentedText
    published: date | None = None
    release_id: str | None = None
    title: str | None = None
    embedding: Embedding | None = None

    @cached_property
    def features(self) -> EventFeatures:
        """What title and text say of their event."""
        return EventFeatures(prepend_title(self.title, self.text))

    @cached_property
    def vector(self) -> Vector | None:
        """Where title and text point in meaning, None without an embedding."""
        if self.embedding is None:
            return None
        return self.embedding("\n".join(sentence.text for sentence in prepend_title(self.title, self.text).sentences))

    def get_features(self, text: SegmentedText) -> EventFeatures:
        """The same for what is left of the text."""
        return self.features if text is self.text else EventFeatures(prepend_title(self.title, text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """A verdict with its reasons.

    `scores` are jaccard and containment (of shingles, 0 to 1), event (what names, numbers and concepts in common
    weigh), event_needed, and nearness in meaning where it was asked. `shared` holds the passages in common as the first
    text writes them, `ignored` those that did not count, `common` the names, numbers and concepts in common; `against`
    says what makes two events of texts that have enough in common for one; `by_identity` that they are versions of one
    release, whatever they have in common.
    """

    verdict: SimilarityType
    scores: dict[str, float]
    shared: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    is_one_release: bool = False
    contradiction: str | None = None


@dataclass(slots=True)
class _TextPair:
    a: SegmentedText
    b: SegmentedText
    days_apart: int | None
    jaccard: float = field(init=False)
    containment: float = field(init=False)

    def __post_init__(self) -> None:
        self.jaccard = compute_jaccard(self.a.shingles, self.b.shingles)
        self.containment = compute_containment(self.a.shingles, self.b.shingles)


def make_document(
    text: str,
    *,
    published: date | None = None,
    release_id: str | None = None,
    title: str | None = None,
    embedding: Embedding | None = None,
) -> Document:
    """A text made ready to be judged."""
    return Document(
        text=segment_text(text), published=published, release_id=release_id, title=title, embedding=embedding
    )


def compare_documents(a: Document, b: Document, known: KnownPassages = NO_KNOWN_PASSAGES) -> Similarity:
    """The verdict on two texts and its reasons. With a and b exchanged it is the same, told in b's words."""
    if a.text.words and a.text.words == b.text.words:
        return Similarity(verdict=SimilarityType.EXACT, scores={"jaccard": 1.0, "containment": 1.0})
    ignored = frozenset(known.boilerplate) & (a.text.passages | b.text.passages)
    pair = _TextPair(
        a.text.remove_passages(ignored), b.text.remove_passages(ignored), count_days_apart(a.published, b.published)
    )
    event = measure_overlap(
        a.get_features(pair.a), b.get_features(pair.b), pair.days_apart, _make_cosine_function(a, b)
    )
    quoted = is_alike(pair) and is_shared_quotation(pair)
    scores = {"jaccard": round(pair.jaccard, 4), "containment": round(pair.containment, 4)}
    scores |= {"event": round(event.score, 2), "event_needed": event.min_score}
    if event.cosine is not None:
        scores["nearness"] = event.cosine
    shared = list_shared_passages(pair.a, pair.b)
    return Similarity(
        verdict=_decide_verdict(a, b, pair, event, quoted),
        scores=scores,
        shared=() if quoted else shared,
        is_one_release=is_one_release(a, b),
        ignored=(*list_passages(a.text, ignored), *(shared if quoted else ())),
        common=event.shared,
        contradiction=event.contradiction,
    )


def _make_cosine_function(a: Document, b: Document) -> Callable[[], float] | None:
    """How near two texts are in meaning, to be asked when it is needed; None where either has no embedding."""
    if a.embedding is None or b.embedding is None:
        return None
    return lambda: compute_cosine(a.vector or (), b.vector or ())


def _decide_verdict(a: Document, b: Document, pair: _TextPair, event: EventOverlap, quoted: bool) -> SimilarityType:
    if is_alike(pair) and not quoted:
        return SimilarityType.NEAR_DUPLICATE
    return SimilarityType.SAME_STORY if is_one_release(a, b) or event.is_one_event else SimilarityType.DIFFERENT


def is_one_release(a: Document, b: Document) -> bool:
    """Whether two texts are versions of one release, by identity."""
    return a.release_id is not None and a.release_id == b.release_id


def prepend_title(title: str | None, text: SegmentedText) -> SegmentedText:
    """A text with its title as first sentence, unless it has it there already."""
    heading = segment_text(title).sentences if title else ()
    if not heading or (text.sentences and text.sentences[0].words == heading[0].words):
        return text
    return SegmentedText((*heading, *text.sentences))


def is_alike(pair: _TextPair) -> bool:
    """Whether two texts have so many words in common that one may be an edit of the other."""
    if pair.jaccard >= MIN_JACCARD:
        return True
    if min(len(pair.a.shingles), len(pair.b.shingles)) < MIN_SHINGLES_FOR_CONTAINMENT:
        return False
    if pair.containment >= MIN_CONTAINMENT:
        return True
    least, shorter, longer = SCATTERED_EDIT_LIMITS
    if pair.jaccard < least:
        return False
    shares = sorted(sum(marks) / len(marks) for marks in _mark_shared_words(pair))
    return shares[1] >= shorter and shares[0] >= longer


def is_shared_quotation(pair: _TextPair) -> bool:
    """Whether what two texts have in common is but a passage that both quote, while the rest tells of two events."""
    marks = _mark_shared_words(pair)
    if min(sum(not mark for mark in side) / len(side) for side in marks) < MIN_OWN_WORD_SHARE:
        return False
    pieces = [[length for length in measure_runs(side) if length >= MIN_PASSAGE_WORDS] for side in marks]
    if not all(MIN_QUOTED_RUN_WORDS <= max(side, default=0) >= sum(side) / 2 for side in pieces):
        return False
    if max(map(sum, pieces)) > MAX_QUOTED_WORDS:
        return False
    if pair.days_apart is not None and pair.days_apart > MAX_DAYS_APART:
        return True
    parts = [_split_by_sharing(text, side) for text, side in zip((pair.a, pair.b), marks, strict=True)]
    (own_a, shared_a), (own_b, shared_b) = parts
    rest = measure_overlap(own_a, own_b, pair.days_apart)
    if find_contradiction(own_a, own_b, pair.days_apart, rest.score) is not None or (
        pair.days_apart is None and _has_other_values(own_a, own_b)
    ):
        return True
    return not (
        rest.score >= MIN_SCORE_UNDATED
        or max(_get_taken_up_share(own_a, shared_a), _get_taken_up_share(own_b, shared_b)) >= MIN_TAKEN_UP_SHARE
    )


def _get_taken_up_share(own: EventFeatures, shared: EventFeatures) -> float:
    """The share of a part's longer words that the shared part has too: a lead's are, before a passage they are not."""
    return len(own.stems & shared.stems) / max(1, len(own.stems))


def _has_other_values(a: EventFeatures, b: EventFeatures) -> bool:
    """Texts without dates: their own parts name days or numbers, and none in common."""
    return any(one and other and not one & other for one, other in ((a.days, b.days), (a.numbers, b.numbers)))


def _mark_shared_words(pair: _TextPair) -> tuple[list[bool], list[bool]]:
    shared = pair.a.shingles & pair.b.shingles
    return mark_shared_words(pair.a.words, shared), mark_shared_words(pair.b.words, shared)


def _split_by_sharing(text: SegmentedText, marks: list[bool]) -> tuple[EventFeatures, EventFeatures]:
    """The sentences of which less than half is shared, and the others."""
    own: list[FoldedSentence] = []
    shared: list[FoldedSentence] = []
    at = 0
    for sentence in text.sentences:
        end = at + len(sentence.words)
        (own if sum(marks[at:end]) * 2 < end - at else shared).append(sentence)
        at = end
    return EventFeatures(SegmentedText(own)), EventFeatures(SegmentedText(shared))


def list_shared_passages(a: SegmentedText, b: SegmentedText) -> tuple[str, ...]:
    """The sentences of a that stand in b too, nearly word for word, as a writes them."""
    marks, at, found = mark_shared_words(a.words, a.shingles & b.shingles), 0, []
    for sentence in a.sentences:
        end = at + len(sentence.words)
        if sum(marks[at:end]) >= 0.8 * len(sentence.words):
            found.append(sentence.text)
        at = end
    return tuple(found)


def list_passages(text: SegmentedText, keys: Collection[int]) -> tuple[str, ...]:
    """The sentences of a text with these keys."""
    return tuple(sentence.text for sentence in text.sentences if sentence.passage_key in keys)
