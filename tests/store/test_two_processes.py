"""Several processes with one store, and processes killed at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from crawler.items import Health, Run
from crawler.keywords.index_query import IndexAnd, IndexPhrase
from crawler.store import Store, open_store, schema

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
CHILD = ROOT / "tests" / "support" / "saving_process.py"


def start_child(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def assert_consistent(store: Store) -> None:
    """Every article has its versions, and each version its article, matches and cache entry."""
    articles, versions, matches, memory = schema.articles, schema.versions, schema.matches, schema.http_cache
    highest = select(versions.c.article_id, func.max(versions.c.version)).group_by(versions.c.article_id)
    current = dict(map(tuple, store.database.fetch_all(select(articles.c.id, articles.c.current_version))))
    assert dict(map(tuple, store.database.fetch_all(highest))) == current
    count = select(func.count())
    kept = store.database.fetch_all(count.select_from(versions))[0][0]
    assert store.database.fetch_all(count.select_from(matches))[0][0] == 2 * kept
    assert store.database.fetch_all(count.select_from(memory))[0][0] == len(current)
    indexed = list(store.search.iter_newest(IndexAnd()))
    assert sorted((entry.article.id, entry.version) for entry in indexed) == sorted(
        map(tuple, store.database.fetch_all(select(versions.c.article_id, versions.c.version)))
    )
    is_sqlite = store.database.engine.dialect.name == "sqlite"
    table = "search_texts_docsize" if is_sqlite else "search_vectors"
    assert store.database.fetch_all(text(f"SELECT count(*) FROM {table}"))[0][0] == len(indexed)
    assert list(store.integrity.check_index()) == []
    if is_sqlite:
        assert [row[0] for row in store.database.fetch_all(text("PRAGMA integrity_check"))] == ["ok"]
        assert store.database.fetch_all(text("PRAGMA foreign_key_check")) == []


@pytest.mark.parametrize("work", ["save", "batch"])
@pytest.mark.parametrize("after", [1, 37, 90])
@pytest.mark.campaign
def test_kill_loses_and_doubles_nothing(url: str, work: str, after: int) -> None:
    process = start_child(work, url, "text", 100_000)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(after + 1)]
    time.sleep(after % 7 * 0.0003)  # each time at another point of the next transaction
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split("\n")[:-1]
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    promised = {f"mfa:{number}:ru" for number in said[1:]}
    with open_store(url) as store:
        kept = {article.id for article in store.articles.iter_newest()}
        assert promised <= kept
        assert len(kept) <= len(promised) + 10
        assert_consistent(store)
        again = start_child(work, url, "text", (len(kept) // 10 + 1) * 10)
        again.communicate()
        assert again.returncode == 0
        assert {
            version for article in kept for version in [a.version for a in store.versions.list_by_article(article)]
        } == {1}
        assert store.articles.count() == (len(kept) // 10 + 1) * 10
        assert_consistent(store)
        killed = store.runs.list_recent()[1]
        assert (killed.health, killed.exit_code) == (Health.FAILED, 1)


@pytest.mark.campaign
def test_repeated_kills_leave_the_index_as_complete_as_the_rows(url: str) -> None:
    for kill in range(12):
        process = start_child("save", url, f"text {kill}", 100_000)
        assert process.stdout is not None
        for _ in range(5 + kill):
            process.stdout.readline()
        time.sleep(kill * 0.0002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with open_store(url) as store:
            assert_consistent(store)
            found = {entry.article.id for entry in store.search.iter_newest(IndexPhrase(("text", str(kill))))}
            assert len(found) >= 4 + kill


def test_two_processes_store_each_article_once(url: str) -> None:
    processes = [start_child(work, url, "text", 200) for work in ("save", "batch", "save")]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 3
    with open_store(url) as store:
        assert store.articles.count() == 200
        assert {len(store.versions.list_by_article(f"mfa:{number}:ru")) for number in range(200)} == {1}
        assert_consistent(store)


def test_two_processes_store_both_texts(url: str) -> None:
    processes = [start_child("batch", url, text, 100) for text in ("one", "other")]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 2
    with open_store(url) as store:
        for number in range(100):
            kept = store.versions.list_by_article(f"mfa:{number}:ru")
            assert [article.version for article in kept] == [1, 2]
            assert {article.body for article in kept} == {"one", "other"}
        assert_consistent(store)


def test_processes_open_a_new_database_at_once(url: str) -> None:
    processes = [start_child("open", url, "", 0) for _ in range(4)]
    assert [(*process.communicate(), process.returncode) for process in processes] == [("0\n", "", 0)] * 4


def test_next_run_closes_the_run_of_a_killed_process(url: str) -> None:
    process = start_child("save", url, "text", 100_000)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate()
    with open_store(url) as store:
        unfinished = store.runs.get_last("mfa")
        assert unfinished is not None
        assert unfinished.health is None
        store.runs.record_start(Run(source="mfa", started_at=NOON))
        assert [run.health for run in store.runs.list_recent()] == [None, Health.FAILED]
