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

FIRST_YEAR = 1991
SLACK = timedelta(hours=1)
"""How far a site's clock may run ahead of ours."""
CHROME = re.compile(
    r"You need to enable JavaScript|QazMonitor Logo|Разработано в АО|<(?:p|div|span|br|script)\b|\bfunction\s*\("
    r"|^(?:Читайте также|Все новости|Количество просмотров.*|Рассказать друзьям|Cookies? (?:policy|settings)):?$",
    re.MULTILINE | re.IGNORECASE,
)
# UTF-8 read as Latin-1 or as Windows-1251, and bytes that no decoder knew.
MOJIBAKE = re.compile(
    r"(?:[ÐÑ][\u0080-\u00bf]){2}|(?:[РС][\u0080-\u00bf\u0402-\u040f\u0452-\u045f‚„…†‡€‰‹‘’“”•™›]){3}|\ufffd"
)


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
        found = flaw(item, item.fetched_at or datetime.now(UTC))
        if found is None:
            return item
        field, expected, stands = found
        spider = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        spider.problem(PageChanged(field, expected, stands, item.url))
        spider.count("dropped")
        raise DropItem(f"{item.id}: {field}: {stands}", log_level="INFO")


def flaw(article: Article, seen_at: datetime) -> tuple[str, str, str] | None:
    """What makes the article impossible at the time its page was seen: field, what it should be, what stands there."""
    published = article.published_at
    if published and published > seen_at + SLACK:
        return "published_at", f"a time before the page was read ({seen_at:%Y-%m-%d %H:%M %Z})", published.isoformat()
    if published and published.year < FIRST_YEAR:
        return "published_at", f"a year since {FIRST_YEAR}", str(published.year)
    if not article.body.strip():
        return "body", "a text", "nothing"
    text = f"{article.title or ''}\n{article.body}"
    if chrome := CHROME.search(text):
        return "body", "the article alone, without the page's own words", repr(chrome[0])
    if broken := MOJIBAKE.search(text):
        return "body", "text in its right encoding", repr(text[max(0, broken.start() - 10) : broken.end() + 10])
    return None
