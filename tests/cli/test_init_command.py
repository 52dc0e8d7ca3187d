"""`crawler init`, and the messages about mistakes in the configuration, variables and rules."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from support.sandbox import Sandbox

from crawler import spiders
from crawler.__main__ import main
from crawler.config import load_config
from crawler.keywords import load_rules

MISTAKES = {
    "contat = 'a@example.org'\n": "broken.toml:1: there is no setting 'contat', did you mean 'contact'?",
    "[politeness]\ndelay=1\ndelai=2\n": "broken.toml:3: there is no setting 'politeness.delai', did you mean 'delay'?",
    "[limits]\nbody_mb = 'much'\n": "broken.toml:2: limits.body_mb = 'much' cannot be used",
    "[politness]\ndelay = 1\n": "broken.toml:1: there is no setting 'politness', did you mean 'politeness'?",
    "[sources.mfa]\nbase_url = 'gov.kz'\n": "broken.toml:2: sources.mfa.base_url = 'gov.kz' cannot be used",
    "[sources.mfaa]\nenabled = true\n": "broken.toml:1: there is no source 'mfaa', did you mean 'mfa'?",
    "timezone = 'Asia/Almatty'\n": "broken.toml:1: timezone = 'Asia/Almatty' cannot be used",
    "contact = \n": "broken.toml:1: not valid TOML: Invalid value (column 11).\n",
    "[limits]\nbody_mb = 3\n\n[feeds]\ntitle = My news\n": "broken.toml:5: not valid TOML: Invalid value (column 9). "
    "Put the text in quotation marks.",
    "[channels]\ndesk = 'json://h'\n[subscriptions.press]\nchannels = 'desk'\n": "broken.toml:4: "
    """subscriptions.press.channels = 'desk' cannot be used: write a list: ["desk"].""",
    "[alarms]\nchannels = 'json://secret'\n": """alarms.channels cannot be used: write a list: ["…"].""",
    "[channels]\ndesk = 'json://h'\n[alarms]\nchannels = ['dsk']\n": "broken.toml:4: alarms: [channels] has no 'dsk', "
    "did you mean 'desk'?",
    "[feeds]\ntitel = 'News'\n": "broken.toml:2: there is no setting 'feeds.titel', did you mean 'title'?",
    "rules = 'nowhere.toml'\n": "nowhere.toml",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("init"))


def test_init_writes_valid_files_and_overwrites_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    (folder.parent / "half").mkdir(parents=True)
    (folder.parent / "half" / "rules.toml").write_text("mine")
    done, again, half = sandbox.run_many(("init", folder), ("init", folder), ("init", folder.parent / "half"))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f"then run `crawler --config {folder / 'crawler.toml'} crawl`.\n")
    schema = (folder / "rules.toml").read_text(encoding="utf-8").split("\n")[0].removeprefix("#:schema ")
    assert json.loads((folder / schema).read_text(encoding="utf-8"))["title"] == "RuleFile"
    config = load_config(folder / "crawler.toml")
    assert config.contact is None
    assert load_rules(folder / "rules.toml").rules == load_rules(None).rules
    assert len((folder / "rules.toml").read_text(encoding="utf-8").splitlines()) < 20, "it adds to the shipped rules"
    assert again.code == half.code == 2
    assert "exists already and is not overwritten" in again.err
    assert [path.name for path in (folder.parent / "half").iterdir()] == ["rules.toml"]
    assert (folder.parent / "half" / "rules.toml").read_text() == "mine"


def test_commented_settings_are_valid(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every commented line that shows a setting is one: without its mark the file still loads."""
    (done,) = sandbox.run_many(("init", tmp_path))
    assert done.code == 0
    written = (tmp_path / "crawler.toml").read_text()
    shown = re.compile(r"# (?=.* = |\[)")
    lines = [shown.sub("", line, count=1) if shown.match(line) else line for line in written.split("\n")]
    (tmp_path / "crawler.toml").write_text("\n".join(lines))
    config = load_config(tmp_path / "crawler.toml")
    assert config.contact == "press@example.org"
    assert config.rules == tmp_path / "rules.toml"
    assert config.sources["mfa"].languages == ("ru", "kk", "en")
    assert len(tomllib.loads("\n".join(lines))) >= 8


@pytest.mark.slow
def test_mistake_is_named_with_its_line_and_the_nearest_word(sandbox: Sandbox) -> None:
    sandbox.make_environment()
    commands = []
    for number, text in enumerate(MISTAKES):
        (sandbox.work_dir / str(number)).mkdir()
        (sandbox.work_dir / str(number) / "broken.toml").write_text(text)
        words = ("crawl", "mfa", "--dry-run") if "rules" in text else ("sources",)
        commands.append(("--config", f"{number}/broken.toml", *words))
    for (text, sentence), done in zip(MISTAKES.items(), sandbox.run_many(*commands), strict=True):
        assert (done.code, done.out) == (2, ""), (text, done)
        assert sentence in done.err, text
        assert done.err.startswith("crawler: ")
        assert done.err.count("\n") == 1


def test_a_mistaken_variable_is_named(sandbox: Sandbox) -> None:
    done = sandbox.run_crawler("sources", CRAWLER_CONTAKT="a")
    assert (done.code, done.out) == (2, "")
    assert done.err == "crawler: The variable CRAWLER_CONTAKT sets nothing, did you mean 'CRAWLER_CONTACT'?\n"


def test_a_bad_cron_is_named_with_its_field(sandbox: Sandbox) -> None:
    for done in sandbox.run_many(("schedule",), ("watch",), CRAWLER_SOURCES__MFA__CRON="*/15 25 * * *", timeout=120):
        assert (done.code, done.out) == (2, "")
        assert "sources.mfa.cron: '*/15 25 * * *' is no cron expression: its hour '25' is not from 0 to 23." in done.err


def test_broken_rules_file_is_named_before_any_request(sandbox: Sandbox) -> None:
    sandbox.make_environment()
    (sandbox.work_dir / "rules.toml").write_text('version = 1\n[[rule]]\nnam = "x"\n')
    done = sandbox.run_crawler("crawl", "mfa", "--dry-run", CRAWLER_RULES=str(sandbox.work_dir / "rules.toml"))
    assert (done.code, done.out) == (2, "")
    assert f"crawler: {sandbox.work_dir / 'rules.toml'}" in done.err
    assert done.err.count("\n") == 1


def test_file_of_the_working_folder_outranks_the_users(tmp_path: Path) -> None:
    user = Sandbox(tmp_path)
    user.make_environment()
    own = tmp_path / "config" / "crawler" / "crawler.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[sources.ktkz]\nenabled = false\n")
    every = dict.fromkeys(spiders.list_names(), True)
    (off,) = user.run_many(("sources", "--json"))
    assert {line["name"]: line["enabled"] for line in off.lines} == {**every, "ktkz": False}
    (user.work_dir / "crawler.toml").write_text("[sources.mfa]\nenabled = false\n")
    (here,) = user.run_many(("sources", "--json"))
    assert {line["name"]: line["enabled"] for line in here.lines} == {**every, "mfa": False}


def test_the_console_script_is_the_module(sandbox: Sandbox) -> None:
    (script,) = entry_points(group="console_scripts", name="crawler")
    assert script.load() is main
    version = sandbox.run_crawler("--version")
    assert version.code == 0
    assert version.out.startswith("crawler ")


def test_help_names_every_command_without_loading_scrapy(sandbox: Sandbox) -> None:
    done = sandbox.run_python("-X", "importtime", "-m", "crawler", "--help")
    assert done.code == 0
    for name in ("crawl", "extract", "replay", "snapshot", "sources", "articles", "watch", "schedule", "init"):
        assert f"\n  {name} " in done.out
    assert "scrapy" not in done.err
    assert "Exit codes: 0 healthy" in done.out
