"""Decide whether two texts report one event: what they share, against what speaks for two events.

Names, numbers and concepts in common speak for one event. Different hosts, numbers of a series, names or days speak for
two (`defaults/host_offices.toml`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from crawler.defaults import load_default_toml
from crawler.similarity.concepts import get_concept_weight
from crawler.similarity.features import EventFeatures, EventName
from crawler.similarity.semantic import MIN_COSINE, SEMANTIC_SCORE

MAX_DAYS_APART = 3
"""Most days between two reports of one event."""
MIN_SCORE_BY_DAYS = {0: 3.2, 1: 4.0, 2: 5.0, 3: 5.0}
"""Score from which two texts report one event, by the days between them."""
MIN_SCORE_UNDATED = 8.0
REFERENCE_WORDS = 100
"""Words of a text for which the minimum scores hold unchanged."""
LENGTH_EXPONENT = 0.6
MAX_STEM_SCORE, CHANCE_STEM_SHARE = 5.0, 0.15
"""Score of two texts if the other has every longer word of the shorter one, and the share of such words that any two
texts of one language have in common."""
MIN_UNSHARED_NAME_WEIGHT, MIN_UNSHARED_GUEST_WEIGHT = 5.0, 3.0
"""Weight from which the names that only one lead has, on both sides, speak for two events. It is lower if both leads
report a meeting, because either lead names the guest."""
TRANSLATION_ALLOWANCE = 1.0
"""Added to both between languages, because a name may be lost in translation."""
NUMBER_RELIEF = 1.5
"""A shared number takes this multiple of its weight off the weight of unshared names."""
MIN_PREFIX_LETTERS = 3
_WRITTEN_ORDINAL = r"(?P<written>\b\d{1,3})-?(?:th|nd|rd|st|[йя]|ая|ый|ой|го|шы|ші)\b"
_NOT_A_SERIES = re.compile(
    r"[\s-]*(?:deputy|vice|lady|time|of all|зам|заместит|вице|леди|раз\b|орынбасар|чтени|committee|degree|степен)"
)
"""What follows an ordinal that is no number of a series: "first deputy", "first lady"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOverlap:
    """What two texts share.

    `shared` lists it for a person. `contradiction` says why they report two events although they share enough.
    `cosine` is the nearness of their meanings, if it was computed.
    """

    score: float
    min_score: float
    shared: tuple[str, ...]
    contradiction: str | None
    cosine: float | None = None

    @property
    def is_one_event(self) -> bool:
        """Whether the texts share enough and nothing contradicts."""
        return self.contradiction is None and self.score >= self.min_score


def measure_overlap(
    a: EventFeatures, b: EventFeatures, days_apart: int | None, get_cosine: Callable[[], float] | None = None
) -> EventOverlap:
    """Return what two texts share. The result is the same with the texts exchanged.

    `days_apart` is None if a day is unknown. `get_cosine` is slow, so it is called only between languages, and only if
    it can decide.
    """
    names = list_shared_names(a, b)
    numbers = sorted(a.numbers & b.numbers)
    concepts = sorted(a.concepts & b.concepts)
    stem_share = len(a.stems & b.stems) / max(1, min(len(a.stems), len(b.stems)))
    score = sum(map(get_number_weight, numbers)) + sum(map(get_concept_weight, concepts))
    score += MAX_STEM_SCORE * max(0.0, stem_share - CHANCE_STEM_SHARE)
    score += sum(weight for _, weight in names)
    min_score = get_min_score(days_apart, len(a.text.words), len(b.text.words))
    cosine = None
    can_decide = min_score - SEMANTIC_SCORE <= score < min_score
    if get_cosine is not None and can_decide and a.language != b.language:
        cosine = round(get_cosine(), 4)
        score += SEMANTIC_SCORE if cosine >= MIN_COSINE else 0
    return EventOverlap(
        score=round(score, 6),
        min_score=min_score,
        shared=(*(name for name, _ in names), *(f"{number:g}" for number in numbers), *concepts),
        contradiction=find_contradiction(a, b, days_apart, score) if score >= min_score else None,
        cosine=cosine,
    )


def get_min_score(days_apart: int | None, a_words: int, b_words: int) -> float:
    """Return the score from which two texts report one event. Long texts share more by chance, so they need more."""
    if days_apart is None:
        min_score = MIN_SCORE_UNDATED
    else:
        min_score = MIN_SCORE_BY_DAYS.get(days_apart, MIN_SCORE_BY_DAYS[MAX_DAYS_APART])
    length_ratio = math.sqrt(a_words * b_words) / REFERENCE_WORDS
    return round(min_score * math.pow(max(1.0, length_ratio), LENGTH_EXPONENT), 2)


def list_shared_names(a: EventFeatures, b: EventFeatures) -> list[tuple[str, float]]:
    """Return the names that both texts have, by a common form, with their weights. One text must have it certain."""
    weights: dict[str, float] = {}
    for form in a.forms & b.forms:
        for name in a.names_by_form[form]:
            for other in b.names_by_form[form]:
                if name.is_certain or other.is_certain:
                    key = min(name.forms & other.forms)
                    weight = min(name.shared_weight, other.shared_weight)
                    weights[key] = min(weight, weights.get(key, weight))
    return sorted((key, weight) for key, weight in weights.items() if weight)


def get_number_weight(value: float) -> float:
    """Return how much a shared number says: "two" is in every text, 471 is not."""
    return 0.4 if value < 10 else 1.0 if value < 100 else 2.0


def find_contradiction(a: EventFeatures, b: EventFeatures, days_apart: int | None, score: float) -> str | None:
    """Return why two texts report two events, as a phrase, or None."""
    if days_apart is not None and days_apart > MAX_DAYS_APART:
        return f"{days_apart} days apart"
    leads = [" ".join(sentence.text for sentence in each.lead.text.sentences) for each in (a, b)]
    if "meeting" in a.lead.concepts | b.lead.concepts:
        hosts = [find_host_office(lead) for lead in leads]
        if hosts[0] and hosts[1] and hosts[0] != hosts[1]:
            return f"different hosts: {min(hosts[0], hosts[1])} and {max(hosts[0], hosts[1])}"
    series = [find_ordinals(lead) for lead in leads]
    if all(series) and not series[0] & series[1] and max(series[0] | series[1]) > 1:
        return "different numbers of a series"
    if days_apart is None and a.lead.days and b.lead.days and not a.lead.days & b.lead.days:
        return "different days"
    return _find_other_names(a, b, score)


def _find_other_names(a: EventFeatures, b: EventFeatures, score: float) -> str | None:
    """Return a phrase if the leads name different people and places."""
    unshared = min(_weigh_unshared_names(a, b), _weigh_unshared_names(b, a))
    unshared -= NUMBER_RELIEF * sum(map(get_number_weight, a.numbers & b.numbers))
    is_translation = a.language != b.language
    is_meeting = "meeting" in a.lead.concepts & b.lead.concepts
    min_weight = MIN_UNSHARED_GUEST_WEIGHT if is_meeting else MIN_UNSHARED_NAME_WEIGHT
    if unshared < min_weight + TRANSLATION_ALLOWANCE * is_translation:
        return None
    if is_translation and not is_meeting and unshared <= score:
        return None
    return f"each lead names what the other text lacks ({unshared:g})"


def _weigh_unshared_names(a: EventFeatures, b: EventFeatures) -> float:
    """Return the weight of the certain names in the lead of `a` that `b` does not have at all."""
    return sum(name.unshared_weight for name in a.lead.names.values() if name.is_certain and not _has_name(b, name))


def _has_name(text: EventFeatures, name: EventName) -> bool:
    if name.forms & text.forms:
        return True
    # A case ending that was not removed: one form begins the other.
    return any(
        min(len(form), len(known)) >= MIN_PREFIX_LETTERS and (form.startswith(known) or known.startswith(form))
        for form in name.forms
        for known in text.forms
    )


def find_host_office(lead: str) -> str | None:
    """Return the office of the host: of several offices in a lead, the one named first. None if it names none."""
    lower = lead.lower()
    places = {office: at.start() for office, pattern in _get_office_patterns().items() if (at := pattern.search(lower))}
    return min(places, key=lambda office: places[office]) if places else None


def find_ordinals(lead: str) -> frozenset[int]:
    """Return which events of a series a lead reports: first, third, 56th."""
    lower = lead.lower()
    ordinals = set()
    for match in _get_ordinal_pattern().finditer(lower):
        if _NOT_A_SERIES.match(lower, match.end()):
            continue
        group = match.lastgroup or ""
        ordinals.add(int(match["written"]) if group == "written" else int(group[1:]))
    return frozenset(ordinals)


def count_days_apart(a: date | None, b: date | None) -> int | None:
    """Return the days between two dates, None if one is unknown."""
    return None if a is None or b is None else abs((a - b).days)


@cache
def _get_office_patterns() -> Mapping[str, re.Pattern[str]]:
    offices = load_default_toml("host_offices.toml")["offices"]
    return {office: re.compile("|".join(patterns)) for office, patterns in offices.items()}


@cache
def _get_ordinal_pattern() -> re.Pattern[str]:
    ordinals = load_default_toml("host_offices.toml")["ordinals"]
    named = [rf"(?P<n{number}>\b(?:{'|'.join(starts.split())})\w*)" for number, starts in ordinals.items()]
    return re.compile("|".join([*named, _WRITTEN_ORDINAL]))
