"""A configuration's text without secrets: in values, in comments, and in keys that do not exist yet."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from crawler.config import load_config
from crawler.config.secret_removal import REMOVED_ADDRESS, remove_secrets
from crawler.errors import ConfigError

TEXT = """\
contact = "press@example.org"   # the desk
database = "postgresql://bob:s3cret@db/news?password=s3cret&sslmode=require"   # was postgresql://bob:s3cret@old/news
rules = "/etc/crawler/rules.toml"
# alternative: tgram://s3cret/1

[alarms]
channels = ["desk", "mailto://u:s3cret@example.org"]   # or https://hooks.example.org/s3cret

[channels]
# old = "https://hooks.example.org/services/s3cret"
desk = "json://user:s3cret@127.0.0.1/hook?token=s3cret"
filed.file = "/run/secrets/desk"
inline = { file = "/run/secrets/inline" }

[feeds]
address = "https://example.org/feeds"

[sources.mfa]
base_url = "http://127.0.0.1:8000"
later = ["http://me:s3cret@127.0.0.1:3128"]

[subscriptions.press]
channels = ["desk"]
redact = ["[0-9]{7}"]
"""


def test_no_secret_is_left() -> None:
    safe = remove_secrets(TEXT)
    assert "s3cret" not in safe.text
    assert safe.removed == ("database", "alarms.channels", "channels.desk", "sources.mfa.later")


def test_everything_else_stays() -> None:
    changed = {
        (before, after)
        for before, after in zip(TEXT.split("\n"), remove_secrets(TEXT).text.split("\n"), strict=True)
        if before != after
    }
    assert {after for _, after in changed} == {
        'database = "postgresql://bob@db/news?sslmode=require"   # was postgresql://bob@old/news',
        "# alternative: …",
        f'channels = ["desk", "{REMOVED_ADDRESS}"]   # or …',
        '# old = "…"',
        f'desk = "{REMOVED_ADDRESS}"',
        'later = ["http://127.0.0.1:3128"]',
    }


def test_keys_are_replaced_where_the_file_has_them() -> None:
    safe = remove_secrets(TEXT, rules="rules.toml", templates="templates")
    assert 'rules = "rules.toml"' in safe.text
    assert "templates" not in safe.text


@pytest.mark.parametrize("text", ['channels = { desk = "json://s3cret" }\n', 'channels.desk = "json://s3cret"\n'])
def test_each_way_to_write_a_channel(text: str) -> None:
    safe = remove_secrets(text)
    assert REMOVED_ADDRESS in safe.text
    assert ("s3cret" in safe.text, safe.removed) == (False, ("channels.desk",))


def test_shipped_configuration_loses_only_examples_of_addresses(tmp_path: Path) -> None:
    shipped = resources.files("crawler.defaults").joinpath("crawler.toml").read_text(encoding="utf-8")
    safe = remove_secrets(shipped)
    assert safe.removed == ()
    assert 'address = "https://example.org/feeds"' in safe.text
    (tmp_path / "crawler.toml").write_text(safe.text, encoding="utf-8")
    assert load_config(tmp_path / "crawler.toml").channels == {}


def test_channel_without_its_address_is_named_when_it_is_used(tmp_path: Path) -> None:
    from crawler.service.notifications import check_subscriptions

    safe = remove_secrets('[channels]\ndesk = "json://s3cret"\n[subscriptions.press]\nchannels = ["desk"]\n')
    (tmp_path / "crawler.toml").write_text(safe.text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"channels\.desk"):
        check_subscriptions(load_config(tmp_path / "crawler.toml"))
