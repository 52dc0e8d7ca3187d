"""Site: what a page class must know of its source. Reading: what a page yielded. Facts only, no framework."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from crawler.config.source_definition import SourceDefinition
from crawler.errors import SourceError
from crawler.items import Article, PageStructure, Rights

if TYPE_CHECKING:
    from crawler.pages.base import Page


@dataclass(frozen=True, slots=True)
class ArticleAddress:
    """An article's address: the source's own id, the canonical URL, and the language that the URL names (or None)."""

    native_id: str
    url: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A source as its page classes see it.

    `identify` maps any form of an article's URL to its ArticleAddress, and any other URL to None. `page_classes` are
    tried in order. `required_fields` are those that every article of a complete page has. `created_date` says how the
    times of gov.kz are read. A URL that matches `non_article_pattern` is no article. `definition` is that of a source
    without code, and `memory` the SiteMemory of its pages. `project` is a ministry's name in the addresses of gov.kz.
    """

    name: str
    origin: str
    rights: Rights
    time_zone: tzinfo
    page_classes: tuple[type[Page], ...]
    identify: Callable[[str], ArticleAddress | None]
    required_fields: tuple[str, ...] = ()
    created_date: Literal["local", "utc"] = "local"
    non_article_pattern: re.Pattern[str] | None = None
    definition: SourceDefinition | None = None
    memory: Any = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact about the site that a page shows, for the log. `level` is one of the `logging` levels."""

    level: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one page yielded: its articles, the article URLs that it lists, and the problems with parts of it.

    `entry_count` is the number of entries on a list. `published_times` and `native_ids` are those of the entries, where
    the list names them; paging needs them. `skipped` holds why entries rightly yield no article. `make_structure`
    computes the page's structure while the page is in memory; it returns None for a page that has none.
    """

    page_class: str
    articles: tuple[Article, ...] = ()
    links: tuple[str, ...] = ()
    problems: tuple[SourceError, ...] = ()
    skipped: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    published_times: tuple[datetime, ...] = ()
    entry_count: int = 0
    native_ids: tuple[str, ...] = ()
    link_times: tuple[datetime | None, ...] = ()
    """When each of `links` was published or changed, as the list says. Empty for a list that dates none."""
    make_structure: Callable[[], PageStructure | None] | None = field(default=None, compare=False, repr=False)
