"""What a page class must know of its source: its name, addresses, rights and time zone. Pure facts, no framework."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from crawler.errors import SourceError
from crawler.items import Article, PageStructure, Rights

if TYPE_CHECKING:
    from crawler.pages.base import Page


@dataclass(frozen=True, slots=True)
class ArticleAddress:
    """An article's address: the source's own id for it, its canonical form, and the language it names (or None)."""

    native_id: str
    url: str
    language: str | None = None


def split_url(url: str) -> tuple[str, str, str]:
    """Host (lower case), path (no slash at its end) and query of a web address; three empty ones for anything else.

    >>> parted("HTTPS://WWW.GOV.KZ:443/memleket/?lang=ru#top")
    ('www.gov.kz', '/memleket', 'lang=ru')
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a broken port or IPv6 address
        return "", "", ""
    if parts.scheme not in ("http", "https") or port not in (None, 80, 443):
        return "", "", ""
    return host, parts.path.rstrip("/"), parts.query


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A source as its page classes see it.

    `identify` maps any form of an article's address to its Address, None for what is no article. `pages` are tried in
    order. `always` are the fields that no article of a whole page lacks. `created_date` is how gov.kz's times are read.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one page gave: its articles, the article addresses it lists, and what was wrong with parts of it.

    `dates` and `ids` are the publication times and native ids of the listed entries where the list says them (for
    paging), `entries` is how many it listed. `skipped` holds reasons why an entry
    rightly gave no article; `findings` are facts about the site worth a log line. `shape`, asked for while the page is
    at hand, gives its structure.
    """

    page_class: str
    articles: tuple[Article, ...] = ()
    links: tuple[str, ...] = ()
    problems: tuple[SourceError, ...] = ()
    skipped: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    published_times: tuple[datetime, ...] = ()
    entry_count: int = 0
    native_ids: tuple[str, ...] = ()
    make_structure: Callable[[], PageStructure | None] | None = field(default=None, compare=False, repr=False)
