"""Measure a run page by page and article by article, for comparison with later runs.

Measures are plain JSON values. Of sizes, lengths and waits a run keeps up to MAX_KEPT_VALUES values, not their median:
medians of runs with one article each say less than those articles together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crawler.items import Article, PageStructure, Problem, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name
from crawler.pages.site import Reading

OPTIONAL_FIELDS = ("title", "lead", "published_at", "section", "place", "author", "images")
"""Fields that an article may lack. Without a body there is no article."""
MAX_KEPT_VALUES = 50
OLD_ARTICLE_AGE = timedelta(days=30)
"""An article this old that is new to us is unusual, because lists show recent articles."""
MAX_STRUCTURES_PER_PAGE = 5
"""Pages of one class whose structure a run measures."""


@dataclass(slots=True)
class RunStats:
    """What a run has measured so far."""

    articles: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    old_articles: int = 0
    text_lengths: list[int] = field(default_factory=list)
    page_sizes: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    list_pages: int = 0
    structures: dict[str, list[PageStructure]] = field(default_factory=dict)

    def add_structure(self, reading: Reading) -> None:
        """Measure the structure of a page with entries. Only the first few of a class: it costs as much as reading."""
        if not reading.entry_count:
            return  # an empty list has no entry that shows a structure
        structures, measure = self.structures.setdefault(reading.page_class, []), reading.make_structure
        if measure and len(structures) < MAX_STRUCTURES_PER_PAGE and (structure := measure()):
            structures.append(structure)

    def add_page(self, status: int, size: int, wait: float | None, *, listing: bool) -> None:
        """Add a response: status, decoded bytes, and seconds until it began. Sizes of list pages do not count."""
        self.codes[str(status)] += 1
        if wait is not None:
            _append_up_to_limit(self.waits, round(wait, 3))
        if listing:
            self.list_pages += status == 200
        elif status == 200:
            _append_up_to_limit(self.page_sizes, size)

    def add_article(self, article: Article) -> None:
        """Add an article that was read. An unpublished one was not read: it is the last stored text."""
        if article.verdict is Verdict.UNPUBLISHED:
            return
        self.articles += 1
        is_first = article.verdict in (Verdict.NEW, Verdict.COPY)
        if is_first and article.published_at and article.fetched_at:
            self.old_articles += article.fetched_at - article.published_at > OLD_ARTICLE_AGE
        self.fields.update(name for name in OPTIONAL_FIELDS if getattr(article, name))
        self.languages[article.language or "und"] += 1
        _append_up_to_limit(self.text_lengths, len(article.body))

    def make_measures(self, counts: Mapping[str, int], problems: Iterable[Problem]) -> dict[str, Any]:
        """Return the measures as JSON values, without empty ones."""
        problems = tuple(problems)
        copies = counts.get(get_count_name(Verdict.COPY), 0)
        first_seen = copies + counts.get(get_count_name(Verdict.NEW), 0)
        lists = {"pages": self.list_pages, "entries": counts.get(RunCount.ENTRIES, 0)}
        measures: dict[str, Any] = {
            "codes": dict(self.codes),
            "waits": self.waits,
            "sizes": self.page_sizes,
            "lists": lists if self.list_pages else {},
            "first_seen": {"all": first_seen, "copies": copies, "old": self.old_articles} if first_seen else {},
            "problems": dict(Counter(problem.kind for problem in problems)),
        }
        if self.articles:
            measures |= {
                "articles": self.articles,
                "fields": {name: self.fields[name] for name in OPTIONAL_FIELDS},
                "languages": dict(self.languages),
                "texts": self.text_lengths,
            }
        return {name: value for name, value in measures.items() if value}


def _append_up_to_limit(values: list[Any], value: float) -> None:
    if len(values) < MAX_KEPT_VALUES:
        values.append(value)
