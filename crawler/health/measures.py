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

from crawler.items import Article, Problem, Shape, Verdict

FIELDS = ("title", "lead", "published_at", "section", "place", "author", "images")
"""Fields that an article may lack; without a body there is no article."""
KEPT = 50
"""Values of one kind that a run keeps."""
OLD = timedelta(days=30)
"""Age from which an article seen for the first time is an old one: lists show new ones."""
SHAPES = 5
"""Pages of one class whose structure a run looks at."""


@dataclass(slots=True)
class Tally:
    """The measures of a run that goes on."""

    articles: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    old: int = 0
    texts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    lists: int = 0
    shapes: dict[str, list[Shape]] = field(default_factory=dict)

    def shape(self, page: str, shape: Callable[[], Shape | None] | None) -> None:
        """The structure of a page; of the first few pages of each class alone, for it costs as much as reading one."""
        mine = self.shapes.setdefault(page, [])
        if shape and len(mine) < SHAPES and (found := shape()):
            mine.append(found)

    def page(self, status: int, size: int, wait: float | None, *, listing: bool) -> None:
        """One answer: its code, bytes (unpacked) and seconds until it began. Sizes are those of articles' pages."""
        self.codes[str(status)] += 1
        if wait is not None:
            _keep(self.waits, round(wait, 3))
        if listing:
            self.lists += status == 200
        elif status == 200:
            _keep(self.sizes, size)

    def article(self, article: Article) -> None:
        """One article as it was read; the last known text of a page that is gone was not read."""
        if article.verdict is Verdict.UNPUBLISHED:
            return
        self.articles += 1
        first = article.verdict in (Verdict.NEW, Verdict.COPY)
        if first and article.published_at and article.fetched_at and article.fetched_at - article.published_at > OLD:
            self.old += 1
        self.fields.update(name for name in FIELDS if getattr(article, name))
        self.languages[article.language or "und"] += 1
        _keep(self.texts, len(article.body))

    def measures(self, counts: Mapping[str, int], problems: Iterable[Problem]) -> dict[str, Any]:
        """As plain values; what a run saw nothing of is left out."""
        problems = tuple(problems)
        copies = counts.get("articles/copy", 0)
        first = copies + counts.get("articles/new", 0)
        found: dict[str, Any] = {
            "codes": dict(self.codes),
            "waits": self.waits,
            "sizes": self.sizes,
            "lists": {"pages": self.lists, "entries": counts.get("entries", 0)} if self.lists else {},
            "first_seen": {"all": first, "copies": copies, "old": self.old} if first else {},
            "problems": dict(Counter(problem.kind for problem in problems)),
            "robots_refused": sum("robots.txt" in problem.message for problem in problems),
        }
        if self.articles:
            found |= {
                "articles": self.articles,
                "fields": {name: self.fields[name] for name in FIELDS},
                "languages": dict(self.languages),
                "texts": self.texts,
            }
        return {name: value for name, value in found.items() if value}


def _keep(values: list[Any], value: float) -> None:
    if len(values) < KEPT:
        values.append(value)
