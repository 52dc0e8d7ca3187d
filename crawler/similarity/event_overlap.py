"""Whether two texts tell of one event: what they share of names, numbers and concepts, against what speaks for two."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from crawler.similarity.concepts import CONCEPT_WEIGHTS
from crawler.similarity.features import EventFeatures, EventName
from crawler.similarity.host_office import find_host_office, find_ordinals
from crawler.similarity.semantic import MIN_COSINE, SEMANTIC_SCORE

MAX_DAYS_APART = 3
"""Days that two reports of one event may lie apart."""
MIN_SCORE_BY_DAYS = {0: 3.2, 1: 4.0, 2: 5.0, 3: 5.0}
"""Overlap that makes one story of two texts, by the days between them."""
MIN_SCORE_UNDATED = 8.0
REFERENCE_WORDS = 100
"""Words of a text for which these figures hold as they stand."""
MAX_STEM_SCORE, CHANCE_STEM_SHARE = 5.0, 0.15
"""Overlap that two texts get when every longer word of the shorter stands in the other, and the share of such words
that any two texts of one language have in common."""
MIN_UNSHARED_NAME_WEIGHT = 5.0
MIN_UNSHARED_GUEST_WEIGHT = 3.0
"""What the names of a lead that the other text lacks must weigh, on both sides, to speak for two events: less where
both leads tell of a meeting, whose guest is named in either."""
TRANSLATION_ALLOWANCE = 1.0
"""Added to both between languages, where a name may be lost on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOverlap:
    """What two texts share; `shared` names it for people, `against` says what makes two events of them all the same;
    `nearness` is how near their meanings are, where that was asked."""

    score: float
    min_score: float
    shared: tuple[str, ...]
    contradiction: str | None
    cosine: float | None = None

    @property
    def is_one_event(self) -> bool:
        """Whether it is enough, with nothing against it."""
        return self.contradiction is None and self.score >= self.min_score


def measure_overlap(
    a: EventFeatures, b: EventFeatures, days_apart: int | None, get_cosine: Callable[[], float] | None = None
) -> EventOverlap:
    """What two texts share, `apart` days from each other (None: unknown). The same with a and b exchanged.

    `near` says how near their meanings are; it is asked only between languages, and only where it can decide.
    """
    names = list_shared_names(a, b)
    values = sorted(a.numbers & b.numbers)
    ideas = sorted(a.concepts & b.concepts)
    stems = max(0.0, len(a.stems & b.stems) / max(1, min(len(a.stems), len(b.stems))) - CHANCE_STEM_SHARE)
    score = sum(map(get_number_weight, values)) + sum(CONCEPT_WEIGHTS[idea] for idea in ideas) + MAX_STEM_SCORE * stems
    score += sum(weight for _, weight in names)
    needed = (
        MIN_SCORE_UNDATED
        if days_apart is None
        else MIN_SCORE_BY_DAYS.get(days_apart, MIN_SCORE_BY_DAYS[MAX_DAYS_APART])
    )
    needed = round(needed * get_length_factor(len(a.text.words) * len(b.text.words)), 2)
    nearness = None
    if get_cosine is not None and needed - SEMANTIC_SCORE <= score < needed and a.language != b.language:
        nearness = round(get_cosine(), 4)
        score += SEMANTIC_SCORE if nearness >= MIN_COSINE else 0
    shared = (*(name for name, _ in names), *(f"{value:g}" for value in values), *ideas)
    doubt = find_contradiction(a, b, days_apart, score) if score >= needed else None
    return EventOverlap(score=round(score, 6), min_score=needed, shared=shared, contradiction=doubt, cosine=nearness)


def get_length_factor(product: int) -> float:
    """How much more two long texts need, which have more in common by chance; `product` of their words."""
    return math.pow(max(1.0, math.sqrt(product) / REFERENCE_WORDS), 0.6)


def list_shared_names(a: EventFeatures, b: EventFeatures) -> list[tuple[str, float]]:
    """The names both have, by a form of theirs, with their weights."""
    found: dict[str, float] = {}
    for form in a.forms & b.forms:
        for name in a.names_by_form[form]:
            for other in b.names_by_form[form]:
                if name.is_certain or other.is_certain:
                    key = min(name.forms & other.forms)
                    found[key] = min(name.shared_weight, other.shared_weight, found.get(key, 9.0))
    return sorted((key, weight) for key, weight in found.items() if weight)


def get_number_weight(value: float) -> float:
    """What a shared number says: "two" is everywhere, 471 is not."""
    return 0.4 if value < 10 else 1.0 if value < 100 else 2.0


def find_contradiction(a: EventFeatures, b: EventFeatures, days_apart: int | None, score: float) -> str | None:
    """What makes two events of two texts, in words; None when nothing does."""
    if days_apart is not None and days_apart > MAX_DAYS_APART:
        return f"{days_apart} days apart"
    texts = [" ".join(sentence.text for sentence in part.lead.text.sentences) for part in (a, b)]
    if "meeting" in a.lead.concepts | b.lead.concepts:
        one, other = find_host_office(texts[0]), find_host_office(texts[1])
        if one and other and one != other:
            return "different hosts: " + " and ".join(sorted((one, other)))
    series = [find_ordinals(text) for text in texts]
    if all(series) and not series[0] & series[1] and max(series[0] | series[1]) > 1:
        return "different numbers of a series"
    if days_apart is None and (when := _find_other_days(a, b)):
        return when
    return _find_other_names(a, b, score)


def _find_other_names(a: EventFeatures, b: EventFeatures, score: float) -> str | None:
    """Leads that name different people and places. A shared number outweighs some of that."""
    lone = min(_weigh_unshared_names(a, b), _weigh_unshared_names(b, a)) - 1.5 * sum(
        map(get_number_weight, a.numbers & b.numbers)
    )
    foreign = a.language != b.language
    meetings = "meeting" in a.lead.concepts & b.lead.concepts
    enough = (MIN_UNSHARED_GUEST_WEIGHT if meetings else MIN_UNSHARED_NAME_WEIGHT) + TRANSLATION_ALLOWANCE * foreign
    if lone < enough or (foreign and not meetings and lone <= score):
        return None
    return f"each lead names what the other text lacks ({lone:g})"


def _weigh_unshared_names(a: EventFeatures, b: EventFeatures) -> float:
    """What the sure names of a's lead weigh that b has nowhere."""
    return sum(name.unshared_weight for name in a.lead.names.values() if name.is_certain and not _has_name(b, name))


def _has_name(text: EventFeatures, name: EventName) -> bool:
    if name.forms & text.forms:
        return True
    # An ending that was not taken off: one form begins the other.
    return any(
        min(len(form), len(known)) >= 3 and (form.startswith(known) or known.startswith(form))
        for form in name.forms
        for known in text.forms
    )


def _find_other_days(a: EventFeatures, b: EventFeatures) -> str | None:
    """Texts without dates: the days they name speak, where both name some."""
    one, other = a.lead.days, b.lead.days
    return "different days" if one and other and not one & other else None


def count_days_apart(a: date | None, b: date | None) -> int | None:
    """Days between two dates, None when one is unknown."""
    return None if a is None or b is None else abs((a - b).days)
