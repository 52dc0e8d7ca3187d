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


@pytest.mark.parametrize(
    "line",
    [
        "jitter = 1_000_000_000_000",
        'revisits = ["1000000000000d"]',
        'revisits = ["4000d"]',
        "pages = 1_000_000_000_000_000_000_000_000",
        "revisits_per_run = 1_000_000_000",
    ],
)
def test_number_beyond_all_sense_is_an_error_that_names_the_key(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=line.partition(" ")[0]):
        load_source(tmp_path, line)


@pytest.mark.parametrize("key", ["politeness.delay", "politeness.retry_wait", "limits.page_seconds", "limits.body_mb"])
@pytest.mark.parametrize("number", ["inf", "nan", "1e300"])
def test_number_is_finite(tmp_path: Path, key: str, number: str) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(f"{key} = {number}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=key):
        load_config(path)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://[",
            "http://a b/",
            "http://h:99999",
            "http://h:x",
            "http://h?x",
            "http://h#f",
            "http://%00/",
            "http:///x",
        ),
        *("http://h\\\\@x", "http://\\u001b[2J", "http://\\u200b/", "ftp://h", "//h", ""),
    ],
)
@pytest.mark.parametrize("key", ["sources.ktkz.base_url", "feeds.address"])
def test_address_is_a_web_address(tmp_path: Path, key: str, url: str) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(f'{key} = "{url}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=key) as caught:
        load_config(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('data_dir = "a\\u0000b"', "data_dir"),
        ('database = "sqlite:///a\\u0000b"', "database"),
        ('[sources.mfa]\nwatched = ["x", "a\\u0000b"]', r"sources\.mfa\.watched\.1"),
        ('contact = "a@example.org\\r\\nX-Own: yes"', "contact"),
        ('contact = "\\u001b[2J"', "contact"),
    ],
)
def test_text_has_no_character_that_ends_a_name_or_a_header(tmp_path: Path, line: str, key: str) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=key) as caught:
        load_config(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["https://name:geheim@example.org/", "http://geheim@example.org", "https://a@b:c@d"])
def test_base_url_has_no_user_or_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as caught:
        load_source(tmp_path, f'base_url = "{url}"')
    assert "geheim" not in str(caught.value)
    assert load_source(tmp_path, 'base_url = "https://example.org/@name"').base_url == "https://example.org/@name"
