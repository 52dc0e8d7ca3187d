"""A store made again from the archive equals the one that the runs made, in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.rebuilt_store import assert_rebuilt, assert_runs_rebuilt
from support.releases import unpack_release

from crawler.config import Config, load_config
from crawler.errors import UsageError
from crawler.service.rebuild import RebuildReport, rebuild_store
from crawler.store import open_store

NOON = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path, url: str) -> Config:
    """The configuration of a release of an earlier schema. Its store is upgraded; the one in force is empty."""
    config = load_config(unpack_release("0004", tmp_path / "release"))
    open_store(config.database_url, backup=False).close()
    return config.model_copy(update={"database": url})


def rebuild(config: Config, *, overwrite: bool = False) -> RebuildReport:
    return rebuild_store(config, NOON, overwrite=overwrite)


@pytest.mark.slow
def test_rebuilt_store_equals_the_original(config: Config, tmp_path: Path) -> None:
    report = rebuild(config)
    assert (report.files, report.runs, report.articles, report.versions) == (5, 10, 12, 16)
    assert (report.unreadable, report.changed_pages, report.former) == ([], {}, None)
    original_url = f"sqlite:///{tmp_path / 'release' / 'crawler.db'}"
    with open_store(original_url) as original, open_store(config.database_url) as rebuilt:
        assert_rebuilt(original, rebuilt)
        assert_runs_rebuilt(original, rebuilt)


@pytest.mark.slow
def test_nobody_is_notified_of_a_rebuilt_store(config: Config) -> None:
    from crawler.service.notifications import notify_about_runs

    rebuild(config)
    with open_store(config.database_url) as store:
        assert all(each.suppressed_because for each in store.events.list_undecided(100))
        assert len(store.events.list_undecided(100)) == 8
    assert notify_about_runs(config, []) == []
    with open_store(config.database_url) as store:
        assert store.events.list_undecided(10) == []
        decisions = store.notifications.list_by_article("mfa:1200185:ru")
        assert {each.decision.name for each in decisions} <= {"SKIP"}
        assert store.deliveries.list_newest() == []


@pytest.mark.slow
def test_rebuilding_again_changes_nothing(config: Config) -> None:
    rebuild(config)
    with pytest.raises(UsageError, match=r"has 12 articles and 10 runs.*--overwrite"):
        rebuild(config)
    former = rebuild(config, overwrite=True).former
    assert former is not None
    with open_store(f"sqlite:///{former}") as first, open_store(config.database_url) as second:
        assert_rebuilt(first, second)
