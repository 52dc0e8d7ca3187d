"""Find what says that two texts report two events although they share enough: what one event has only one of.

Hosts, numbers of a series, days, figures, places and names. Templates (bulletins, telegrams, ceremonies, notices) share
most of their words, so only what a template's blanks are filled with is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from crawler.defaults import load_default_toml
from crawler.similarity.features import MIN_PREFIX_LETTERS, EventFeatures, EventName
from crawler.similarity.fingerprint import MAX_DAYS_APART
from crawler.similarity.places import select_foreign_countries, select_local_places

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
MIN_SHARED_FIGURES, MIN_FIGURE, MIN_FIGURES = 0.5, 10, 2
"""Share of its figures that a daily bulletin needs in common with another of the same day; smaller numbers are not
counted, nor are fewer of them."""
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


class EventPhases(NamedTuple):
    """The words of an earlier and a later phase of events that have one of these concepts."""

    concepts: frozenset[str]
    earlier: re.Pattern[str]
    later: re.Pattern[str]


def find_contradiction(a: EventFeatures, b: EventFeatures, days_apart: int | None, score: float) -> str | None:
    """Return why two texts report two events, as a phrase, or None."""
    if days_apart is not None and days_apart > MAX_DAYS_APART:
        return f"{days_apart} days apart"
    if days_apart is None and a.lead.days and b.lead.days and not a.lead.days & b.lead.days:
        return "different days"
    if score < MIN_SCORE_OVER_DAYS and a.lead.days and b.lead.days and _are_far_apart(a, b):
        return "different days"
    return find_other_facts(a, b) or _find_other_names(a, b, score) or _find_nothing_particular(a, b)


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
    return find_other_facts(a, b) or _find_other_names(a, b, 0.0)


def _share_most_figures(a: EventFeatures, b: EventFeatures) -> bool:
    figures = [{number for number in each.numbers if number >= MIN_FIGURE} for each in (a, b)]
    fewest = min(map(len, figures))
    return fewest >= MIN_FIGURES and len(figures[0] & figures[1]) > MIN_SHARED_FIGURES * fewest


def find_other_facts(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if the leads state a fact of which one event has only one, and state it differently."""
    checks: tuple[Callable[[EventFeatures, EventFeatures], str | None], ...] = (
        _find_other_hosts,
        _find_other_series,
        _find_other_bulletin,
        _find_other_counts,
        _find_other_causes,
        _find_other_countries,
        _find_other_local_places,
        _find_other_phase,
    )
    return next((reason for check in checks if (reason := check(a, b))), None)


def _find_other_hosts(a: EventFeatures, b: EventFeatures) -> str | None:
    if "meeting" not in a.lead.concepts | b.lead.concepts:
        return None
    hosts = sorted(host for each in (a, b) if (host := find_host_office(each.lead.plain_text)))
    return f"different hosts: {hosts[0]} and {hosts[1]}" if len(set(hosts)) > 1 else None


def _find_other_series(a: EventFeatures, b: EventFeatures) -> str | None:
    series = [find_ordinals(each.lead.plain_text) for each in (a, b)]
    if all(series) and not series[0] & series[1] and max(series[0] | series[1]) > 1:
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
    if "daily" not in a.concepts & b.concepts:
        return None
    figures = [{number for number in each.numbers if number >= MIN_FIGURE} for each in (a, b)]
    fewest = min(map(len, figures))
    is_other = fewest >= MIN_FIGURES and len(figures[0] & figures[1]) < MIN_SHARED_FIGURES * fewest
    return "different figures of a daily bulletin" if is_other else None


def _find_other_counts(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if each lead counts one kind of thing, and the other text has other numbers of it."""
    kinds = sorted(a.lead.counts.keys() & b.lead.counts.keys())
    other = (k for k in kinds if not _has_count(b, k, a.lead.counts[k]) and not _has_count(a, k, b.lead.counts[k]))
    return next((f"different numbers: {kind}" for kind in other), None)


def _has_count(text: EventFeatures, kind: str, values: Collection[float]) -> bool:
    """Return whether a text has nearly one of these numbers of a kind."""
    own = text.counts[kind]
    return any(abs(one - value) <= COUNT_TOLERANCE * max(one, value) for one in own for value in values)


def _find_other_causes(a: EventFeatures, b: EventFeatures) -> str | None:
    if "condolence" not in a.concepts & b.concepts:
        return None
    causes = [each.lead.concepts & _load_causes() for each in (a, b)]
    return "different causes" if all(causes) and not causes[0] & causes[1] else None


def _find_other_countries(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if both leads name foreign countries, and each text lacks those of the other lead."""
    countries = [select_foreign_countries(each.places) for each in (a, b)]
    leads = [select_foreign_countries(each.lead.places) for each in (a, b)]
    if "credentials" in a.concepts & b.concepts and all(countries):
        shared = len(countries[0] & countries[1])
        return "different countries" if shared < MIN_SHARED_COUNTRIES * min(map(len, countries)) else None
    if all(leads) and not leads[0] & countries[1] and not leads[1] & countries[0]:
        return "different countries"
    return None


def _find_other_local_places(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if both leads name towns or provinces, and each text lacks those of the other lead."""
    places = [select_local_places(each.places) for each in (a, b)]
    leads = [select_local_places(each.lead.places) for each in (a, b)]
    if all(leads) and not leads[0] & places[1] and not leads[1] & places[0]:
        return "different places"
    return None


def _find_other_phase(a: EventFeatures, b: EventFeatures) -> str | None:
    for name, phases in _get_phases().items():
        if a.lead.concepts & b.lead.concepts & phases.concepts:
            found = [_find_phase(each.lead.plain_text.lower(), phases) for each in (a, b)]
            if None not in found and found[0] != found[1]:
                return f"different phases: {name}"
    return None


def _find_phase(lead: str, phases: EventPhases) -> bool | None:
    """Return whether a lead reports the later phase, None if it names neither or both."""
    is_later = phases.later.search(lead) is not None
    return None if is_later is (phases.earlier.search(lead) is not None) else is_later


def _find_other_names(a: EventFeatures, b: EventFeatures, score: float) -> str | None:
    """Return a phrase if the leads name different people and places."""
    unshared = min(_weigh_unshared_names(a, b), _weigh_unshared_names(b, a))
    unshared -= NUMBER_RELIEF * sum(map(get_number_weight, a.numbers & b.numbers))
    is_translation = a.is_translation_of(b)
    is_meeting = "meeting" in a.lead.concepts & b.lead.concepts
    min_weight = MIN_UNSHARED_GUEST_WEIGHT if is_meeting else MIN_UNSHARED_NAME_WEIGHT
    if unshared < min_weight + TRANSLATION_ALLOWANCE * is_translation:
        return None
    if is_translation and not is_meeting and unshared <= score:
        return None
    if not is_meeting and sum(weight for _, weight in list_shared_names(a, b)) >= MIN_NAME_OVERLAP * unshared:
        return None
    return f"each lead names what the other text lacks ({unshared:g})"


def _find_nothing_particular(a: EventFeatures, b: EventFeatures) -> str | None:
    """Return a phrase if two texts of one language share words and subjects, but no name, place or figure."""
    if a.is_translation_of(b) or any(weight >= MIN_PARTICULAR_WEIGHT for _, weight in list_shared_names(a, b)):
        return None
    places = a.places & b.places
    if select_foreign_countries(places) or select_local_places(places):
        return None
    if any(number >= MIN_FIGURE for number in a.numbers & b.numbers):
        return None
    unshared = min(_weigh_unshared_names(a, b), _weigh_unshared_names(b, a))
    return "no name, place or figure in common" if unshared >= MIN_PARTICULAR_WEIGHT else None


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


def _weigh_unshared_names(a: EventFeatures, b: EventFeatures) -> float:
    """Return the weight of the certain names in the lead of `a` that `b` does not have at all."""
    return sum(name.unshared_weight for name in a.lead.names.values() if name.is_certain and not _has_name(b, name))


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
