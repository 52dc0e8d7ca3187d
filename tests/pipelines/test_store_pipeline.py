"""Articles that come together are written in one transaction; none is reported before it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from support.factories import make_article

from crawler.cli.stop_signals import CommandStopped
from crawler.context.drops import ArticleDeferred, ArticleNotStored
from crawler.context.modes import RunMode
from crawler.context.run_context import RunContext
from crawler.errors import StoreError
from crawler.items import Article, Verdict
from crawler.pipelines import store as pipeline_module
from crawler.pipelines.store import StorePipeline
from crawler.spiders.ktkz import KtSpider
from crawler.store import Store

NEWS = [
    make_article(source="ktkz", native_id=str(number), body=f"Report {number} of the day.", verdict=Verdict.NEW)
    for number in range(5)
]
UNSTORABLE = replace(NEWS[2], verdict=None)


@pytest.fixture
def context(store: Store) -> RunContext:
    context = RunContext(source="ktkz", mode=RunMode.LIVE)
    context.store = store
    return context


def process(context: RunContext, items: Sequence[Article]) -> list[Any]:
    """Return what each article became, or its exception, if all come in one turn of the event loop."""
    pipeline = StorePipeline(context, KtSpider(context=context))

    async def process_all() -> list[Any]:
        async with asyncio.timeout(60):
            return await asyncio.gather(*map(pipeline.process_item, items), return_exceptions=True)

    return asyncio.run(process_all())


def count_commits(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    commits: list[None] = []
    own = store.database.fence

    def record_commit(connection: Any) -> None:
        commits.append(None)
        if own:
            own(connection)

    monkeypatch.setattr(store.database, "fence", record_commit)
    return commits


def test_articles_that_come_together_are_one_transaction(
    context: RunContext, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = count_commits(store, monkeypatch)
    assert process(context, NEWS) == NEWS
    assert len(commits) == 1
    assert [store.articles.get(article.id) for article in NEWS] == NEWS


def test_no_transaction_has_more_than_so_many(
    context: RunContext, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "MAX_WRITTEN_TOGETHER", 2)
    commits = count_commits(store, monkeypatch)
    assert process(context, NEWS) == NEWS
    assert len(commits) == 3


def test_an_article_is_stored_before_it_goes_on(context: RunContext, store: Store) -> None:
    pipeline = StorePipeline(context, KtSpider(context=context))

    async def look_when_done(item: Article) -> int:
        await pipeline.process_item(item)
        return len(store.database.fetch_all(text("SELECT id FROM articles")))

    async def process_all() -> list[int]:
        return await asyncio.gather(*map(look_when_done, NEWS))

    assert asyncio.run(process_all()) == [len(NEWS)] * len(NEWS)


def test_an_article_that_cannot_be_written_takes_no_other_with_it(context: RunContext, store: Store) -> None:
    items = [*NEWS[:2], UNSTORABLE, *NEWS[3:]]
    results = process(context, items)
    assert isinstance(results[2], ValueError)
    stored = [*NEWS[:2], *NEWS[3:]]
    assert [*results[:2], *results[3:]] == stored
    assert [store.articles.get(article.id) for article in stored] == stored
    assert store.articles.get(UNSTORABLE.id) is None
    assert context.failure is None


def test_versions_of_one_article_that_come_together_are_stored_in_their_order(
    context: RunContext, store: Store
) -> None:
    edits = [replace(NEWS[0], body=f"Edit {version}.", verdict=Verdict.REVISED, version=version) for version in (2, 3)]
    items = [NEWS[0], edits[0], NEWS[1], edits[1]]
    assert process(context, items) == items
    assert store.versions.list_by_article(NEWS[0].id) == [NEWS[0], *edits]
    assert store.articles.get(NEWS[0].id) == edits[1]


def test_entries_of_articles_that_come_together_are_one_segment_of_the_index(context: RunContext, store: Store) -> None:
    noon = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    newest_first = [replace(news, published_at=noon - timedelta(days=day)) for day, news in enumerate(NEWS)]
    process(context, newest_first)
    segments = store.database.fetch_all(text("SELECT count(DISTINCT segid) FROM search_texts_idx"))
    assert [tuple(row) for row in segments] == [(1,)]


def test_no_article_waits_for_ever_if_the_process_is_stopped_meanwhile(
    context: RunContext, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(connection: Any) -> None:
        raise CommandStopped(143)

    monkeypatch.setattr(store.database, "fence", stop)
    assert list(map(type, process(context, NEWS))) == [CommandStopped] * len(NEWS)


def test_a_lost_store_ends_the_run_with_its_first_article(
    context: RunContext, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: Any) -> None:
        raise StoreError("The store is full.")

    monkeypatch.setattr(store.database, "fence", refuse)
    results = process(context, NEWS)
    assert list(map(type, results)) == [ArticleNotStored, *[ArticleDeferred] * 4]
    assert str(context.failure) == "The store is full."
    monkeypatch.setattr(store.database, "fence", None)
    assert not any(store.articles.get(article.id) for article in NEWS)
