"""Find where an article matches a rule."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Self

from scrapy.crawler import Crawler

from crawler.context.run_context import RunContext
from crawler.items import Article
from crawler.keywords import Matcher, RuleSet, load_rules


class KeywordsPipeline:
    """Third stage. Articles without a match pass too: rules change, and the history must be searchable."""

    def __init__(self, context: RunContext, rules: RuleSet, matcher: Matcher | None = None) -> None:
        """`matcher` is one of these rules, where several runs share one."""
        self._context, self._rules, self._shared_matcher = context, rules, matcher

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the stage; raise RuleError when the rules file is unusable."""
        context = RunContext.from_crawler(crawler)
        return cls(context, load_rules(context.config.rules))

    @cached_property
    def _matcher(self) -> Matcher:
        """Made for the first article: it takes a quarter of a second, and most runs find nothing new."""
        return self._shared_matcher or Matcher(self._rules)

    def process_item(self, item: Article) -> Article:
        """Return the article with its matches."""
        matches = self._matcher.find_matches(item.texts, language=item.language, source=item.source)
        if matches != item.matches:  # most articles have none, and a copy takes longer than a look
            item = replace(item, matches=matches)
        if item.is_matched:
            self._context.increment_stat("matched")
        return item
