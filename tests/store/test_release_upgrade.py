"""The data folder of every earlier release works with this version: store, archive, configuration, rules."""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from support.releases import REVISIONS, connect, load_tables, read_tables, unpack_release
from support.sandbox import CommandResult, Sandbox

from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.config import Config
from crawler.config.model import OPERATOR_RENAMED
from crawler.items import Article, Verdict
from crawler.notify.alarms import record_run_result, route_alarms
from crawler.notify.rendering import MessageRenderer
from crawler.store import Decision, Store, make_idempotency_key, open_store
from crawler.store.schema import SCHEMA_REVISION

COMMANDS = {
    "articles": ("articles",),
    "matched": ("articles", "--matched", "--json"),
    "versions": ("versions", "qazmonitor:1404:en"),
    "diff": ("diff", "mfa:1200185:ru"),
    "stories": ("stories", "--since", "2026-01-01"),
    "story": ("story", "1"),
    "compare": ("compare", "mfa:1200185:ru", "qazmonitor:1405:en"),
    "health": ("health", "--json"),
    "sources": ("sources",),
    "schedule": ("schedule",),
    "feed": ("feed", "--since", "2026-01-01", "-o", "feed.xml"),
    "export": ("export", "--all", "--versions", "-o", "all.csv"),
    "digest": ("digest", "--since", "2026-03-01", "--until", "2026-03-04"),
    "evidence": ("evidence", "mfa:1200185:ru", "-o", "proof.zip"),
    "subscribe": ("subscribe",),
    "alerts": ("alerts", "--json"),
    "explain": ("alerts", "explain", "mfa:1200185:ru"),
    "config": ("config", "--json"),
    "rules check": ("rules", "check"),
    "rules test": ("rules", "test", "rules.toml", "--since", "2026-01-01"),
    "rules apply": ("rules", "apply", "--dry-run"),
    "match": ("match", "--rules", "rules.toml", "text.txt"),
    "drift": ("drift", "qazmonitor"),
    "reprocess": ("reprocess",),
}
FAILING_CODES = {"health": 13, "drift": 0}
"""The sources were silent for months, and no watch runs them."""


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(revision: str, tmp_path: Path) -> Path:
    """The data folder as the release left it."""
    return unpack_release(revision, tmp_path / "release").parent


@pytest.fixture
def release_url(folder: Path, revision: str, url: str) -> str:
    """The release's store, in SQLite and in PostgreSQL."""
    sqlite_url = f"sqlite:///{folder / 'crawler.db'}"
    if url.startswith("sqlite"):
        return sqlite_url
    load_tables(url, revision, read_tables(sqlite_url))
    return url


def list_versions(store: Store) -> list[Article]:
    found = (store.versions.list_by_article(article.id) for article in store.articles.iter_newest())
    return [version for versions in found for version in versions]


def test_upgrade_loses_no_row(release_url: str) -> None:
    before = read_tables(release_url)
    open_store(release_url).close()
    after = read_tables(release_url)
    counts = {name: len(rows) for name, rows in before.items()}
    assert {name: len(rows) for name, rows in after.items() if name in counts} == counts
    assert counts["versions"] > counts["articles"] > 10
    assert after["alembic_version"] == [{"version_num": SCHEMA_REVISION}]


def test_upgraded_versions_have_their_texts_and_their_pages(release_url: str, folder: Path) -> None:
    with open_store(release_url) as store:
        versions = list_versions(store)
        verdicts = {version.verdict for version in versions}
        assert {Verdict.NEW, Verdict.REVISED, Verdict.UNPUBLISHED} <= verdicts
        for version in versions:
            assert version.snapshot is not None
            page = read_snapshot_at(folder / "archive", version.snapshot)
            assert page.fetched_at == version.fetched_at
        edited = [version.body for version in versions if version.id == "mfa:1200185:ru"]
        assert edited[1] == f"{edited[0]} 2026."


def test_ledger_of_notifications_is_read(release_url: str) -> None:
    with open_store(release_url) as store:
        past = store.notifications.list_past("press", ["qazmonitor:1405:en"])
        assert [(each.verdict, each.message_id is None) for each in past] == [(Verdict.REVISED, False)]
        decisions = [each.decision for each in store.notifications.list_by_article("mfa:1200185:ru")]
        assert (Decision.COVERED in decisions, len(decisions)) == (True, 2)
        assert len(store.deliveries.list_newest()) == 2
        assert [row.paused for row in store.schedules.list_all()] == [True]


ALARM_TIMES = {"opened_at": datetime(2026, 3, 2, 5, tzinfo=UTC), "last_seen_at": datetime(2026, 3, 2, 6, tzinfo=UTC)}
ALARMS_BEFORE = {
    # name: (untold, told_at, done, tries)
    "told": (None, datetime(2026, 3, 2, 5, 1, tzinfo=UTC), "[]", 1),
    "untold": ("opened", None, "[]", 0),
    "failing": ("opened", None, '["3f2a"]', 2),
    "unconfirmed": (None, None, "[]", 0),
}


def add_former_state(url: str) -> None:
    """Add alarms of every kind, and a reader's subscription called `operator`, to a store of an earlier release."""
    with connect(url) as connection:
        connection.exec_driver_sql("BEGIN")
        tables = MetaData()
        tables.reflect(connection)
        alarm = {"kind": "blocked", "severity": "11", "latest": "blocked", "message": "No.", "times": 1, **ALARM_TIMES}
        for source, (untold, told_at, done, tries) in ALARMS_BEFORE.items():
            state = {"untold": untold, "told_at": told_at, "done": done, "tries": tries}
            connection.execute(tables.tables["alarms"].insert(), {"source": source, **alarm, **state})
        for table, column in (("subscriptions", "name"), ("messages", "subscription"), ("notices", "subscription")):
            name = tables.tables[table].c[column]
            connection.execute(tables.tables[table].update().where(name == "press").values({column: "operator"}))
        connection.exec_driver_sql("COMMIT")


def test_alarms_of_an_earlier_release_are_told_once(release_url: str) -> None:
    add_former_state(release_url)
    config = Config.model_validate({"alarms": {"channels": ["json://127.0.0.1:1"]}})
    now = datetime(2026, 3, 2, 7, tzinfo=UTC)
    with open_store(release_url) as store:
        assert route_alarms(store, config, now) == 2
        sent = [store.alarms.list_notices(message.id)[0] for message, _ in store.deliveries.list_newest(limit=2)]
        assert {(each.alarm.source, each.notice) for each in sent} == {("untold", "opened"), ("failing", "opened")}
        for source in ALARMS_BEFORE:
            values = {"health": "healthy", "exit_code": 0, "message": "Well.", "run_id": None, "finished_at": now}
            record_run_result(store, source=source, **values)
        assert route_alarms(store, config, now) == 3
        sent = [store.alarms.list_notices(message.id)[0] for message, _ in store.deliveries.list_newest(limit=3)]
        assert {(each.alarm.source, each.notice) for each in sent} == {
            (name, "healed") for name in ("told", "untold", "failing")
        }
        # The mail about the alarm that the earlier release sent had this key.
        (message,) = (
            message
            for message, _ in store.deliveries.list_newest(limit=3)
            if store.alarms.list_notices(message.id)[0].alarm.source == "told"
        )
        alarm = store.alarms.list_notices(message.id)[0].alarm
        first_key = make_idempotency_key("alarm", alarm.id, "opened", "blocked", alarm.opened_at)
        rendered = MessageRenderer(config, store).render(message)
        assert rendered is not None
        assert rendered.thread_key == first_key


def test_a_reader_who_was_called_operator_keeps_what_is_stored(release_url: str) -> None:
    add_former_state(release_url)
    with open_store(release_url) as store:
        now = datetime(2026, 3, 2, 7, tzinfo=UTC)
        state = store.subscriptions.get_or_start([OPERATOR_RENAMED], now)[OPERATOR_RENAMED]
        assert state.started_at < now
        assert store.notifications.list_past(OPERATOR_RENAMED, ["qazmonitor:1405:en"])
        assert store.deliveries.list_newest(subscription="operator") == []


def test_upgrade_names_the_copy_of_the_former_store(
    folder: Path, revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    file, copy = folder / "crawler.db", folder / f"crawler.before-{SCHEMA_REVISION}.db"
    before = read_tables(f"sqlite:///{file}")
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            open_store(f"sqlite:///{file}").close()
    assert [record.getMessage() for record in caplog.records] == [
        f"The store {file} was upgraded to revision {SCHEMA_REVISION}. Its former state is kept in {copy}."
    ]
    assert read_tables(f"sqlite:///{copy}") == before
    assert before["alembic_version"] == [{"version_num": revision}]


@pytest.mark.slow
def test_every_command_works(folder: Path, tmp_path: Path) -> None:
    place = Sandbox(tmp_path)
    (place.work_dir).mkdir()
    (place.work_dir / "text.txt").write_text("Красный Крест открыл отделение.", encoding="utf-8")
    shutil.copy(folder / "rules.toml", place.work_dir)
    config = ("--config", str(folder / "crawler.toml"))
    results = dict(zip(COMMANDS, place.run_many(*((*config, *words) for words in COMMANDS.values())), strict=True))
    first = results.pop("articles")
    assert first.code == 0
    assert f"was upgraded to revision {SCHEMA_REVISION}" in first.err
    failed = {
        name: done
        for name, done in results.items()
        if done.code != FAILING_CODES.get(name, 0) or "Traceback" in done.err
    }
    assert failed == {}
    check_outputs(results)


def check_outputs(results: dict[str, CommandResult]) -> None:
    assert "2026." in results["diff"].out
    assert results["config"].lines[0]["problems"] == []
    assert "unpublished" in results["versions"].out
    assert len(results["matched"].lines) == 4
    assert len(results["alerts"].lines) == 2
    assert "0 would change" in results["rules apply"].out


@pytest.mark.slow
def test_replay_of_the_archive_adds_nothing(folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{folder / 'crawler.db'}"
    with open_store(url) as store:
        before = list_versions(store)
    config = ("--config", str(folder / "crawler.toml"))
    (done,) = Sandbox(tmp_path).run_many((*config, "crawl", "--replay", str(folder / "archive"), "--keep", "--json"))
    assert sum(line["type"] == "run" for line in done.lines) == 3, done.all_output
    with open_store(url) as store:
        assert list_versions(store) == before
        assert len(store.runs.list_recent(mode="replay")) == 3
