"""A store that was lost is reported, and never replaced by a silent new baseline."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.factories import make_article

from crawler.config import Config
from crawler.context.configured_store import open_configured_store, raise_if_archived
from crawler.errors import EmptyStore
from crawler.items import Run
from crawler.store import open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def archive_days(config: Config, *names: str, content: bytes = b"record") -> None:
    for name in names:
        file = config.archive_dir / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def lose_file(file: Path) -> None:
    file.unlink()


def empty_file(file: Path) -> None:
    file.write_bytes(b"")


def empty_tables(file: Path) -> None:
    file.unlink()
    open_store(f"sqlite:///{file}").close()


@pytest.mark.parametrize("lose", [lose_file, empty_file, empty_tables])
def test_a_lost_store_beside_an_archive_is_refused_and_not_touched(config: Config, lose: object) -> None:
    file = config.data_folder / "crawler.db"
    with open_configured_store(config) as store:
        store.runs.record_start(Run(source="mfa", mode="live", started_at=NOON))
    archive_days(config, "mfa/2026-03-05.warc.gz", "mfa/2026-03-05-2.warc.gz", "ktkz/2026-03-06.warc.gz")
    lose(file)  # type: ignore[operator]
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(EmptyStore, match="The store is empty but the archive has 2 days of records") as caught:
        open_configured_store(config)
    assert "--new-store" in str(caught.value)
    assert caught.value.exit_code == 16
    assert (file.read_bytes() if file.exists() else None) == before
    with open_configured_store(config, new_store=True) as store:
        store.runs.record_start(Run(source="mfa", mode="live", started_at=NOON))
    open_configured_store(config).close()


def test_a_store_with_an_article_and_no_run_is_not_empty(config: Config) -> None:
    archive_days(config, "mfa/2026-03-05.warc.gz")
    with open_configured_store(config, new_store=True) as store:
        store.articles.save(make_article(), content_hash="h", run_id=None, seen_at=NOON)
    open_configured_store(config).close()


def test_a_first_store_needs_no_option(config: Config) -> None:
    archive_days(config, "mfa/2026-03-05.warc.gz", content=b"")
    archive_days(config, "mfa/notes.warc.gz", "2026-03-05.warc.gz")
    raise_if_archived(config)
    with open_configured_store(config) as store:
        assert store.is_empty()


def test_data_folder_of_an_earlier_version_becomes_private(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / "data")
    for folder in (config.data_folder, config.data_folder / "robots"):
        folder.mkdir()
        folder.chmod(0o755)
    for name in ("crawler.db", "crawler.db-wal", "crawler.db-shm", "crawler.before-0005.db"):
        (config.data_folder / name).touch()
        (config.data_folder / name).chmod(0o644)
    with open_configured_store(config):
        modes = {path.name: path.stat().st_mode & 0o777 for path in config.data_folder.glob("*.db*")}
    assert config.data_folder.stat().st_mode & 0o777 == 0o700
    assert {name for name, mode in modes.items() if mode != 0o600} == {"crawler.before-0005.db"}


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_database_is_private_while_it_is_open(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with open_configured_store(Config(data_dir=tmp_path / "data")) as store:
            store.failures.record("mfa", "https://x", "Blocked", "403", NOON)
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("crawler.db", "crawler.db-wal", "crawler.db-shm"), 0o600)
