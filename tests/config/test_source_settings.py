"""The settings of a source for repeated requests."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from crawler.config import SourceConfig, load_config
from crawler.errors import ConfigError


def load_source(folder: Path, line: str) -> SourceConfig:
    path = folder / "crawler.toml"
    path.write_text(f"[sources.ktkz]\n{line}\n", encoding="utf-8")
    return load_config(path).get_source("ktkz")


def test_ages_have_a_unit(tmp_path: Path) -> None:
    found = load_source(tmp_path, 'revisits = ["45m", "6h", "3d", "2w"]\nfresh = "36h"')
    assert [age / timedelta(hours=1) for age in found.revisits] == [0.75, 6, 72, 336]
    assert found.fresh == timedelta(hours=36)


def test_default_revisit_ages(tmp_path: Path) -> None:
    found = load_source(tmp_path, "enabled = true")
    assert [age / timedelta(hours=1) for age in found.revisits] == [1, 6, 24, 72, 240, 720]
    assert (found.fresh, found.revisits_per_run, found.watched) == (timedelta(days=1), 30, ())


@pytest.mark.parametrize("line", ['fresh = "soon"', "fresh = 5", 'revisits = ["1h", "x"]'])
def test_wrong_age_is_an_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match="write an age such as 45m, 6h, 3d or 2w"):
        load_source(tmp_path, line)


def test_former_setting_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no setting 'sources\\.ktkz\\.recheck_days'"):
        load_source(tmp_path, "recheck_days = 30")


def test_variables_set_revisit_ages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_SOURCES__KTKZ__REVISITS", '["2h"]')
    monkeypatch.setenv("CRAWLER_SOURCES__KTKZ__FRESH", "12h")
    found = load_source(tmp_path, "enabled = true")
    assert (found.revisits, found.fresh) == ((timedelta(hours=2),), timedelta(hours=12))
