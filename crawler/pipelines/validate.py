"""validate: what cannot be an article is dropped, with a reason that is counted and told as a problem of the run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from crawler.errors import PageChanged
from crawler.items import Article, Verdict
from crawler.source import SourceSpider

MIN_YEAR = 1991
MAX_CLOCK_SKEW = timedelta(hours=1)
"""How far a site's clock may run ahead of ours."""
# Words of the page around an article, as they stand on lines of their own: an article may speak of any of them.
PAGE_FURNITURE = re.compile(
    r"You need to enable JavaScript to run this app|<(?:p|div|span|br|script)\b"
    r"|^(?:QazMonitor Logo|Все новости|Рассказать друзьям|Cookies? (?:policy|settings))$|^Читайте также\s*(?::|$)"
    r"|^Количество просмотров\s*:?\s*\d*$|^Разработано в АО|\bfunction\s*\w*\s*\([\w, ]*\)\s*\{",
    re.MULTILINE | re.IGNORECASE,
)
PAGE_FURNITURE_WORDS = (
    *("you need to enable", "qazmonitor logo", "читайте также", "все новости", "количество просмотров"),
    *("рассказать друзьям", "разработано в ао", "<", "function", "cookie"),
)
"""One of these stands in whatever CHROME finds; looking for them first costs a tenth of its search."""
# UTF-8 read as Latin-1 or as Windows-1251.
LATIN_MOJIBAKE = re.compile(r"(?:[ÐÑ][\u0080-\u00bf]){2}")
CYRILLIC_MOJIBAKE = re.compile(r"(?:[РС][\u0080-\u00bf\u0402-\u040f\u0452-\u045f‚„…†‡€‰‹‘’“”•™›]){3}")


class ValidatePipeline:
    """The first stage."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components."""
        return cls(crawler)

    def process_item(self, item: Article) -> Article:
        """The article as it came, or DropItem with the reason."""
        if item.verdict is Verdict.UNPUBLISHED:
            return item  # a text that was stored once, whatever the rules were then
        found = find_flaw(item, item.fetched_at or datetime.now(UTC))
        if found is None:
            return item
        field, expected, stands = found
        spider = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        spider.report_problem(PageChanged(field, expected, stands, item.url))
        spider.increment_stat("dropped")
        raise DropItem(f"{item.id}: {field}: {stands}", log_level="INFO")


def find_flaw(article: Article, seen_at: datetime) -> tuple[str, str, str] | None:
    """What makes the article impossible at the time its page was seen: field, what it should be, what stands there."""
    published = article.published_at
    if published and published > seen_at + MAX_CLOCK_SKEW:
        return "published_at", f"a time before the page was read ({seen_at:%Y-%m-%d %H:%M %Z})", published.isoformat()
    if published and published.year < MIN_YEAR:
        return "published_at", f"a year since {MIN_YEAR}", str(published.year)
    if not article.body.strip():
        return "body", "a text", "nothing"
    text = f"{article.title or ''}\n{article.body}"
    lower = text.lower()
    if any(word in lower for word in PAGE_FURNITURE_WORDS) and (chrome := PAGE_FURNITURE.search(text)):
        return "body", "the article alone, without the page's own words", repr(chrome[0])
    if (at := _find_mojibake(text)) is not None:
        return "body", "text in its right encoding", repr(text[max(0, at - 10) : at + 16])
    return None


def _find_mojibake(text: str) -> int | None:
    """Where letters stand that came from a wrong decoder, or a mark for bytes that no decoder knew."""
    if text.isascii():
        return None
    found = "Ð" in text or "Ñ" in text
    broken = (found and LATIN_MOJIBAKE.search(text)) or CYRILLIC_MOJIBAKE.search(text)
    at = broken.start() if broken else text.find("\ufffd")
    return at if at >= 0 else None
