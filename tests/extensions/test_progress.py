"""What a run's events say about dropped articles: the class of the reason decides, never its words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.context.drops import ArticleDropped, ArticleInvalid, ArticleNotStored, ArticleUnchanged
from crawler.context.run_context import RunContext
from crawler.extensions.progress import ProgressReporter
from crawler.items import Article, Verdict
from crawler.pipelines.validate import ValidatePipeline

ARTICLE = Article(
    id="mfa:1:en",
    source="mfa",
    url="https://example.org/1",
    title="Read also: as it is",
    body="A bridge.",
    published_at=datetime(2026, 3, 6, tzinfo=UTC),
    fetched_at=datetime(2026, 3, 7, tzinfo=UTC),
    verdict=Verdict.UNCHANGED,
)


def report_drop(error: Exception) -> dict[str, Any]:
    events: list[dict[str, Any]] = []
    ProgressReporter(events.append).item_dropped(ARTICLE, error)
    (event,) = events
    return event


def test_an_invalid_page_is_not_unchanged_whatever_its_text_says() -> None:
    with pytest.raises(ArticleInvalid) as dropped:
        ValidatePipeline(RunContext(source="mfa")).process_item(ARTICLE)
    event = report_drop(dropped.value)
    assert "as it is" in event["reason"]
    assert event["verdict"] is None


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ArticleUnchanged("any words"), "unchanged"),
        (ArticleNotStored("is stored with this text already"), None),
        (ArticleDropped("any words"), None),
    ],
)
def test_the_class_of_the_reason_gives_the_verdict(error: Exception, verdict: str | None) -> None:
    assert report_drop(error)["verdict"] == verdict
