"""The press reviews that users compose, in memory for some hours: Back, a reload or another page loses no draft."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

_Value = TypeVar("_Value", bool, str)
DRAFT_LIFETIME = timedelta(hours=8)
MAX_DRAFTS = 50
"""Drafts in memory, one for each user. The one that was changed longest ago is forgotten."""
MAX_DRAFT_STORIES = 300
"""Stories of a draft, those of all periods that its user looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPeriod:
    """The period and the language of the words around the texts. `problem` is a key of `PERIOD_PROBLEMS`."""

    begin: datetime
    end: datetime
    language: str
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What a person made of the stories: the order of all of them, which are ticked or not, and the lines."""

    order: tuple[str, ...] = ()
    ticks: Mapping[str, bool] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)

    def update(self, later: Composition) -> Composition:
        """Return the composition with what a later one says. What that does not name stays, such as another period."""
        order = tuple(dict.fromkeys((*later.order, *self.order)))[:MAX_DRAFT_STORIES]
        ticks, lines = {**self.ticks, **later.ticks}, {**self.lines, **later.lines}
        return Composition(
            order=order,
            ticks={name: ticks[name] for name in order if name in ticks},
            lines={name: lines[name] for name in order if name in lines},
        )

    def apply_changes(self, shown: Composition, form: Composition) -> Composition:
        """Return the composition with what a person changed in a form. `shown` is what the form had at first.

        What the person did not touch stays as it is here, because a form in another tab may have changed it.
        """
        order = [name for name in self.order if name in form.order]
        return self.update(
            Composition(
                order=(*order, *(name for name in form.order if name not in order)),
                ticks=_list_changes(self.ticks, shown.ticks, form.ticks),
                lines=_list_changes(self.lines, shown.lines, form.lines),
            )
        )


def _list_changes(
    here: Mapping[str, _Value], shown: Mapping[str, _Value], form: Mapping[str, _Value]
) -> dict[str, _Value]:
    """Return the values of a form that differ from those that it had at first, or that are not here."""
    return {name: value for name, value in form.items() if name not in here or shown.get(name) != value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    """The press review of a user: its last period, and what was done with the stories of this and other periods.

    `form_id` is the form that changed it last.
    """

    period: ReviewPeriod
    composition: Composition
    changed_at: datetime
    form_id: str = ""

    @property
    def kept_until(self) -> datetime:
        """When it is forgotten, unless it is changed before."""
        return self.changed_at + DRAFT_LIFETIME


class ReviewDrafts:
    """Keeps the draft of each user. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: dict[str, ReviewDraft] = {}

    def get(self, user: str, now: datetime) -> ReviewDraft | None:
        """Return the draft of a user, None if there is none or its time is over."""
        with self._lock:
            found = self._drafts.get(user)
        return found if found is not None and now < found.kept_until else None

    def save(self, user: str, draft: ReviewDraft) -> None:
        """Keep a draft in place of the user's former one."""
        with self._lock:
            self._drafts.pop(user, None)
            while len(self._drafts) >= MAX_DRAFTS:
                del self._drafts[next(iter(self._drafts))]  # changed longest ago
            self._drafts[user] = draft

    def delete(self, user: str) -> None:
        """Forget the draft of a user."""
        with self._lock:
            self._drafts.pop(user, None)
