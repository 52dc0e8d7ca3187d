"""What a run takes for news: not what an unfinished first run of a language left over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.factories import make_article

from crawler.context.run_context import RunContext
from crawler.items import Article, Health, Run, Verdict
from crawler.pipelines.alert_policy import AlertPolicy
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.spiders import load_spider
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_text(number: int, language: str) -> Article:
    return make_article(str(number), language=language, body=f"mfa:{number}:{language}")


def a_run(store: Store, at: datetime, *articles: Article, complete: bool = True) -> list[str | None]:
    """Why nobody is told of each of the articles that a live run stores."""
    begun = store.runs.record_start(Run(source="mfa", started_at=at))
    context = RunContext(source="mfa")
    context.store = store
    policy, found = AlertPolicy(context, load_spider("mfa")(context=context)), []
    for each in articles:
        one = Article(**{**{f: getattr(each, f) for f in each.__slots__}, "verdict": Verdict.NEW})
        found.append(policy.get_suppression_reason(one))
        hashes = {"content_hash": hash_revision(one), "copy_hash": hash_body(one)}
        store.articles.save(one, **hashes, run_id=begun.id, seen_at=at + timedelta(minutes=1))
    ended = {"finished_at": at + timedelta(minutes=5), "health": Health.HEALTHY, "exit_code": 0}
    store.runs.record_end(Run(**{**{f: getattr(begun, f) for f in begun.__slots__}, **ended, "complete": complete}))
    return found


def test_a_first_run_is_quiet_and_the_next_is_not(store: Store) -> None:
    assert a_run(store, NOON, make_text(1, "ru"), complete=False) == ["baseline"]
    assert a_run(store, NOON + HOUR, make_text(2, "ru")) == ["baseline"]
    assert a_run(store, NOON + 2 * HOUR, make_text(3, "ru")) == [None]


def test_a_language_is_read_for_the_first_time_until_a_run_that_is_complete(store: Store) -> None:
    a_run(store, NOON, make_text(1, "ru"))
    assert a_run(store, NOON + HOUR, make_text(1, "kk"), complete=False) == ["baseline"]
    assert a_run(store, NOON + 2 * HOUR, make_text(2, "kk"), make_text(2, "ru")) == ["baseline", None]
    assert a_run(store, NOON + 3 * HOUR, make_text(3, "kk")) == [None]
