"""Drop what cannot be an article, count it, and report why as a problem of the run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple, Self

from scrapy.crawler import Crawler

from crawler.context.drops import ArticleInvalid
from crawler.context.run_context import RunContext
from crawler.defaults import load_default_toml
from crawler.errors import PageChanged
from crawler.items import Article, Verdict

MIN_YEAR = 1991
MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a site's clock may be ahead of ours."""
# UTF-8 that was decoded as Latin-1 or as Windows-1251. Cleaning removes second halves that are control characters.
LATIN_MOJIBAKE = re.compile(r"(?:[ÐÑ][\u0080-\u00bf]){2}|[ÐÑ][\u00a0-\u00bf][ÐÑ]")
CYRILLIC_MOJIBAKE = re.compile(r"(?:[РС][\u0080-\u00bf\u0402-\u040f\u0452-\u045f‚„…†‡€‰‹‘’“”•™›]){3}")


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
        """Return the article unchanged, or raise ArticleInvalid."""
        if item.verdict is Verdict.UNPUBLISHED:
            return item  # an older stored text, whatever the rules were then
        flaw = find_flaw(item, item.fetched_at or datetime.now(UTC))
        if flaw is None:
            return item
        self._context.report_problem(PageChanged(flaw.field, flaw.expected, flaw.found, item.url))
        self._context.increment_stat("dropped")
        raise ArticleInvalid(f"{item.id}: {flaw.field}: {flaw.found}")


def find_flaw(article: Article, seen_at: datetime) -> Flaw | None:
    """Return what makes the article impossible at the time when its page was seen, None for a possible article."""
    published = article.published_at
    if published and published > seen_at + MAX_CLOCK_SKEW:
        expected = f"a time before the page was read ({seen_at:%Y-%m-%d %H:%M %Z})"
        return Flaw("published_at", expected, published.isoformat())
    if published and published.year < MIN_YEAR:
        return Flaw("published_at", f"a year since {MIN_YEAR}", str(published.year))
    if not article.body.strip():
        return Flaw("body", "a text", "nothing")
    text = f"{article.title or ''}\n{article.body}"
    if furniture := _find_page_furniture(text):
        return Flaw("body", "the article alone, without the page's own words", repr(furniture))
    if (position := _find_mojibake(text)) is not None:
        return Flaw("body", "text in its right encoding", repr(text[max(0, position - 10) : position + 16]))
    return None


@cache
def _load_page_furniture() -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return words, one of which is in every match, and the pattern of the words of a page around its article."""
    furniture = load_default_toml("page_furniture.toml")
    return tuple(furniture["words"]), re.compile("|".join(furniture["patterns"]), re.MULTILINE | re.IGNORECASE)


def _find_page_furniture(text: str) -> str | None:
    """Return words that belong to the page around the article, None for a clean text."""
    words, pattern = _load_page_furniture()
    lower = text.lower()
    # The words cost a tenth of the pattern's search, and nearly every text has none.
    match = pattern.search(text) if any(word in lower for word in words) else None
    return match[0] if match else None


def _find_mojibake(text: str) -> int | None:
    """Return the position of letters from a wrong decoder, or of the mark for bytes that could not be decoded."""
    if text.isascii():
        return None
    may_be_latin = "Ð" in text or "Ñ" in text
    match = (may_be_latin and LATIN_MOJIBAKE.search(text)) or CYRILLIC_MOJIBAKE.search(text)
    position = match.start() if match else text.find("\ufffd")
    return position if position >= 0 else None
