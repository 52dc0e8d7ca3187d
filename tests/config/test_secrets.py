"""Errors about the configuration never show an address, because it may contain a password."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from crawler.config import load_config
from crawler.errors import ConfigError

ADDRESS = "mailto://user:geheim@example.kz"
PRESS = '[channels]\ndesk = "json://127.0.0.1"\n[subscriptions.press]\n'
MISTAKES = {
    "an address for a name": f'{PRESS}channels = ["{ADDRESS}"]',
    "no list": f'{PRESS}channels = "{ADDRESS}"',
    "an unknown word": f'{PRESS}channel = "{ADDRESS}"',
    "no section": f'[subscriptions]\npress = "{ADDRESS}"',
    "another setting": f'{PRESS}channels = ["desk"]\nwhen = "{ADDRESS}"',
    "name and address changed about": f'[channels]\n"{ADDRESS}" = "desk"',
    "a list of channels": f'channels = ["{ADDRESS}"]',
    "an unknown part of a channel": f'[channels.desk]\nurl = "{ADDRESS}"',
    "alarms": f'[alarms]\nchannels = "{ADDRESS}"',
    "a copy of a site without a scheme": '[sources.mfa]\nbase_url = "user:geheim@host/mfa"',
    "a database in a list": 'database = ["postgresql://user:geheim@host/x"]',
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_error_shows_an_address(mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "crawler.toml"
    file.write_text(MISTAKES[mistake], encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))
    assert str(file) in str(caught.value)


def test_address_file_is_relative_to_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "desk").write_text(f"{ADDRESS}\n", encoding="utf-8")
    file = tmp_path / "crawler.toml"
    file.write_text('[channels]\ndesk.file = "desk"\n', encoding="utf-8")
    monkeypatch.chdir("/")
    assert load_config(file).channels["desk"].get_secret_value() == ADDRESS


def test_subscription_without_changes_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "crawler.toml"
    file.write_text(f'{PRESS}channels = ["desk"]\ntell = []\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"crawler\.toml:5: subscriptions\.press\.tell = \[\] cannot be used"):
        load_config(file)


def test_error_about_a_variable_shows_no_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_SUBSCRIPTIONS", f'{{"press": "{ADDRESS}"}}')
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert "geheim" not in "".join(traceback.format_exception(caught.value))
