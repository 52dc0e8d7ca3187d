"""The notifier thread: alerts first, and while nothing is to be sent the articles that the runs left are clustered."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from support.article_publisher import NOON, ArticlePublisher
from support.empty_stores import open_test_store
from support.factories import make_article
from support.waiting import MAX_WAIT_SECONDS, wait_until
from support.webhook_server import WebhookServer

from crawler.config import Config, load_config
from crawler.service.notifications import notify_about_runs
from crawler.service.notifier import NotifierThread
from crawler.service.reloader import ConfigReloader
from crawler.store import Store
from crawler.store.clustering import Clusterer

WAITING_COUNT = 60
TOML = 'contact = "press@example.org"\n[channels]\ndesk = "{}"\n[subscriptions.press]\nchannels = ["desk"]\n'


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with WebhookServer() as one:
        yield one


@pytest.fixture
def config(tmp_path: Path, hook: WebhookServer, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A configuration with one subscription and one webhook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    (tmp_path / "crawler.toml").write_text(TOML.format(hook.address), encoding="utf-8")
    return load_config()


def save_waiting(store: Store, count: int = WAITING_COUNT) -> None:
    """Save articles without a match, as a first run does."""
    with store.transaction():
        for number in range(count):
            article = make_article(f"w{number}", body=f"Открыт мост {number} через реку {number * 7}.")
            store.articles.save(article, content_hash=article.body, run_id=None, seen_at=NOON)


def wait_until_clustered(store: Store) -> None:
    wait_until(lambda: not store.clusters.count_pending())


def test_alert_does_not_wait_for_the_other_articles(config: Config, hook: WebhookServer) -> None:
    with open_test_store(config.database_url) as store:
        store.subscriptions.get_or_start(["press"], NOON)
        save_waiting(store)
        ArticlePublisher(store).publish("1", title="Встреча с МККК")
        assert notify_about_runs(config, ()) == ["1 message sent to subscribers"]
        assert [title.partition(" – ")[0] for title in hook.titles] == ["Встреча с МККК"]
        assert store.clusters.count_pending() == WAITING_COUNT


def test_alert_covers_what_waits_and_belongs_to_its_story(config: Config, hook: WebhookServer) -> None:
    with open_test_store(config.database_url) as store:
        store.subscriptions.get_or_start(["press"], NOON)
        save_waiting(store, 5)
        publisher = ArticlePublisher(store)
        first = publisher.publish("1", title="Встреча с МККК")
        other = publisher.publish("9", source="ktkz", title="Встреча с МККК")
        notify_about_runs(config, ())
        assert len(hook.titles) == 1
        assert store.stories.get_certain_member_ids(first.id) == {first.id, other.id}


def test_waiting_articles_are_clustered_in_idle_time(config: Config) -> None:
    reloader = ConfigReloader(config.path)
    with reloader.store as store:
        save_waiting(store)
        notifier = NotifierThread(reloader)
        notifier.submit()
        wait_until_clustered(store)
        notifier.stop(MAX_WAIT_SECONDS)
        assert store.clusters.count_pending() == 0


def test_notification_comes_between_two_batches(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.store.pending_articles.ARTICLES_PER_BATCH", 2)
    steps: list[str] = []
    assign_batch = Clusterer.assign_batch

    def record_batch(self: Clusterer, connection: Connection, batch: Collection[Any]) -> Any:
        if "batch" not in steps:
            notifier.submit()
        steps.append("batch")
        return assign_batch(self, connection, batch)

    def record_notification(*given: Any) -> list[str]:
        steps.append("notify")
        return []

    monkeypatch.setattr(Clusterer, "assign_batch", record_batch)
    monkeypatch.setattr("crawler.service.notifier.notify_about_runs", record_notification)
    reloader = ConfigReloader(config.path)
    with reloader.store as store:
        save_waiting(store, 6)
        notifier = NotifierThread(reloader)
        notifier.submit()
        wait_until_clustered(store)
        notifier.stop(MAX_WAIT_SECONDS)
    assert steps == ["notify", "batch", "notify", "batch", "batch"]


def test_idle_time_uploads_warc_files_that_wait(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRAWLER_OBJECTS__ADDRESS", f"file://{tmp_path}/bucket")
    waiting = config.archive_dir / "mfa" / "2026-03-06.warc.gz"
    waiting.parent.mkdir(parents=True)
    waiting.write_bytes(gzip.compress(b"a record"))
    reloader = ConfigReloader(config.path, new_store=True)
    with reloader.store:
        notifier = NotifierThread(reloader)
        notifier.submit()
        uploaded = tmp_path / "bucket" / "mfa" / "2026-03-06.warc.gz"
        wait_until(uploaded.exists)
        notifier.stop(MAX_WAIT_SECONDS)
    assert uploaded.read_bytes() == waiting.read_bytes()
