"""Decide whether two texts report one event: what they share, against what speaks for two events.

Names, numbers and concepts in common speak for one event. Different hosts, numbers of a series, names or days speak for
two (`defaults/host_offices.toml`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from crawler.similarity.concepts import get_concept_weight
from crawler.similarity.contradictions import SharedNames, find_contradiction, list_shared_names, weigh_numbers
from crawler.similarity.features import MAX_REMEMBERED_NAMES, EventFeatures
from crawler.similarity.fingerprint import MAX_DAYS_APART
from crawler.similarity.places import get_place_weight
from crawler.similarity.semantic import MIN_COSINE, SEMANTIC_SCORE

MIN_SCORE_BY_DAYS = {0: 3.2, 1: 4.0, 2: 5.0, 3: 5.0}
"""Score from which two texts report one event, by the days between them."""
MIN_SCORE_UNDATED = 8.0
REFERENCE_WORDS = 100
"""Words of a text for which the minimum scores hold unchanged."""
LENGTH_EXPONENT = 0.6
MAX_STEM_SCORE, CHANCE_STEM_SHARE = 5.0, 0.15
"""Score of two texts if the other has every longer word of the shorter one, and the share of such words that any two
texts of one language have in common."""
MAX_CONCEPT_SCORE, CHANCE_CONCEPT_SHARE = 3.0, 0.4
"""The same between languages, for concepts instead of words."""


class EventOverlap(NamedTuple):
    """What two texts share.

    `names`, `places`, `numbers` and `concepts` are what both have. `contradiction` says why they report two events
    although they share enough. `cosine` is the nearness of their meanings, if it was computed.
    """

    score: float
    min_score: float
    names: SharedNames
    places: frozenset[str]
    numbers: frozenset[float]
    concepts: frozenset[str]
    contradiction: str | None
    cosine: float | None = None

    @property
    def is_one_event(self) -> bool:
        """Whether the texts share enough and nothing contradicts."""
        return self.contradiction is None and self.score >= self.min_score

    def list_shared(self) -> tuple[str, ...]:
        """Return what both texts have, for a person."""
        names = (name for name, _ in self.names)
        numbers = (f"{number:g}" for number in sorted(self.numbers))
        return (*names, *sorted(self.places), *numbers, *sorted(self.concepts))


def measure_overlap(
    a: EventFeatures, b: EventFeatures, days_apart: int | None, get_cosine: Callable[[], float] | None = None
) -> EventOverlap:
    """Return what two texts share. The result is the same with the texts exchanged.

    `days_apart` is None if a day is unknown. `get_cosine` is slow, so it is called only between languages, and only if
    it can decide.
    """
    names = list_shared_names(a, b)
    places, numbers, concepts = a.places & b.places, a.numbers & b.numbers, a.concepts & b.concepts
    stem_share = len(a.stems & b.stems) / max(1, min(len(a.stems), len(b.stems)))
    score = weigh_numbers(numbers) + _weigh_concepts(concepts)
    score += MAX_STEM_SCORE * max(0.0, stem_share - CHANCE_STEM_SHARE)
    if concepts and a.is_translation_of(b):
        concept_share = len(concepts) / min(len(a.concepts), len(b.concepts))
        score += MAX_CONCEPT_SCORE * max(0.0, concept_share - CHANCE_CONCEPT_SHARE)
    score += sum(weight for _, weight in names) + _weigh_places(places)
    min_score = get_min_score(days_apart, len(a.text.words), len(b.text.words))
    cosine = None
    can_decide = min_score - SEMANTIC_SCORE <= score < min_score
    if get_cosine is not None and can_decide and a.is_translation_of(b):
        cosine = round(get_cosine(), 4)
        score += SEMANTIC_SCORE if cosine >= MIN_COSINE else 0
    return EventOverlap(
        score=round(score, 6),
        min_score=min_score,
        names=names,
        places=places,
        numbers=numbers,
        concepts=concepts,
        contradiction=find_contradiction(a, b, days_apart, score, names) if score >= min_score else None,
        cosine=cosine,
    )


# Reports of one event share the same few again and again. Sorted, so that the sum does not depend on the order.
@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def _weigh_concepts(concepts: frozenset[str]) -> float:
    return sum(map(get_concept_weight, sorted(concepts)))


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def _weigh_places(places: frozenset[str]) -> float:
    return sum(map(get_place_weight, sorted(places)))


def get_min_score(days_apart: int | None, a_words: int, b_words: int) -> float:
    """Return the score from which two texts report one event. Long texts share more by chance, so they need more."""
    if days_apart is None:
        min_score = MIN_SCORE_UNDATED
    else:
        min_score = MIN_SCORE_BY_DAYS.get(days_apart, MIN_SCORE_BY_DAYS[MAX_DAYS_APART])
    length_ratio = math.sqrt(a_words * b_words) / REFERENCE_WORDS
    return round(min_score * math.pow(max(1.0, length_ratio), LENGTH_EXPONENT), 2)


def count_days_apart(a: date | None, b: date | None) -> int | None:
    """Return the days between two dates, None if one is unknown."""
    return None if a is None or b is None else abs((a - b).days)
