"""The configuration of a watch, and which of its runs accept an empty store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.errors import EmptyStore
from crawler.items import Run
from crawler.service.reloader import ConfigReloader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The configuration of a data folder with an archive and without a store."""
    (tmp_path / "data" / "archive" / "mfa").mkdir(parents=True)
    (tmp_path / "data" / "archive" / "mfa" / "2026-03-05.warc.gz").write_bytes(b"record")
    file = tmp_path / "crawler.toml"
    file.write_text('data_dir = "data"\n', encoding="utf-8")
    return file


def test_a_watch_refuses_an_empty_store_beside_an_archive(file: Path) -> None:
    with pytest.raises(EmptyStore):
        ConfigReloader(file)


def test_only_the_first_runs_of_a_watch_accept_an_empty_store(file: Path) -> None:
    reloader = ConfigReloader(file, new_store=True)
    with reloader.store as store:
        assert reloader.make_plan("mfa").new_store
        store.runs.record_start(Run(source="mfa", mode="live", started_at=datetime(2026, 3, 6, tzinfo=UTC)))
        assert not reloader.make_plan("mfa").new_store, "an empty store is now a lost one"
