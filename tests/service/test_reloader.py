"""The configuration of a watch, and which of its runs accept an empty store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.config import Config
from crawler.errors import ConfigError, EmptyStore, StoreError
from crawler.items import Run
from crawler.service import reloader as module
from crawler.service.reloader import ConfigReloader
from crawler.service.schedule_state import Timing
from crawler.store import Store


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


def test_a_deleted_file_is_an_error_and_not_the_built_in_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The built-in one has another store, and sources that the owner disabled. The file is in the working folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "crawler.toml"
    file.write_text('data_dir = "data"\n[sources.mfa]\nenabled = false\n', encoding="utf-8")
    reloader = ConfigReloader(None)
    with reloader.store:
        file.unlink()
        assert reloader.has_changed()
        with pytest.raises(ConfigError, match="does not exist"):
            reloader.load_timings()
        assert reloader.make_plan("ktkz").config == file
        assert reloader.config.data_folder == tmp_path / "data"


@pytest.mark.parametrize(("error", "is_tried_again"), [(StoreError("is locked"), True), (ConfigError("is bad"), False)])
def test_a_change_that_the_store_refused_is_read_again(
    error: Exception, is_tried_again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "crawler.toml"
    file.write_text('data_dir = "data"\n', encoding="utf-8")
    reloader = ConfigReloader(file)

    def fail(*_: object) -> None:
        raise error

    with reloader.store:
        file.write_text('data_dir = "data"\ntimezone = "Asia/Aqtau"\n', encoding="utf-8")
        assert reloader.has_changed()
        monkeypatch.setattr(module, "make_timings", fail)
        with pytest.raises(type(error)):
            reloader.load_timings()
        assert reloader.has_changed() is is_tried_again


def test_a_source_that_is_retired_later_runs_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another change is taken over all the same. A watch of retired sources alone runs nothing, not all others."""
    asked: list[tuple[str, ...]] = []
    retired: set[str] = set()

    def make_timings(config: Config, store: Store, sources: tuple[str, ...], load: object) -> dict[str, Timing]:
        asked.append(sources)
        return {name: Timing(cron="0 * * * *") for name in sources}

    monkeypatch.setattr(module, "make_timings", make_timings)
    monkeypatch.setattr(module, "is_retired", retired.__contains__)
    file = tmp_path / "crawler.toml"
    file.write_text('data_dir = "data"\n', encoding="utf-8")
    reloader = ConfigReloader(file, ("mfa", "ktkz"))
    with reloader.store:
        reloader.load_timings()
        retired.add("mfa")
        assert list(reloader.load_timings()) == ["ktkz"]
        retired.add("ktkz")
        assert reloader.load_timings() == {}
    assert asked == [("mfa", "ktkz"), ("ktkz",)]
