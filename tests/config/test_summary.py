"""The summary of the configuration: what is in force, what is missing, and no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import Config, MissingSetting, load_config, summarize_config


def test_summary_of_built_in_values(tmp_path: Path) -> None:
    summary = summarize_config(Config(data_dir=tmp_path))
    assert (summary.file, summary.rules, summary.channels, summary.alarm_count) == (None, None, (), 0)
    assert summary.database_url == f"sqlite:///{tmp_path / 'crawler.db'}"
    assert summary.archive_dir == tmp_path / "archive"
    assert summary.missing == tuple(MissingSetting)


def test_summary_of_a_file_and_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(
        'contact = "press@example.org"\narchive = false\n[channels]\ndesk = "json://127.0.0.1"\n'
        '[subscriptions.press]\nchannels = ["desk"]\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("CRAWLER_TIMEZONE", "Europe/Berlin")
    summary = summarize_config(load_config(path))
    assert (summary.file, summary.archive_dir) == (path, None)
    assert "CRAWLER_TIMEZONE" in summary.variables
    assert (summary.channels, dict(summary.subscriptions)) == (("desk",), {"press": ("desk",)})
    assert summary.missing == (MissingSetting.ALARMS,)


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:geheim@host/db", "postgresql://user:gehe:im@x@host/db", "postgresql://h/d?password=geheim"],
)
def test_summary_hides_the_password(url: str) -> None:
    shown = summarize_config(Config(database=url)).database_url
    assert "***" in shown and "gehe" not in shown
