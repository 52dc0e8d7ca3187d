"""The words for what a change touches and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What a change touches: a claim, the wording or form, or a whole sentence, field or page."""

    FIGURES = "figures"
    DATES = "dates"
    LIMITS = "limits"
    NAMES = "names"
    NEGATION = "negation"
    ATTRIBUTION = "attribution"
    MODALITY = "modality"
    QUANTIFIERS = "quantifiers"
    FREQUENCY = "frequency"
    STANCE = "stance"
    ACTIONS = "actions"
    QUALITIES = "qualities"
    PARTICIPANTS = "participants"
    INSTRUMENTS = "instruments"
    ROLES = "roles"
    CLAUSE = "clause"
    WORDING = "wording"
    ORDER = "order"
    PUNCTUATION = "punctuation"
    FORM = "form"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    TITLE = "title"
    LEAD = "lead"
    UNPUBLISHED = "unpublished"
    REPUBLISHED = "republished"
    REPROCESSED = "reprocessed"
    """Nothing that the site did: its archived page was read again by today's page classes and rules."""


class Severity(StrEnum):
    """How severe a change is, the least first."""

    NONE = "none"
    COSMETIC = "cosmetic"
    EDITORIAL = "editorial"
    SUBSTANTIVE = "substantive"


SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChange:
    """A claim that differs between two sentences. `old` and `new` are its words, empty if there are none."""

    kind: ChangeKind
    old: str
    new: str
