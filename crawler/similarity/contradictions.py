"""Find what says that two texts report two events although they share enough: what one event has only one of.

Hosts, numbers of a series, days, figures, places and names. Templates (bulletins, telegrams, ceremonies, notices) share
most of their words, so only what a template's blanks are filled with is compared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from crawler.defaults import load_default_toml
from crawler.similarity.features import (
    MAX_REMEMBERED_NAMES,
    MIN_PREFIX_LETTERS,
    EventFeatures,
    EventName,
    weigh_shared_forms,
)
from crawler.similarity.fingerprint import MAX_DAYS_APART
from crawler.similarity.places import select_foreign_countries

MIN_UNSHARED_NAME_WEIGHT, MIN_UNSHARED_GUEST_WEIGHT = 5.0, 3.0
"""Weight from which the names that only one lead has, on both sides, speak for two events. It is lower if both leads
report a meeting, because either lead names the guest."""
TRANSLATION_ALLOWANCE = 1.0
"""Added to both between languages, because a name may be lost in translation."""
NUMBER_RELIEF = 1.5
"""A shared number takes this multiple of its weight off the weight of unshared names."""
MIN_NAME_OVERLAP = 0.75
"""Shared names and places of this multiple of the weight of the unshared ones outweigh them."""
MIN_PARTICULAR_WEIGHT = 1.5
"""Weight from which a name distinguishes one event from others of its kind."""
MIN_SHARED_FIGURES, MIN_FIGURES = 0.5, 2
"""Share of its figures that a daily bulletin needs in common with another of the same day; fewer do not count."""
MAX_TEMPLATE_JACCARD, MIN_EDIT_JACCARD = 0.8, 0.6
"""Texts of a greater Jaccard are one text with a correction. Others may be two texts of one template: a telegram of
condolence to another head of state, or a notice of another embassy. From the lower one on, figures in common decide."""
MIN_DAYS_BETWEEN_YEARS = 180
MIN_SHARED_COUNTRIES = 0.5
"""Share of their countries that two reports of one credentials ceremony have in common."""
COUNT_TOLERANCE = 0.05
"""Difference of two numbers of one thing: "almost 700" is 697."""
MIN_SCORE_OVER_DAYS = 10.0
"""Score from which two reports may name other days, such as the day itself and that of a later conference."""
MAX_CACHED_LEADS = 2000
DAYS_A_MONTH, DAYS_A_YEAR = 31, 372
"""Roughly: days are compared only to tell whether they are far from each other."""
_WRITTEN_ORDINAL = r"(?P<written>\b\d{1,3})-?(?:th|nd|rd|st|[йя]|ая|ый|ой|го|шы|ші)\b"
_NOT_A_SERIES = re.compile(
    r"[\s-]*(?:deputy|vice|lady|time|of all|зам|заместит|вице|леди|раз\b|орынбасар|чтени|committee|degree|степен)"
)
"""What follows an ordinal that is no number of a series: "first deputy", "first lady"."""


SharedNames = Sequence[tuple[str, float]]
"""A common form of each name that two texts share, and the name's weight."""


class EventPhases(NamedTuple):
    """The words of an earlier and a later phase of events that have one of these concepts."""

    concepts: frozenset[str]
    earlier: re.Pattern[str]
    later: re.Pattern[str]


def find_contradiction(
    a: EventFeatures, b: EventFeatures, days_apart: int | None, score: float, names: SharedNames
) -> str | None:
    """Return why two texts report two events, as a phrase, or None. `names` are those of `list_shared_names`."""
    if days_apart is not None and days_apart > MAX_DAYS_APART:
        return f"{days_apart} days apart"
    if days_apart is None and a.lead.days and b.lead.days and not a.lead.days & b.lead.days:
        return "different days"
    if score < MIN_SCORE_OVER_DAYS and a.lead.days and b.lead.days and _are_far_apart(a, b):
        return "different days"
    return find_other_facts(a, b) or _find_other_names(a, b, score, names) or _find_nothing_particular(a, b, names)


def find_other_template_facts(a: EventFeatures, b: EventFeatures, days_apart: int | None, jaccard: float) -> str | None:
    """Return a phrase if two texts with most words in common are one template, filled in for two events.

    Names count only if the texts share hardly any, because two edits of one text have its names in common. The figures
    in common outweigh another lead.
    """
    if days_apart is not None and days_apart > MIN_DAYS_BETWEEN_YEARS and a.years and b.years and not a.years & b.years:
        return "different years"
    if other_figures := _find_other_bulletin(a, b):
        return other_figures
    if jaccard >= MAX_TEMPLATE_JACCARD:
        return None
    if a.days and b.days and _are_far_apart(a, b):
        return "different days"
    if jaccard >= MIN_EDIT_JACCARD and _share_most_figures(a, b):
        return None
    return find_other_facts(a, b) or _find_other_names(a, b, 0.0, list_shared_names(a, b))


def _share_most_figures(a: EventFeatures, b: EventFeatures) -> bool:
    fewest = min(len(a.figures), len(b.figures))
    return fewest >= MIN_FIGURES and len(a.figures & b.figures) > MIN_SHARED_FIGURES * fewest


def find_other_facts(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if the leads state a fact of which one event has only one, and state it differently."""
    return (
        _find_other_hosts(a, b)
        or _find_other_series(a, b)
        or _find_other_bulletin(a, b)
        or _find_other_counts(a, b)
        or _find_other_causes(a, b)
        or _find_other_countries(a, b)
        or _find_other_local_places(a, b)
        or _find_other_phase(a, b)
    )


def _find_other_hosts(a: EventFeatures, b: EventFeatures) -> str | None:
    if "meeting" not in a.lead.concepts and "meeting" not in b.lead.concepts:
        return None
    hosts = sorted(host for each in (a, b) if (host := find_host_office(each.lead.plain_text)))
    return f"different hosts: {hosts[0]} and {hosts[1]}" if len(set(hosts)) > 1 else None


def _find_other_series(a: EventFeatures, b: EventFeatures) -> str | None:
    one, other = find_ordinals(a.lead.plain_text), find_ordinals(b.lead.plain_text)
    if one and other and not one & other and max(one | other) > 1:
        return "different numbers of a series"
    return None


def _are_far_apart(a: EventFeatures, b: EventFeatures) -> bool:
    """Return whether each day that one text names is far from each of the other."""
    return min(_count_days_between(one, other) for one in a.days for other in b.days) > MAX_DAYS_APART


def _count_days_between(one: tuple[int, int], other: tuple[int, int]) -> int:
    apart = abs((one[0] - other[0]) * DAYS_A_MONTH + one[1] - other[1])
    return min(apart, DAYS_A_YEAR - apart)


def _find_other_bulletin(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if both are daily bulletins, of other figures."""
    if not _share_concept("daily", a, b):
        return None
    fewest = min(len(a.figures), len(b.figures))
    is_other = fewest >= MIN_FIGURES and len(a.figures & b.figures) < MIN_SHARED_FIGURES * fewest
    return "different figures of a daily bulletin" if is_other else None


def _find_other_counts(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if each lead counts one kind of thing, and the other text has other numbers of it."""
    if not a.lead.counts or not b.lead.counts:
        return None
    kinds = sorted(a.lead.counts.keys() & b.lead.counts.keys())
    other = (k for k in kinds if not _has_count(b, k, a.lead.counts[k]) and not _has_count(a, k, b.lead.counts[k]))
    return next((f"different numbers: {kind}" for kind in other), None)


def _has_count(text: EventFeatures, kind: str, values: Collection[float]) -> bool:
    """Return whether a text has nearly one of these numbers of a kind."""
    own = text.counts[kind]
    return any(abs(one - value) <= COUNT_TOLERANCE * max(one, value) for one in own for value in values)


def _find_other_causes(a: EventFeatures, b: EventFeatures) -> str | None:
    if not _share_concept("condolence", a, b):
        return None
    causes = [each.lead.concepts & _load_causes() for each in (a, b)]
    return "different causes" if all(causes) and not causes[0] & causes[1] else None


def _find_other_countries(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if both leads name foreign countries, and each text lacks those of the other lead."""
    if _share_concept("credentials", a, b) and a.foreign_countries and b.foreign_countries:
        fewest = min(len(a.foreign_countries), len(b.foreign_countries))
        is_other = len(a.foreign_countries & b.foreign_countries) < MIN_SHARED_COUNTRIES * fewest
        return "different countries" if is_other else None
    leads = a.lead.foreign_countries, b.lead.foreign_countries
    if all(leads) and not leads[0] & b.foreign_countries and not leads[1] & a.foreign_countries:
        return "different countries"
    return None


def _find_other_local_places(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if both leads name towns or provinces, and each text lacks those of the other lead."""
    leads = a.lead.local_places, b.lead.local_places
    if all(leads) and not leads[0] & b.local_places and not leads[1] & a.local_places:
        return "different places"
    return None


def _find_other_phase(a: EventFeatures, b: EventFeatures) -> str | None:
    concepts = a.lead.concepts & b.lead.concepts
    for name, phases in _get_phases().items() if concepts else ():
        if concepts & phases.concepts:
            found = [_find_phase(each.lead.plain_text.lower(), phases) for each in (a, b)]
            if None not in found and found[0] != found[1]:
                return f"different phases: {name}"
    return None


def _find_phase(lead: str, phases: EventPhases) -> bool | None:
    """Return whether a lead reports the later phase, None if it names neither or both."""
    is_later = phases.later.search(lead) is not None
    return None if is_later is (phases.earlier.search(lead) is not None) else is_later


def _find_other_names(a: EventFeatures, b: EventFeatures, score: float, names: SharedNames) -> str | None:
    """Return a phrase if the leads name different people and places."""
    unshared = _weigh_unshared_names(a, b)
    unshared -= NUMBER_RELIEF * weigh_numbers(a.numbers & b.numbers)
    is_translation = a.is_translation_of(b)
    is_meeting = _share_concept("meeting", a.lead, b.lead)
    min_weight = MIN_UNSHARED_GUEST_WEIGHT if is_meeting else MIN_UNSHARED_NAME_WEIGHT
    if unshared < min_weight + TRANSLATION_ALLOWANCE * is_translation:
        return None
    if is_translation and not is_meeting and unshared <= score:
        return None
    if not is_meeting and sum(weight for _, weight in names) >= MIN_NAME_OVERLAP * unshared:
        return None
    return f"each lead names what the other text lacks ({unshared:g})"


def _find_nothing_particular(a: EventFeatures, b: EventFeatures, names: SharedNames) -> str | None:
    """Return a phrase if two texts of one language share words and subjects, but no name, place or figure."""
    if a.is_translation_of(b) or any(weight >= MIN_PARTICULAR_WEIGHT for _, weight in names):
        return None
    if select_foreign_countries(a.places & b.places) or a.local_places & b.local_places or a.figures & b.figures:
        return None
    unshared = _weigh_unshared_names(a, b)
    return "no name, place or figure in common" if unshared >= MIN_PARTICULAR_WEIGHT else None


def _share_concept(concept: str, a: EventFeatures, b: EventFeatures) -> bool:
    return concept in a.concepts and concept in b.concepts


def list_shared_names(a: EventFeatures, b: EventFeatures) -> SharedNames:
    """Return the names that both texts have, by a common form, with their weights. One text must have it certain."""
    weights: dict[str, float] = {}
    # Most common forms are words that begin a sentence in both, so that neither is certain.
    for form in (a.certain_forms & b.forms) | (a.forms & b.certain_forms):
        for name in a.names_by_form[form]:
            for other in b.names_by_form[form]:
                if name.is_certain or other.is_certain:
                    key, weight = _weigh_shared_name(name.forms, other.forms)
                    weights[key] = min(weight, weights.get(key, weight))
    return sorted((key, weight) for key, weight in weights.items() if weight)


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)  # reports of one event share the same names again and again
def _weigh_shared_name(one: frozenset[str], other: frozenset[str]) -> tuple[str, float]:
    """Return a common form of two names that share one, and the lower one of their weights."""
    return min(one & other), min(weigh_shared_forms(one), weigh_shared_forms(other))


def get_number_weight(value: float) -> float:
    """Return how much a shared number says: "two" is in every text, 471 is not."""
    return 0.4 if value < 10 else 1.0 if value < 100 else 2.0


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def weigh_numbers(values: frozenset[float]) -> float:
    """Return how much shared numbers say."""
    return sum(map(get_number_weight, sorted(values)))


def _weigh_unshared_names(a: EventFeatures, b: EventFeatures) -> float:
    """Return the weight of the certain names in the lead of one text that the other does not have at all.

    It is the lower one of the two weights.
    """
    one = sum(name.unshared_weight for name in a.lead.certain_names if not _has_name(b, name))
    if not one:
        return 0.0
    return min(one, sum(name.unshared_weight for name in b.lead.certain_names if not _has_name(a, name)))


def _has_name(text: EventFeatures, name: EventName) -> bool:
    if name.forms & text.forms:
        return True
    # A case ending that was not removed: one form begins the other.
    return not text.form_beginnings.isdisjoint(name.forms) or any(
        form[:end] in text.forms for form in name.forms for end in range(MIN_PREFIX_LETTERS, len(form))
    )


@lru_cache(maxsize=MAX_CACHED_LEADS)
def find_host_office(lead: str) -> str | None:
    """Return the office of the host: of several offices in a lead, the one named first. None if it names none."""
    lower = lead.lower()
    places = {office: at.start() for office, pattern in _get_office_patterns().items() if (at := pattern.search(lower))}
    return min(places, key=lambda office: places[office]) if places else None


@lru_cache(maxsize=MAX_CACHED_LEADS)
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


@cache
def _load_causes() -> frozenset[str]:
    return frozenset(load_default_toml("event_facts.toml")["causes"]["concepts"].split())


@cache
def _get_phases() -> Mapping[str, EventPhases]:
    """Return the phases by name."""
    return {
        name: EventPhases(
            frozenset(phase["concepts"].split()), _compile_starts(phase["earlier"]), _compile_starts(phase["later"])
        )
        for name, phase in load_default_toml("event_facts.toml")["phases"].items()
    }


def _compile_starts(starts: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(starts.split())})")


@cache
def _get_office_patterns() -> Mapping[str, re.Pattern[str]]:
    offices = load_default_toml("host_offices.toml")["offices"]
    return {office: re.compile("|".join(patterns)) for office, patterns in offices.items()}


@cache
def _get_ordinal_pattern() -> re.Pattern[str]:
    ordinals = load_default_toml("host_offices.toml")["ordinals"]
    named = [rf"(?P<n{number}>\b(?:{'|'.join(starts.split())})\w*)" for number, starts in ordinals.items()]
    return re.compile("|".join([*named, _WRITTEN_ORDINAL]))
