"""`crawler config`: the settings in force, what is missing, and no secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sandbox import CommandResult, Sandbox

from crawler import spiders

CONFIG = """
contact = "editor@example.org"
database = "postgresql://crawler:geheim@127.0.0.1:1/crawler"
archive = false
heartbeat_url = "http://127.0.0.1:1/geheim"
[channels]
desk = "json://user:geheim@127.0.0.1:1"
[subscriptions.press]
channels = ["desk"]
[sources.ktkz]
enabled = false
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    yield Sandbox(tmp_path)


def configure(sandbox: Sandbox, text: str) -> Path:
    sandbox.make_environment()
    file = sandbox.work_dir / "crawler.toml"
    file.write_text(text, encoding="utf-8")
    return file


def run_config(sandbox: Sandbox, *words: object, **variables: str) -> CommandResult:
    return sandbox.run_crawler("config", *words, **{"CRAWLER_CONTACT": "", **variables})


def get_values(done: CommandResult) -> dict[str, Any]:
    (values,) = done.lines
    return dict(values)


def test_without_a_file_built_in_values_are_in_force(sandbox: Sandbox) -> None:
    shown, as_json = run_config(sandbox), run_config(sandbox, "--json")
    assert (shown.code, as_json.code) == (0, 0)
    assert "file          none: built-in values" in shown.out
    assert "rules         the shipped rules" in shown.out
    assert "missing       no contact: " in shown.out
    assert "watch         not running\n" in shown.out
    assert "alarms        none\n" in shown.out
    assert "heartbeat" not in shown.out
    names = ", ".join(spiders.list_names())
    assert f"missing       no watch runs {names}: start `crawler watch`" in shown.out
    values = get_values(as_json)
    assert (values["file"], values["rules"], values["problems"]) == (None, None, [])
    assert values["unwatched"] == values["sources"] == spiders.list_names()
    assert not sandbox.data_dir.exists(), "nothing is created"


@pytest.mark.slow
def test_settings_are_printed_without_secrets(sandbox: Sandbox) -> None:
    file = configure(sandbox, CONFIG)
    shown, as_json = run_config(sandbox), run_config(sandbox, "--json")
    assert "geheim" not in shown.out + shown.err + as_json.out + as_json.err
    values = get_values(as_json)
    assert values["file"] == str(file)
    assert values["archive"] is None
    assert "heartbeat     never sent\n" in shown.out
    assert (values["heartbeat"], values["last_heartbeat"]) == (True, None)
    assert values["subscriptions"] == {"press": ["desk"]}
    assert values["channels"] == [{"name": "desk", "last_test": None, "last_failure": None}]
    assert "channel desk was never tested: run `crawler alerts test desk`" in values["missing"]
    assert "ktkz" not in values["sources"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("contakt = 'a'\n", "did you mean 'contact'?"),
        ("rules = 'nowhere.toml'\n", "nowhere.toml"),
        ("[channels]\ndesk = 'nonsense://x'\n[subscriptions.press]\nchannels = ['desk']\n", "channels.desk"),
        ("[channels]\ndesk = 'json://h'\n[subscriptions.press]\nchannels = ['desk']\nrules = ['ih']\n", "no rule 'ih'"),
        ("[sources.mfa]\ncron = 'every day'\n", "sources.mfa.cron: 'every day' is no cron expression"),
        ("[sources.mfa]\nexcerpt_share = 1.0\n", "sources.mfa.excerpt_share = 1.0 is more than the 30% that"),
    ],
)
def test_a_broken_configuration_exits_with_2(sandbox: Sandbox, text: str, problem: str) -> None:
    configure(sandbox, text)
    done = run_config(sandbox)
    assert (done.code, "crawler: " in done.err) == (2, True), done.err
    assert problem in done.err
    assert not done.out or "watch         not checked" in done.out


@pytest.mark.parametrize("address", ["crawler", "postgresql://crawler@127.0.0.1:port/crawler", "mysql://h/d"])
def test_a_database_address_that_cannot_be_used_is_one_sentence(sandbox: Sandbox, address: str) -> None:
    configure(sandbox, f'database = "{address}"\n')
    done = run_config(sandbox)
    assert (done.code, "Traceback" in done.err) == (2, False), done.err
    assert "sqlite:///FILE or postgresql://USER@HOST/DATABASE" in done.err
    crawled = sandbox.run_crawler("crawl", "mfa", "--dry-run")
    assert "sqlite:///FILE or postgresql://USER@HOST/DATABASE" in crawled.all_output


def test_a_data_folder_that_cannot_be_written_exits_with_2(sandbox: Sandbox) -> None:
    configure(sandbox, "")
    (sandbox.work_dir / "file").touch()
    folder = str(sandbox.work_dir / "file" / "data")
    done, failing = (sandbox.run_crawler(word, CRAWLER_DATA_DIR=folder) for word in ("config", "articles"))
    assert (done.code, failing.code) == (2, 2)
    assert "cannot be opened: Not a directory" in done.err
    assert done.err == failing.err
