"""What is news to people: not a first run, not a first language, not a backfill of old articles, not a replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.factories import make_article

from crawler.context.modes import RunMode
from crawler.context.run_context import RunContext
from crawler.items import Article, Health, Run
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.spiders.ktkz import KtSpider
from crawler.spiders.mfa import MfaSpider
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ran(store: Store, source: str, *, complete: bool = True, mode: str = "live") -> None:
    begun = store.runs.record_start(Run(source=source, mode=mode, started_at=NOON - HOUR))
    store.runs.record_end(replace(begun, finished_at=NOON, health=Health.HEALTHY, exit_code=0, complete=complete))


def make_new_article(
    source: str = "ktkz", language: str = "ru", published: datetime | None = NOON, version: int = 1
) -> Article:
    return make_article(source=source, language=language, published_at=published, version=version)


def quiet(store: Store, item: Article, *, replay: bool = False, since: datetime | None = None) -> str | None:
    kind = MfaSpider if item.source == "mfa" else KtSpider
    context = RunContext(source=item.source, mode=RunMode.SNAPSHOTS if replay else RunMode.LIVE)
    context.store = store
    return AlertPolicy(context, kind(context=context, since=since)).get_suppression_reason(item)


def test_a_first_run_is_a_baseline_until_one_was_complete(store: Store) -> None:
    assert quiet(store, make_new_article()) == "baseline"
    ran(store, "ktkz", complete=False)
    ran(store, "ktkz", mode="replay")
    ran(store, "mfa")
    assert quiet(store, make_new_article()) == "baseline"
    ran(store, "ktkz")
    assert quiet(store, make_new_article()) is None


def test_a_replay_is_no_news(store: Store) -> None:
    ran(store, "ktkz")
    assert quiet(store, make_new_article(), replay=True) == "replay"


def test_the_first_articles_of_a_language_are_a_baseline(store: Store) -> None:
    ran(store, "mfa")
    store.articles.save(make_new_article("mfa"), content_hash="x", run_id=None, seen_at=NOON)
    assert quiet(store, make_new_article("mfa")) is None
    assert quiet(store, make_new_article("mfa", "kk")) == "baseline"


@pytest.mark.parametrize(
    ("published", "version", "expected"),
    [
        (NOON - 48 * HOUR, 1, "backfill"),
        (None, 1, "backfill"),
        (NOON - 24 * HOUR, 1, None),  # it may have come in any run
        (NOON, 1, None),
        (NOON - 48 * HOUR, 2, None),  # a revision is news whoever finds it
    ],
)
def test_a_backfill_tells_what_any_run_would_have_told(
    store: Store, published: datetime | None, version: int, expected: str | None
) -> None:
    ran(store, "ktkz")
    item = make_new_article(published=published, version=version)
    assert quiet(store, item, since=NOON - 900 * HOUR) == expected
