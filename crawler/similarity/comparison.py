"""Compare two texts. The result is symmetric and depends on nothing but the two.

exact           the same words
near_duplicate  one text, edited: a reprint, an excerpt, a correction
same_story      other words about one event, in any language
different       anything else
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from crawler.similarity.contradictions import find_contradiction, find_other_template_facts
from crawler.similarity.documents import Document
from crawler.similarity.event_overlap import MIN_SCORE_UNDATED, EventOverlap, count_days_apart, measure_overlap
from crawler.similarity.features import EventFeatures
from crawler.similarity.fingerprint import MAX_DAYS_APART
from crawler.similarity.semantic import compute_cosine
from crawler.similarity.shingles import (
    MIN_PASSAGE_WORDS,
    FoldedSentence,
    SegmentedText,
    limit_shared_shingles,
    mark_shared_words,
    measure_runs,
)

MIN_JACCARD = 0.45
MIN_CONTAINMENT = 0.60
MIN_SHINGLES_FOR_CONTAINMENT = 8
"""A text of fewer shingles is an edit of another only by its Jaccard."""
MIN_REWRITE_JACCARD, MIN_REWRITE_CONTAINMENT = 0.3, 0.55
"""The same for two reports of one event: moved sentences and a new lead cost many shingles."""
MIN_SCATTERED_JACCARD, MIN_SHORTER_COVERAGE, MIN_LONGER_COVERAGE = 0.25, 0.72, 0.55
"""A text in which many single words were exchanged keeps few shingles, but all along. It needs this Jaccard, and these
shares of the words of the shorter and the longer text in shared shingles."""
MIN_OWN_WORD_SHARE = 0.16
"""Both texts need this share of words of their own before the shared ones can be a passage that both quote."""
MIN_CERTAINTY = 1.5
"""A story is certain if its score is this multiple of what a link needs."""
MIN_QUOTED_RUN_WORDS, MAX_QUOTED_WORDS = 25, 160
"""A quoted passage has one piece of at least so many words, and at most so many words in all."""
MIN_TAKEN_UP_SHARE = 0.25
"""Share of a part's longer words from which it takes up the shared part, as a lead does."""
MIN_PASSAGE_COVERAGE = 0.8
"""Share of its words from which a sentence is shared."""


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
class Similarity:
    """How two texts are the same, and why.

    `scores` has jaccard and containment (of shingles, 0 to 1), event (the weight of common names, numbers and
    concepts), event_needed, and nearness of meaning if it was computed. `shared` has the common passages in the words
    of the first text, `ignored` those that did not count, `common` the common names, numbers and concepts.
    `contradiction` says why two texts with enough in common report two events. `is_one_release`: both are versions of
    one release, whatever they have in common.
    """

    relation: SimilarityType
    scores: dict[str, float]
    shared: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    is_one_release: bool = False
    contradiction: str | None = None


class PairDecision(NamedTuple):
    """How two texts are the same, without what a person wants to see of it.

    `event` is None for two texts of the same words. `is_quotation`: they share only a passage that both quote.
    """

    relation: SimilarityType
    event: EventOverlap | None = None
    is_one_release: bool = False
    contradiction: str | None = None
    is_quotation: bool = False

    @property
    def score(self) -> float:
        """The weight of what both say of their event, in hundredths. 0 for two texts of the same words."""
        return round(self.event.score, 2) if self.event else 0.0

    @property
    def is_near_event(self) -> bool:
        """Whether the texts share enough for one event, even if something contradicts."""
        return self.event is not None and self.score >= self.event.min_score

    @property
    def is_certain_story(self) -> bool:
        """Whether the evidence for one story suffices to notify nobody of the second article.

        A link costs little if it is wrong, but a message that was never sent costs the reader an event.
        """
        if self.event is None or self.relation is not SimilarityType.SAME_STORY:
            return self.relation.is_one_text
        return self.is_one_release or self.score >= MIN_CERTAINTY * self.event.min_score


class _TextPair:
    """Two texts, the days between them, and what they share: `jaccard` and `containment` are shares of shingles."""

    def __init__(self, a: SegmentedText, b: SegmentedText, days_apart: int | None) -> None:
        self.a, self.b, self.days_apart = a, b, days_apart

    @cached_property
    def shared_shingles(self) -> frozenset[str]:
        """The shingles that both have."""
        return self.a.shingles & self.b.shingles

    @cached_property
    def jaccard(self) -> float:
        """The share of the shingles of both."""
        shared = len(self.shared_shingles)
        return shared / (len(self.a.shingles) + len(self.b.shingles) - shared) if shared else 0.0

    @cached_property
    def containment(self) -> float:
        """The share of the shingles of the shorter one."""
        shared = len(self.shared_shingles)
        return shared / min(len(self.a.shingles), len(self.b.shingles)) if shared else 0.0

    @cached_property
    def marks(self) -> tuple[list[bool], list[bool]]:
        """For each word of either text: whether it is in a shared shingle."""
        shared = self.shared_shingles
        return mark_shared_words(self.a.words, shared), mark_shared_words(self.b.words, shared)


def compare_documents(a: Document, b: Document, boilerplate: Collection[int] = ()) -> Similarity:
    """Return how two texts are the same, and why. `boilerplate` has the keys of passages that do not count.

    With the texts exchanged, only the wording of the passages differs.
    """
    if _have_same_words(a, b):
        return Similarity(relation=SimilarityType.EXACT, scores={"jaccard": 1.0, "containment": 1.0})
    shortened = a.remove_passages(boilerplate), b.remove_passages(boilerplate)
    pair = _make_pair(*shortened)
    decision = _decide(*shortened, pair)
    event = decision.event
    assert event is not None
    scores = {"jaccard": round(pair.jaccard, 4), "containment": round(pair.containment, 4)}
    scores |= {"event": decision.score, "event_needed": event.min_score}
    if event.cosine is not None:
        scores["nearness"] = event.cosine
    shared = _list_shared_passages(pair)
    ignored = tuple(sentence.text for sentence in a.text.list_passages(boilerplate))
    if decision.is_quotation:
        shared, ignored = (), (*ignored, *shared)
    return Similarity(
        relation=decision.relation,
        scores=scores,
        shared=shared,
        ignored=ignored,
        common=event.list_shared(),
        is_one_release=decision.is_one_release,
        contradiction=decision.contradiction,
    )


def decide_relation(a: Document, b: Document, boilerplate: Collection[int] = ()) -> PairDecision:
    """Return how two texts are the same, as `compare_documents` does, in half the time."""
    if _have_same_words(a, b):
        return PairDecision(SimilarityType.EXACT)
    shortened = a.remove_passages(boilerplate), b.remove_passages(boilerplate)
    return _decide(*shortened, _make_pair(*shortened))


def are_one_text(a: Document, b: Document) -> bool:
    """Return whether two documents are one text, edited or not, as `compare_documents` would say.

    Most pairs share too few shingles for that, whatever their events are.
    """
    if _have_same_words(a, b):
        return True
    pair = _make_pair(a, b)
    if not _can_be_edit(pair) or not (_is_edit(pair) or _is_rewrite(pair)):
        return False
    return _decide(a, b, pair).relation.is_one_text


def _have_same_words(a: Document, b: Document) -> bool:
    return bool(a.text.words) and a.text.words == b.text.words


def _make_pair(a: Document, b: Document) -> _TextPair:
    return _TextPair(a.text, b.text, count_days_apart(a.published, b.published))


def _decide(a: Document, b: Document, pair: _TextPair) -> PairDecision:
    """Return how two documents are the same, of which boilerplate has been removed. `pair` has their texts."""
    event = measure_overlap(a.features, b.features, pair.days_apart, _make_cosine_function(a, b))
    is_edit = _can_be_edit(pair) and (_is_edit(pair) or (event.is_one_event and _is_rewrite(pair)))
    other_facts, is_quotation = None, False
    if is_edit:
        other_facts = find_other_template_facts(a.features, b.features, pair.days_apart, pair.jaccard)
        is_quotation = _is_shared_quotation(pair)
    is_one_release = a.release_id is not None and a.release_id == b.release_id
    if other_facts is not None:
        relation = SimilarityType.DIFFERENT
    elif is_edit and not is_quotation:
        relation = SimilarityType.NEAR_DUPLICATE
    elif is_one_release or event.is_one_event:
        relation = SimilarityType.SAME_STORY
    else:
        relation = SimilarityType.DIFFERENT
    return PairDecision(relation, event, is_one_release, other_facts or event.contradiction, is_quotation)


def _make_cosine_function(a: Document, b: Document) -> Callable[[], float] | None:
    """Return a function that computes the cosine of two meanings, or None if a text has no embedding."""
    if a.embedding is None or b.embedding is None:
        return None
    return lambda: compute_cosine(a.vector or (), b.vector or ())


def _can_be_edit(pair: _TextPair) -> bool:
    """Return False only if neither `_is_edit` nor `_is_rewrite` returns True. Most pairs share far too few shingles."""
    sizes = len(pair.a.shingles), len(pair.b.shingles)
    most = limit_shared_shingles(pair.a, pair.b)
    if not most:
        return False
    return most / (sum(sizes) - most) >= MIN_SCATTERED_JACCARD or most / min(sizes) >= MIN_CONTAINMENT


def _is_edit(pair: _TextPair) -> bool:
    """Return whether two texts share so many words that one may be an edit of the other."""
    if pair.jaccard >= MIN_JACCARD:
        return True
    if min(len(pair.a.shingles), len(pair.b.shingles)) < MIN_SHINGLES_FOR_CONTAINMENT:
        return False
    if pair.containment >= MIN_CONTAINMENT:
        return True
    if pair.jaccard < MIN_SCATTERED_JACCARD:
        return False
    longer, shorter = sorted(sum(marks) / len(marks) for marks in pair.marks)
    return shorter >= MIN_SHORTER_COVERAGE and longer >= MIN_LONGER_COVERAGE


def _is_rewrite(pair: _TextPair) -> bool:
    """Return whether two reports of one event share so many words that one may be a rewrite of the other."""
    return pair.jaccard >= MIN_REWRITE_JACCARD and pair.containment >= MIN_REWRITE_CONTAINMENT


def _is_shared_quotation(pair: _TextPair) -> bool:
    """Return whether the common words are only a passage that both quote, and the rest reports two events."""
    if min(sum(not mark for mark in marks) / len(marks) for marks in pair.marks) < MIN_OWN_WORD_SHARE:
        return False
    pieces = [[length for length in measure_runs(marks) if length >= MIN_PASSAGE_WORDS] for marks in pair.marks]
    if not all(MIN_QUOTED_RUN_WORDS <= max(lengths, default=0) >= sum(lengths) / 2 for lengths in pieces):
        return False
    if max(map(sum, pieces)) > MAX_QUOTED_WORDS:
        return False
    if pair.days_apart is not None and pair.days_apart > MAX_DAYS_APART:
        return True
    own_a, shared_a = _split_by_sharing(pair.a, pair.marks[0])
    own_b, shared_b = _split_by_sharing(pair.b, pair.marks[1])
    rest = measure_overlap(own_a, own_b, pair.days_apart)
    if find_contradiction(own_a, own_b, pair.days_apart, rest.score, rest.names) is not None:
        return True
    if pair.days_apart is None and _has_other_values(own_a, own_b):
        return True
    taken_up = max(_get_taken_up_share(own_a, shared_a), _get_taken_up_share(own_b, shared_b))
    return rest.score < MIN_SCORE_UNDATED and taken_up < MIN_TAKEN_UP_SHARE


def _get_taken_up_share(own: EventFeatures, shared: EventFeatures) -> float:
    """Return the share of a part's longer words that the shared part has. A lead has a high one, a foreword none."""
    return len(own.stems & shared.stems) / max(1, len(own.stems))


def _has_other_values(a: EventFeatures, b: EventFeatures) -> bool:
    """Return whether both texts name days, or numbers, and none in common."""
    return any(one and other and not one & other for one, other in ((a.days, b.days), (a.numbers, b.numbers)))


def _split_by_sharing(text: SegmentedText, marks: list[bool]) -> tuple[EventFeatures, EventFeatures]:
    """Return the features of the sentences of which less than half is shared, and of the others."""
    own: list[FoldedSentence] = []
    shared: list[FoldedSentence] = []
    for sentence, marked in _list_marked(text, marks):
        (own if marked * 2 < len(sentence.words) else shared).append(sentence)
    return EventFeatures(SegmentedText(own)), EventFeatures(SegmentedText(shared))


def _list_shared_passages(pair: _TextPair) -> tuple[str, ...]:
    """Return the sentences of the first text that the other has too, nearly word for word."""
    if not pair.shared_shingles:
        return ()
    return tuple(
        sentence.text
        for sentence, marked in _list_marked(pair.a, pair.marks[0])
        if marked >= MIN_PASSAGE_COVERAGE * len(sentence.words)
    )


def _list_marked(text: SegmentedText, marks: list[bool]) -> list[tuple[FoldedSentence, int]]:
    """Return each sentence and how many of its words are marked."""
    listed, at = [], 0
    for sentence in text.sentences:
        end = at + len(sentence.words)
        listed.append((sentence, sum(marks[at:end])))
        at = end
    return listed
