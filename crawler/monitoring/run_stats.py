"""What a run is measured by, for later runs to be compared with: gathered page by page and article by article.

Kept as plain JSON values. Of sizes, lengths and waits a run keeps some values, not their median: the medians of runs
with one article each say less than those articles together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crawler.items import Article, PageStructure, Problem, Verdict

OPTIONAL_FIELDS = ("title", "lead", "published_at", "section", "place", "author", "images")
"""Fields that an article may lack; without a body there is no article."""
MAX_KEPT_VALUES = 50
"""Values of one kind that a run keeps."""
OLD_ARTICLE_AGE = timedelta(days=30)
"""Age from which an article seen for the first time is an old one: lists show new ones."""
MAX_STRUCTURES_PER_PAGE = 5
"""Pages of one class whose structure a run looks at."""


@dataclass(slots=True)
class RunStats:
    """The measures of a run that goes on."""

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

    def add_structure(self, page: str, shape: Callable[[], PageStructure | None] | None) -> None:
        """The structure of a page; of the first few pages of each class alone, for it costs as much as reading one."""
        mine = self.structures.setdefault(page, [])
        if shape and len(mine) < MAX_STRUCTURES_PER_PAGE and (found := shape()):
            mine.append(found)

    def add_page(self, status: int, size: int, wait: float | None, *, listing: bool) -> None:
        """One answer: its code, bytes (unpacked) and seconds until it began. Sizes are those of articles' pages."""
        self.codes[str(status)] += 1
        if wait is not None:
            _append_up_to_limit(self.waits, round(wait, 3))
        if listing:
            self.list_pages += status == 200
        elif status == 200:
            _append_up_to_limit(self.page_sizes, size)

    def add_article(self, article: Article) -> None:
        """One article as it was read; the last known text of a page that is gone was not read."""
        if article.verdict is Verdict.UNPUBLISHED:
            return
        self.articles += 1
        first = article.verdict in (Verdict.NEW, Verdict.COPY)
        if (
            first
            and article.published_at
            and article.fetched_at
            and article.fetched_at - article.published_at > OLD_ARTICLE_AGE
        ):
            self.old_articles += 1
        self.fields.update(name for name in OPTIONAL_FIELDS if getattr(article, name))
        self.languages[article.language or "und"] += 1
        _append_up_to_limit(self.text_lengths, len(article.body))

    def make_measures(self, counts: Mapping[str, int], problems: Iterable[Problem]) -> dict[str, Any]:
        """As plain values; what a run saw nothing of is left out."""
        problems = tuple(problems)
        copies = counts.get("articles/copy", 0)
        first = copies + counts.get("articles/new", 0)
        found: dict[str, Any] = {
            "codes": dict(self.codes),
            "waits": self.waits,
            "sizes": self.page_sizes,
            "lists": {"pages": self.list_pages, "entries": counts.get("entries", 0)} if self.list_pages else {},
            "first_seen": {"all": first, "copies": copies, "old": self.old_articles} if first else {},
            "problems": dict(Counter(problem.kind for problem in problems)),
            "robots_refused": sum("robots.txt" in problem.message for problem in problems),
        }
        if self.articles:
            found |= {
                "articles": self.articles,
                "fields": {name: self.fields[name] for name in OPTIONAL_FIELDS},
                "languages": dict(self.languages),
                "texts": self.text_lengths,
            }
        return {name: value for name, value in found.items() if value}


def _append_up_to_limit(values: list[Any], value: float) -> None:
    if len(values) < MAX_KEPT_VALUES:
        values.append(value)
