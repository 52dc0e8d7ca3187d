"""keywords: what an article says that a rule asks for, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from scrapy.crawler import Crawler

from crawler.config import Config
from crawler.items import Article
from crawler.keywords import Matcher, load_rules


class KeywordsPipeline:
    """The third stage. Articles without a match go on too: rules change, and history must be searchable."""

    def __init__(self, crawler: Crawler, matcher: Matcher) -> None:
        self.crawler, self.matcher = crawler, matcher

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components; RuleError when the rules file is unusable."""
        config: Config = crawler.settings["CRAWLER_CONFIG"]
        return cls(crawler, Matcher(load_rules(config.rules)))

    def process_item(self, item: Article) -> Article:
        """The article with its matches."""
        matches = self.matcher.match(item.texts, language=item.language, source=item.source)
        matched = replace(item, matches=matches)
        if self.crawler.stats and matched.is_matched:
            self.crawler.stats.inc_value("crawler/matched")
        return matched
