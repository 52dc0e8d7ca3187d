"""keywords: what an article says that a rule asks for, and where."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Self

from scrapy.crawler import Crawler

from crawler.config import Config
from crawler.items import Article
from crawler.keywords import Matcher, RuleSet, load_rules


class KeywordsPipeline:
    """The third stage. Articles without a match go on too: rules change, and history must be searchable."""

    def __init__(self, crawler: Crawler, rules: RuleSet) -> None:
        self.crawler, self.rules = crawler, rules

    @cached_property
    def matcher(self) -> Matcher:
        """Made for the first article: it takes a quarter of a second, and most runs find nothing new."""
        return Matcher(self.rules)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy makes its components; RuleError when the rules file is unusable."""
        config: Config = crawler.settings["CRAWLER_CONFIG"]
        return cls(crawler, load_rules(config.rules))

    def process_item(self, item: Article) -> Article:
        """The article with its matches."""
        matches = self.matcher.find_matches(item.texts, language=item.language, source=item.source)
        matched = replace(item, matches=matches)
        if self.crawler.stats and matched.is_matched:
            self.crawler.stats.inc_value("crawler/matched")
        return matched
