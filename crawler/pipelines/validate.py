"""Flag what is doubtful about an article. Drop what cannot be one, and report why as a problem of the run."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleInvalid
from crawler.context.run_context import RunContext
from crawler.errors import PageChanged
from crawler.items import Article, ArticleFlag, Verdict
from crawler.pages.boilerplate import is_boilerplate

MIN_YEAR = 1991
MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a site's clock may be ahead of ours."""
MAX_MOJIBAKE_SHARE = 0.3
"""Share of a body's characters from which the whole page was decoded wrongly."""
# UTF-8 that was decoded as Latin-1 or as Windows-1251. Cleaning removes second halves that are control characters.
LATIN_MOJIBAKE = re.compile(r"(?:[ÐÑ][\u0080-\u00bf]?){3,}")
CYRILLIC_MOJIBAKE = re.compile(r"(?:[РС][\u0080-\u00bf\u0402-\u040f\u0452-\u045f‚„…†‡€‰‹‘’“”•™›]){3,}")
REPLACEMENT_CHARACTER = "\ufffd"
REPLACEMENT_RUN = re.compile(f"{REPLACEMENT_CHARACTER}+")


class Flaw(NamedTuple):
    """Why an article is impossible: the field, what it must be, and what was found."""

    field: str
    expected: str
    found: str


class ValidatePipeline:
    """First stage."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage."""
        return cls(RunContext.from_crawler(crawler))

    def process_item(self, item: Article) -> Article:
        """Return the article, with flags where something is doubtful, or raise ArticleInvalid."""
        if item.verdict is Verdict.UNPUBLISHED:
            return item  # an older stored text, whatever the rules were then
        flaw = find_flaw(item)
        if flaw is None:
            item = flag_doubts(item, item.fetched_at or datetime.now(UTC))
            for flag in item.flags:
                self._context.increment_stat(f"flags/{flag}")
            return item
        self._context.report_problem(PageChanged(flaw.field, flaw.expected, flaw.found, item.url))
        self._context.increment_stat("dropped")
        raise ArticleInvalid(f"{item.id}: {flaw.field}: {flaw.found}")


def find_flaw(article: Article) -> Flaw | None:
    """Return what makes the article impossible, None for a possible article."""
    if not article.body.strip():
        return Flaw("body", "a text", "nothing")
    if article.title and is_boilerplate(article.title):
        return Flaw("title", "the article's own title", repr(article.title))
    damaged = _find_damaged_spans(article.body)
    length = sum(end - start for start, end in damaged)
    if length > MAX_MOJIBAKE_SHARE * len(article.body):
        start = damaged[0][0]
        return Flaw("body", "text in its right encoding", repr(article.body[max(0, start - 10) : start + 16]))
    return None


def flag_doubts(article: Article, seen_at: datetime) -> Article:
    """Return the article with a flag for characters that were not decoded and for a time that cannot be.

    A time that cannot be is removed. `published_raw` keeps it as the page writes it.
    """
    flags = list(article.flags)
    if _find_damaged_spans(article.body) or _find_damaged_spans(article.title or ""):
        flags.append(ArticleFlag.UNDECODABLE_CHARACTERS)
    published = article.published_at
    date_flag = None
    if published and published > seen_at + MAX_CLOCK_SKEW:
        date_flag = ArticleFlag.FUTURE_DATE
    elif published and published.year < MIN_YEAR:
        date_flag = ArticleFlag.IMPOSSIBLE_DATE
    if date_flag:
        article = replace(article, published_at=None, published_precision=None)
        flags.append(date_flag)
    return replace(article, flags=tuple(flags)) if len(flags) > len(article.flags) else article


def _find_damaged_spans(text: str) -> list[tuple[int, int]]:
    """Return where letters are from a wrong decoder, or marks for bytes that could not be decoded."""
    if text.isascii():
        return []
    patterns = [CYRILLIC_MOJIBAKE]
    if "Ð" in text or "Ñ" in text:
        patterns.append(LATIN_MOJIBAKE)
    if REPLACEMENT_CHARACTER in text:
        patterns.append(REPLACEMENT_RUN)
    return sorted(found.span() for pattern in patterns for found in pattern.finditer(text))
