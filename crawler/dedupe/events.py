"""Whether two texts tell of one event: what they share of names, numbers and concepts, against what speaks for two."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from crawler.dedupe.concepts import WEIGHTS
from crawler.dedupe.features import Features, Name
from crawler.dedupe.hosts import hosts, ordinals
from crawler.dedupe.meaning import NEAR, WEIGHT

WINDOW = 3
"""Days that two reports of one event may lie apart."""
NEEDED = {0: 3.2, 1: 4.0, 2: 5.0, 3: 5.0}
"""Overlap that makes one story of two texts, by the days between them."""
NEEDED_UNDATED = 8.0
SHORT = 100
"""Words of a text for which these figures hold as they stand."""
STEMS, STEMS_BY_CHANCE = 5.0, 0.15
"""Overlap that two texts get when every longer word of the shorter stands in the other, and the share of such words
that any two texts of one language have in common."""
LONE = 5.0
LONE_GUEST = 3.0
"""What the names of a lead that the other text lacks must weigh, on both sides, to speak for two events: less where
both leads tell of a meeting, whose guest is named in either."""
FOREIGN = 1.0
"""Added to both between languages, where a name may be lost on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What two texts share; `shared` names it for people, `against` says what makes two events of them all the same;
    `nearness` is how near their meanings are, where that was asked."""

    score: float
    needed: float
    shared: tuple[str, ...]
    against: str | None
    nearness: float | None = None

    @property
    def is_one_event(self) -> bool:
        """Whether it is enough, with nothing against it."""
        return self.against is None and self.score >= self.needed


def overlap(a: Features, b: Features, apart: int | None, near: Callable[[], float] | None = None) -> Overlap:
    """What two texts share, `apart` days from each other (None: unknown). The same with a and b exchanged.

    `near` says how near their meanings are; it is asked only between languages, and only where it can decide.
    """
    names = shared_names(a, b)
    values = sorted(a.numbers & b.numbers)
    ideas = sorted(a.concepts & b.concepts)
    stems = max(0.0, len(a.stems & b.stems) / max(1, min(len(a.stems), len(b.stems))) - STEMS_BY_CHANCE)
    score = sum(map(weight_of, values)) + sum(WEIGHTS[idea] for idea in ideas) + STEMS * stems
    score += sum(weight for _, weight in names)
    needed = NEEDED_UNDATED if apart is None else NEEDED.get(apart, NEEDED[WINDOW])
    needed = round(needed * by_length(len(a.text.words) * len(b.text.words)), 2)
    nearness = None
    if near is not None and needed - WEIGHT <= score < needed and a.language != b.language:
        nearness = round(near(), 4)
        score += WEIGHT if nearness >= NEAR else 0
    shared = (*(name for name, _ in names), *(f"{value:g}" for value in values), *ideas)
    doubt = against(a, b, apart, score) if score >= needed else None
    return Overlap(score=round(score, 6), needed=needed, shared=shared, against=doubt, nearness=nearness)


def by_length(product: int) -> float:
    """How much more two long texts need, which have more in common by chance; `product` of their words."""
    return math.pow(max(1.0, math.sqrt(product) / SHORT), 0.6)


def shared_names(a: Features, b: Features) -> list[tuple[str, float]]:
    """The names both have, by a form of theirs, with their weights."""
    found: dict[str, float] = {}
    for form in a.forms & b.forms:
        for name in a.by_form[form]:
            for other in b.by_form[form]:
                if name.sure or other.sure:
                    key = min(name.forms & other.forms)
                    found[key] = min(name.shared_weight, other.shared_weight, found.get(key, 9.0))
    return sorted((key, weight) for key, weight in found.items() if weight)


def weight_of(value: float) -> float:
    """What a shared number says: "two" is everywhere, 471 is not."""
    return 0.4 if value < 10 else 1.0 if value < 100 else 2.0


def against(a: Features, b: Features, apart: int | None, score: float) -> str | None:
    """What makes two events of two texts, in words; None when nothing does."""
    if apart is not None and apart > WINDOW:
        return f"{apart} days apart"
    texts = [" ".join(sentence.text for sentence in part.lead.text.sentences) for part in (a, b)]
    if "meeting" in a.lead.concepts | b.lead.concepts:
        one, other = hosts(texts[0]), hosts(texts[1])
        if one and other and one != other:
            return "different hosts: " + " and ".join(sorted((one, other)))
    series = [ordinals(text) for text in texts]
    if all(series) and not series[0] & series[1] and max(series[0] | series[1]) > 1:
        return "different numbers of a series"
    if apart is None and (when := _other_time(a, b)):
        return when
    return _other_names(a, b, score)


def _other_names(a: Features, b: Features, score: float) -> str | None:
    """Leads that name different people and places. A shared number outweighs some of that."""
    lone = min(_lone(a, b), _lone(b, a)) - 1.5 * sum(map(weight_of, a.numbers & b.numbers))
    foreign = a.language != b.language
    meetings = "meeting" in a.lead.concepts & b.lead.concepts
    enough = (LONE_GUEST if meetings else LONE) + FOREIGN * foreign
    if lone < enough or (foreign and not meetings and lone <= score):
        return None
    return f"each lead names what the other text lacks ({lone:g})"


def _lone(a: Features, b: Features) -> float:
    """What the sure names of a's lead weigh that b has nowhere."""
    return sum(name.lone_weight for name in a.lead.names.values() if name.sure and not _has(b, name))


def _has(text: Features, name: Name) -> bool:
    if name.forms & text.forms:
        return True
    # An ending that was not taken off: one form begins the other.
    return any(
        min(len(form), len(known)) >= 3 and (form.startswith(known) or known.startswith(form))
        for form in name.forms
        for known in text.forms
    )


def _other_time(a: Features, b: Features) -> str | None:
    """Texts without dates: the days they name speak, where both name some."""
    one, other = a.lead.days, b.lead.days
    return "different days" if one and other and not one & other else None


def days_apart(a: date | None, b: date | None) -> int | None:
    """Days between two dates, None when one is unknown."""
    return None if a is None or b is None else abs((a - b).days)
