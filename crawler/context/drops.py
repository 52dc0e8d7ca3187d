"""Why an article leaves the pipelines early: one class a reason, so that no component reads the message."""

from __future__ import annotations

from typing import ClassVar

from scrapy.exceptions import DropItem

from crawler.items import Verdict


class ArticleDropped(DropItem):
    """Base of all reasons. `verdict` is None unless the store already has the text.

    `is_matched`: whether a rule matched the article before it was dropped.
    """

    verdict: ClassVar[Verdict | None] = None
    level: ClassVar[str] = "DEBUG"

    def __init__(self, message: str, *, is_matched: bool = False) -> None:
        super().__init__(message, log_level=self.level)
        self.is_matched = is_matched


class ArticleUnchanged(ArticleDropped):
    """The store already has this text as the article's newest version."""

    verdict = Verdict.UNCHANGED


class ArticleInvalid(ArticleDropped):
    """What the page object read cannot be an article."""

    level = "INFO"


class ArticleDamaged(ArticleDropped):
    """The text came damaged, and the store has a version of the article already."""

    level = "INFO"


class ArticleFromOtherRecord(ArticleDropped):
    """The store has this article from another record of its source; this one is a missing translation."""


class ArticleDeferred(ArticleDropped):
    """The run has given up: the next run reads the article again."""


class ArticleNotStored(ArticleDropped):
    """The database refused the article."""

    level = "INFO"
