"""The scorecard: how many fields are as expected, how old each snapshot is, which page classes have no recent one.

A test over snapshots stays green for years on pages that the site no longer shows. Age is what tells the two apart: a
page class whose newest good page is old is trusted by habit alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.archive.folder import StoredPage
from crawler.errors import CrawlerError
from crawler.extract.page import class_of
from crawler.extract.site import Site
from crawler.replay.expectations import Result, check

WHOLE = {"body_starts": "body", "body_ends": "body", "body_has": "body", "body_lacks": "body"}
"""Statements about a part of a body are statements about the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRate:
    """How often a field was as expected."""

    source: str
    field: str
    passed: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAge:
    """One snapshot: who reads it (None for a page that is none, such as a refusal), and when it was fetched.

    `good` says that it must yield articles or links: a page that rightly yields nothing proves nothing of its class.
    """

    source: str
    page: str
    page_class: str | None
    fetched_at: datetime | None
    days: int | None
    good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassAge:
    """One page class: how many good snapshots it has, and when the newest of them was fetched."""

    source: str
    page_class: str
    snapshots: int
    newest: datetime | None
    days: int | None
    recent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """One source's."""

    source: str
    fields: tuple[FieldRate, ...]
    pages: tuple[PageAge, ...]
    classes: tuple[ClassAge, ...]

    @property
    def passed(self) -> bool:
        """Whether every field is as expected."""
        return all(field.passed == field.of for field in self.fields)


def scorecard(pages: Sequence[StoredPage], site: Site, now: datetime, max_age: timedelta) -> Scorecard:
    """The scorecard of a source's snapshots at a moment; a class is recent up to `max_age`."""
    ages = tuple(_age(page, site, now) for page in pages)
    results = [result for page in pages for result in check(page, site)]
    classes = [each for each in site.pages if not each.is_over(now)]
    return Scorecard(
        source=site.name,
        fields=tuple(_rates(site.name, results)),
        pages=ages,
        classes=tuple(_class_age(site.name, each.__name__, ages, now, max_age) for each in classes),
    )


def _rates(source: str, results: Iterable[Result]) -> Iterable[FieldRate]:
    asked: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for result in results:
        name = result.field.rpartition(".")[2]
        name = WHOLE.get(name, name)
        asked[name] += 1
        passed[name] += result.passed
    return (FieldRate(source=source, field=name, passed=passed[name], of=asked[name]) for name in sorted(asked))


def _age(page: StoredPage, site: Site, now: datetime) -> PageAge:
    snapshot = page.snapshot
    try:
        known = class_of(snapshot, site)
    except CrawlerError:  # a refusal, an outage, a page that is gone
        known = None
    return PageAge(
        source=site.name,
        page=page.path.name,
        page_class=known.__name__ if known else None,
        fetched_at=snapshot.fetched_at,
        days=_days(snapshot.fetched_at, now),
        good=bool((page.expected or {}).get("articles") or (page.expected or {}).get("links")),
    )


def _class_age(source: str, name: str, pages: Sequence[PageAge], now: datetime, max_age: timedelta) -> ClassAge:
    mine = [page for page in pages if page.page_class == name and page.good]
    newest = max((page.fetched_at for page in mine if page.fetched_at), default=None)
    return ClassAge(
        source=source,
        page_class=name,
        snapshots=len(mine),
        newest=newest,
        days=_days(newest, now),
        recent=newest is not None and now - newest <= max_age,
    )


def _days(moment: datetime | None, now: datetime) -> int | None:
    return (now - moment).days if moment else None
