"""`crawler --help`: groups, short sentences, no Python types, and nothing heavy imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import iterate_commands
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.cli.help import MAINTAIN, READ, SHARE, WATCH
from crawler.store import open_store

RUN = CliRunner()
HEAVY = "alembic apprise apscheduler asyncio babel jinja2 lxml parsel pydantic rich scrapy sqlalchemy twisted warcio"
VERBS = set(
    "Add Ask Back Change Check Compare Copy Delete Disable Edit Enable Explain Fetch Keep Let List Make Match "
    "Print Read Rebuild Restore Resume Retire Run Search Send Set Show Stop Test Try Upload "
    "Validate Watch Write".split()
)
COMMANDS = dict(iterate_commands())


def show_help(command: str) -> str:
    done = RUN.invoke(app, [*command.split(), "-h"], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    return done.output


def run_program(words: list[str], at_end: str = "pass", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program as the `crawler` script does."""
    code = f"""
import sys
from crawler.__main__ import main
sys.argv = ["crawler", *{words!r}]
try:
    main()
finally:
    {at_end}
"""
    environment = {**os.environ, **variables}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)


def list_imported(words: list[str], modules: str, **variables: str) -> str:
    """Return which of the modules the program has imported at its end, and what it wrote to stderr before."""
    return run_program(
        words, f"print(*sorted(set({modules.split()!r}) & set(sys.modules)), file=sys.stderr)", **variables
    ).stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_heavy(option: str) -> None:
    assert list_imported([option], HEAVY) == "\n"


def test_a_command_imports_no_other() -> None:
    assert list_imported(["articles", "--help"], "crawler.cli.commands.alerts crawler.cli.commands.crawl") == "\n"


def test_articles_import_only_the_store(tmp_path: Path) -> None:
    unused = HEAVY.replace("asyncio ", "").replace("pydantic ", "").replace("sqlalchemy ", "")
    more = "click crawler.config.source_definition crawler.keywords holidays requests sqlalchemy.dialects.postgresql"
    more += " crawler.similarity crawler.store.article_writer crawler.store.events crawler.store.users"
    open_store(f"sqlite:///{tmp_path / 'crawler.db'}").close()
    assert list_imported(["articles"], f"{unused} {more}", CRAWLER_DATA_DIR=str(tmp_path)) == "\n"


@pytest.mark.slow
def test_crawl_imports_neither_scrapy_nor_what_sends(tmp_path: Path) -> None:
    settings = {
        "CRAWLER_DATA_DIR": str(tmp_path),
        "CRAWLER_ALLOW_PRIVATE": "true",
        "CRAWLER_POLITENESS__RETRIES": "0",
        "CRAWLER_POLITENESS__ROBOTS": "false",
        "CRAWLER_SOURCES__QAZMONITOR__BASE_URL": "http://127.0.0.1:9",
    }
    written = list_imported(["crawl", "qazmonitor"], "alembic apprise babel jinja2 requests scrapy twisted", **settings)
    assert written.splitlines()[-1] in ("", "alembic"), written  # the store is new
    assert (tmp_path / "crawler.db").exists()


def test_commands_are_in_groups() -> None:
    text = show_help("")
    headings = re.findall(r"^(\w+):$", text, re.MULTILINE)
    assert headings == ["Options", WATCH, READ, SHARE, MAINTAIN]
    listed = set(re.findall(r"^  (\w+)  +\w", text.partition(f"{WATCH}:")[2], re.MULTILINE))
    assert listed == {name for name in COMMANDS if name and " " not in name}


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_is_a_short_sentence(name: str) -> None:
    if not name:
        return
    summary = COMMANDS[name].get_short_help_str(limit=200)
    assert len(summary) < 60
    assert summary.endswith(".")
    assert summary.split()[0].rstrip(",") in VERBS
    assert summary in show_help(name.rpartition(" ")[0])


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_explained_without_types(name: str) -> None:
    for parameter in COMMANDS[name].params:
        if parameter.name not in ("install_completion", "show_completion", "help") and not parameter.hidden:
            assert parameter.help, parameter.name
            assert len(parameter.help) < 70, parameter.name
            assert parameter.help.endswith((".", "…")), parameter.name
    assert "<" not in show_help(name)
    assert "list[" not in show_help(name)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--source", ("Only articles of", "Source that")),
        ("--language", ("Only articles in", "Language of the article")),
    ],
)
def test_an_option_has_one_meaning(option: str, words: tuple[str, ...]) -> None:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if option in parameter.opts and not parameter.hidden:
                assert parameter.help.startswith(words), name


def test_version_has_a_short_option() -> None:
    assert RUN.invoke(app, ["-V"]).output == RUN.invoke(app, ["--version"]).output


def test_shell_completion_names_commands() -> None:
    variables = {"_CRAWLER_COMPLETE": "complete_bash", "COMP_WORDS": "crawler ver", "COMP_CWORD": "1"}
    assert run_program([], **variables).stdout.split() == ["versions"]
    assert "--install-completion" in show_help("")


@pytest.mark.parametrize(("command", "arguments"), [("versions", "ARTICLE"), ("story", "ID [ACTION] [TARGET]")])
def test_a_required_argument_has_no_braces(command: str, arguments: str) -> None:
    assert show_help(command).split("\n")[0].endswith(f"[OPTIONS] {arguments}")
