"""What is news to people: not a first run, not a first language, not a backfill of old articles, not a replay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.context.modes import RunMode
from crawler.context.run_context import RunContext
from crawler.items import Article, Health, Run, Verdict
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.spiders.ktkz import KtSpider
from crawler.spiders.mfa import MfaSpider
from crawler.store import Store, open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


def ran(store: Store, source: str, *, complete: bool = True, mode: str = "live") -> None:
    begun = store.runs.record_start(Run(source=source, mode=mode, started_at=NOON - HOUR))
    store.runs.record_end(replace(begun, finished_at=NOON, health=Health.HEALTHY, exit_code=0, complete=complete))


def article(source: str = "ktkz", language: str = "ru", published: datetime | None = NOON, version: int = 1) -> Article:
    url = f"https://example.org/{language}"
    given = {"id": f"{source}:1:{language}", "source": source, "url": url, "body": "x", "language": language}
    return Article(**given, published_at=published, version=version, verdict=Verdict.NEW)  # type: ignore[arg-type]


def quiet(store: Store, item: Article, *, replay: bool = False, since: datetime | None = None) -> str | None:
    kind = MfaSpider if item.source == "mfa" else KtSpider
    context = RunContext(source=item.source, mode=RunMode.SNAPSHOTS if replay else RunMode.LIVE)
    context.store = store
    return AlertPolicy(context, kind(context=context, since=since)).get_suppression_reason(item)


def test_a_first_run_is_a_baseline_until_one_was_complete(store: Store) -> None:
    assert quiet(store, article()) == "baseline"
    ran(store, "ktkz", complete=False)
    ran(store, "ktkz", mode="replay")
    ran(store, "mfa")
    assert quiet(store, article()) == "baseline"
    ran(store, "ktkz")
    assert quiet(store, article()) is None


def test_a_replay_is_no_news(store: Store) -> None:
    ran(store, "ktkz")
    assert quiet(store, article(), replay=True) == "replay"


def test_the_first_articles_of_a_language_are_a_baseline(store: Store) -> None:
    ran(store, "mfa")
    store.articles.save(article("mfa"), content_hash="x", run_id=None, seen_at=NOON)
    assert quiet(store, article("mfa")) is None
    assert quiet(store, article("mfa", "kk")) == "baseline"


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
    item = article(published=published, version=version)
    assert quiet(store, item, since=NOON - 900 * HOUR) == expected
