"""A warning for each file with addresses of channels or passwords that every user of the machine may read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from crawler.config import list_config_warnings, load_config

TEXTS = {
    "a channel": '[channels]\ndesk = "json://127.0.0.1:1"\n',
    "a channel in a file": '[channels.desk]\nfile = "secret"\n',
    "an alarm": '[alarms]\nchannels = ["json://127.0.0.1:1"]\n',
    "a database": 'database = "postgresql://me:geheim@127.0.0.1:1/x"\n',
    "a database with its password behind": 'database = "postgresql://me@127.0.0.1:1/x?password=geheim"\n',
}
HARMLESS = 'contact = "https://example.org"\n[feeds]\naddress = "https://example.org/feeds"\n[sources.mfa]\npages = 2\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("json://127.0.0.1:1")
    return tmp_path / "crawler.toml"


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_only_a_file_that_everybody_may_read_is_named(file: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(text, encoding="utf-8")
    exposed = file.with_name("secret") if "secret" in text else file
    for each in (file, file.with_name("secret")):
        each.chmod(0o644 if each == exposed else 0o600)
    (warning,) = list_config_warnings(file)
    assert f"can read {exposed}, which" in warning
    assert f"`chmod 600 {exposed}`" in warning
    assert "geheim" not in warning
    for _ in range(2):
        load_config(file)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [warning]
    for mode in (0o640, 0o600):
        exposed.chmod(mode)
        assert list_config_warnings(file) == []


def test_a_file_without_secrets_may_be_read(file: Path) -> None:
    file.write_text(HARMLESS, encoding="utf-8")
    file.chmod(0o644)
    assert list_config_warnings(file) == []


def test_without_a_file_there_is_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert list_config_warnings() == []
