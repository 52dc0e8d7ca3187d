"""The politeness group of a source: its host, that of a copy, or what the configuration or its definition says."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import load_config
from crawler.service.schedules import make_timings
from crawler.store import Store

DEFENCE = 'platform = "govkz"\nproject = "mod"\ntitle = "Defence"\n'


@pytest.mark.parametrize(
    ("config", "definition", "expected"),
    [
        ("", "", {"mfa": "www.gov.kz", "defence": "www.gov.kz", "qazmonitor": "qazmonitor.com"}),
        ('[sources.mfa]\nbase_url = "http://127.0.0.9:81/copy"\nallow_private = true', "", {"mfa": "127.0.0.9"}),
        ("", 'politeness_group = "capital"', {"defence": "capital", "mfa": "www.gov.kz"}),
        ('[sources.defence]\npoliteness_group = "slow"', 'politeness_group = "capital"', {"defence": "slow"}),
    ],
)
def test_group_of_a_source(
    config: str,
    definition: str,
    expected: dict[str, str],
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sources").mkdir()
    (tmp_path / "crawler.toml").write_text(config, encoding="utf-8")
    (tmp_path / "sources" / "defence.toml").write_text(f"{DEFENCE}{definition}\n", encoding="utf-8")
    timings = make_timings(load_config(tmp_path / "crawler.toml"), store, tuple(expected))
    assert {name: timing.politeness_group for name, timing in timings.items()} == expected
