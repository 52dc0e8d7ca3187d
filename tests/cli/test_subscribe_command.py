"""`crawler subscribe`: it writes one section of crawler.toml and keeps the rest."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.cli.commands.subscribe import format_subscriptions
from crawler.config import load_config
from crawler.errors import ConfigError, CrawlerError

OWN = """# mine, and secret
[channels]
desk = "json://127.0.0.1"  # the desk

[subscriptions.old]
channels = ["desk"]
redact = ["Айдос"]  # a name

[sources.mfa]
enabled = true
"""


def subscribe(file: Path, *words: str) -> CrawlerError | None:
    """Run the command; the error it ends with."""
    error = CliRunner().invoke(app, ["--config", str(file), "subscribe", *words]).exception
    assert error is None or isinstance(error, CrawlerError), error
    return error


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crawler.toml"
    path.write_text(OWN, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_section_is_added_changed_and_removed(file: Path) -> None:
    assert subscribe(file, "press", "--channel", "desk", "--when", "daily 08:30") is None
    assert str(load_config(file).subscriptions["press"].when) == "daily 08:30"
    assert subscribe(file, "press", "--when", "hourly") is None
    assert load_config(file).subscriptions["press"].channels == ("desk",)
    assert subscribe(file, "press", "--remove") is None
    assert file.read_text(encoding="utf-8").split() == OWN.split()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked" / "crawler.toml"
    link.parent.mkdir()
    link.symlink_to(file)
    assert subscribe(link, "press", "--channel", "desk") is None
    assert link.is_symlink()
    assert "press" in load_config(file).subscriptions
    assert [path.name for path in (*tmp_path.iterdir(), *link.parent.iterdir()) if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "text",
    ["subscriptions = 5\n", "[[subscriptions]]\na = 1\n", "[subscriptions]\npress = 3\n", "subscriptions = {a = {}}\n"],
)
def test_unsuitable_section_is_kept_and_reported(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    assert isinstance(subscribe(file, "press", "--channel", "desk"), ConfigError)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("word", ["mailto://user:geheim@example.kz", "nobody"])
def test_unknown_channel_is_refused_without_printing_an_address(file: Path, word: str) -> None:
    error = subscribe(file, "press", "--channel", word)
    assert str(error).startswith("Nothing was written:")
    assert "geheim" not in str(error)
    assert file.read_text(encoding="utf-8") == OWN


def test_a_pause_is_written_and_listed(file: Path) -> None:
    assert subscribe(file, "press", "--channel", "desk") is None
    assert subscribe(file, "press", "--pause-until", "2026-12-24") is None
    subscriptions = load_config(file).subscriptions
    assert subscriptions["press"].paused_until == date(2026, 12, 24)
    assert "paused until 2026-12-24" in " ".join(format_subscriptions(subscriptions))
