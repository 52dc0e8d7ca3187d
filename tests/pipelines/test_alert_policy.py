"""What counts as news: not a first run, a first language, a backfill of old articles or a replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.factories import make_article

from crawler.context.modes import RunMode
from crawler.context.run_context import RunContext
from crawler.items import Article, ArticleFlag, Health, Run, Verdict
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.spiders import load_spider
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


def test_damaged_text_is_no_news(store: Store) -> None:
    ran(store, "ktkz")
    assert quiet(store, make_new_article()) is None
    for flag in (ArticleFlag.CUT_OFF, ArticleFlag.WRONG_ENCODING):
        assert quiet(store, replace(make_new_article(), flags=(flag,))) == "damaged"
    assert quiet(store, replace(make_new_article(), flags=(ArticleFlag.UNDECODABLE_CHARACTERS,))) is None


@pytest.mark.parametrize(("published", "expected"), [(NOON, None), (None, None), (NOON - 25 * HOUR, "backfill")])
def test_first_sound_version_is_news_unless_it_was_old_when_first_seen(
    store: Store, published: datetime | None, expected: str | None
) -> None:
    ran(store, "ktkz")
    damaged = replace(make_new_article(), flags=(ArticleFlag.CUT_OFF,))
    store.articles.save(damaged, content_hash="x", run_id=None, seen_at=NOON)
    sound = make_new_article(published=published, version=2)
    assert quiet(store, sound, since=NOON + 99 * HOUR) == expected


def make_text(number: int, language: str) -> Article:
    return make_article(str(number), language=language, body=f"mfa:{number}:{language}")


def save_in_run(store: Store, at: datetime, *articles: Article, complete: bool = True) -> list[str | None]:
    """Store the articles in a live run. Return why each of their events is suppressed."""
    begun = store.runs.record_start(Run(source="mfa", started_at=at))
    context = RunContext(source="mfa")
    context.store = store
    policy, found = AlertPolicy(context, load_spider("mfa")(context=context)), []
    for each in articles:
        one = replace(each, verdict=Verdict.NEW)
        found.append(policy.get_suppression_reason(one))
        hashes = {"content_hash": hash_revision(one), "copy_hash": hash_body(one)}
        store.articles.save(one, **hashes, run_id=begun.id, seen_at=at + timedelta(minutes=1))
    end = at + timedelta(minutes=5)
    store.runs.record_end(replace(begun, finished_at=end, health=Health.HEALTHY, exit_code=0, complete=complete))
    return found


def test_a_first_run_is_quiet_and_the_next_is_not(store: Store) -> None:
    assert save_in_run(store, NOON, make_text(1, "ru"), complete=False) == ["baseline"]
    assert save_in_run(store, NOON + HOUR, make_text(2, "ru")) == ["baseline"]
    assert save_in_run(store, NOON + 2 * HOUR, make_text(3, "ru")) == [None]


def test_a_language_is_read_for_the_first_time_until_a_run_that_is_complete(store: Store) -> None:
    save_in_run(store, NOON, make_text(1, "ru"))
    assert save_in_run(store, NOON + HOUR, make_text(1, "kk"), complete=False) == ["baseline"]
    assert save_in_run(store, NOON + 2 * HOUR, make_text(2, "kk"), make_text(2, "ru")) == ["baseline", None]
    assert save_in_run(store, NOON + 3 * HOUR, make_text(3, "kk")) == [None]
