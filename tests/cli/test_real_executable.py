"""Every command as a real executable: a Python of its own that has imported nothing. Other tests fork one that has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.commands import list_command_names
from support.gov_site import GovSite
from support.sandbox import ROOT, Sandbox

pytestmark = pytest.mark.slow
PAGE = ROOT / "snapshots" / "ktkz" / "article_rus_press.html"
ARTICLE = "ARTICLE"
"""Is replaced by the id of a stored article."""
COMMANDS = {
    "crawl": (("mfa",), 0, "mfa: healthy."),
    "backfill": (("mfa",), 2, "was never walked"),
    "health": (("mfa",), 0, "mfa: healthy."),
    "sources": ((), 0, "gov.kz"),
    "sources edit": (("mfa", "--set", "cron=auto"), 2, "mfa is a built-in source"),
    "sources disable": (("mfa",), 2, "mfa is a built-in source"),
    "sources enable": (("mfa",), 2, "mfa is a built-in source"),
    "sources retire": (("mfa",), 2, "mfa is a built-in source"),
    "sources export": (("mfa", "-o", "mfa.zip"), 2, "mfa is a built-in source"),
    "sources import": (("absent.zip",), 2, "absent.zip"),
    "sources schema": ((), 0, "json-schema.org"),
    "add": (("https://www.gov.kz/memleket/entities/mfa",), 2, "The source mfa reads"),
    "search": (("ICRC",), 0, "articles."),
    "show": ((ARTICLE,), 0, ARTICLE),
    "articles": ((), 0, "stored articles"),
    "versions": ((ARTICLE,), 0, ARTICLE),
    "diff": ((ARTICLE,), 0, ARTICLE),
    "stories": ((), 0, "story 1 "),
    "story": (("1",), 0, "story 1 "),
    "compare": ((ARTICLE, ARTICLE), 0, "Both texts have the same words."),
    "trends": ((), 0, "articles"),
    "match": ((str(PAGE),), 0, "red-cross-movement"),
    "feed": ((), 0, "<feed"),
    "export": (("-o", "all.csv"), 0, "all.csv"),
    "digest": ((), 0, "PRESS REVIEW"),
    "evidence": ((ARTICLE, "-o", "kept.zip"), 0, "kept.zip"),
    "subscribe": ((), 0, "There are no subscriptions."),
    "init": (("new",), 0, "crawler.toml"),
    "config": ((), 0, "none: built-in values"),
    "replay": (("mfa",), 0, "mfa"),
    "reprocess": (("mfa",), 0, "10 versions compared, nothing differs"),
    "check": (("mfa",), 0, "mfa"),
    "snapshot": (("https://nowhere.example/",), 2, "nowhere.example"),
    "extract": ((str(PAGE), "--source", "ktkz"), 0, '"id": "ktkz:'),
    "drift": (("mfa",), 0, "mfa"),
    "schedule": ((), 0, "mfa"),
    "schedule pause": (("mfa",), 0, "mfa is paused"),
    "schedule resume": (("mfa",), 0, "mfa"),
    "schedule run": (("mfa",), 2, "No watch runs mfa now"),
    "schedule watched": ((), 13, "No watch runs"),
    "worker": ((), 2, "the watch itself runs the sources"),
    "workers": (("--json",), 2, "the watch itself runs the sources"),
    "alerts": ((), 0, "No messages yet."),
    "alerts retry": ((), 0, "Nothing had failed"),
    "alerts send": ((), 0, "Nothing was due."),
    "alerts test": (("none",), 2, "none"),
    "alerts explain": ((ARTICLE,), 0, ARTICLE),
    "user list": ((), 0, "There are no users"),
    "user add": (("dana", "--role", "owner", "--no-password"), 0, "dana is an owner."),
    "user show": (("dana",), 0, "dana: owner"),
    "user role": (("dana", "reader"), 2, "dana is the only owner"),
    "user password": (("dana",), 2, "Standard input has no password"),
    "user key": (("dana",), 0, "crawler_"),
    "user disable": (("dana",), 2, "dana is the only owner"),
    "user enable": (("dana",), 0, "dana may sign in."),
    "user erase": (("dana",), 0, "dana is erased"),
    "store backup": (("backup.zip",), 0, "backup.zip"),
    "store restore": (("absent.zip",), 2, "absent.zip"),
    "store copy": (("sqlite:///absent.db", "sqlite:///copy.db"), 2, "There is no store absent.db"),
    "store check": ((), 0, "Nothing is wrong with"),
    "store stats": ((), 0, "articles, "),
    "store prune": ((), 0, "Nothing is removed: [retention]"),
    "store rebuild": ((), 2, "so it is not replaced"),
    "store reindex": ((), 0, "version"),
    "archive status": ((), 0, "no object storage"),
    "archive upload": ((), 2, "objects.address"),
    "rules check": ((), 0, "no error"),
    "rules test": (("absent.toml",), 2, "absent.toml"),
    "rules apply": (("--dry-run",), 0, "0 would change"),
    "rules schema": ((), 0, "{"),
}
"""Command → its arguments, its exit code, and a part of its output. `serve` and `watch` have tests of their own."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with GovSite(4) as site:
        place = Sandbox(tmp_path_factory.mktemp("user"), {"mfa": site})
        place.work_dir.mkdir()
        (place.work_dir / "snapshots").symlink_to(ROOT / "snapshots")
        assert place.run_executable("crawl", "mfa").code == 0
        yield place


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs_as_executable(command: str, place: Sandbox) -> None:
    arguments, code, part = COMMANDS[command]
    article = next(iter(place.get_articles()))
    words = [article if word == ARTICLE else word for word in arguments]
    done = place.run_executable(*command.split(), *words)
    assert done.code == code, done.all_output
    assert (article if part == ARTICLE else part) in done.all_output
    assert "Traceback" not in done.err


def test_a_letter_that_the_terminal_lacks_is_an_escape(place: Sandbox) -> None:
    done = place.run_executable("articles", PYTHONIOENCODING="ascii")
    assert done.code == 0, done.err
    assert "\\u0438" in done.out


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (">/dev/full", 1, "crawler: The disk is full, so something was not written. Free space, and try again.\n"),
        (">&-", 0, ""),
        ("| true", 0, ""),
    ],
)
def test_output_that_nothing_takes_leaves_no_traceback(output: str, code: int, message: str, place: Sandbox) -> None:
    """What is printed is written at the end, as it is without PYTHONUNBUFFERED."""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m crawler --version {output}"],
        env={**place.make_environment(), "PYTHONUNBUFFERED": ""},
        cwd=place.work_dir,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, message)


def test_every_command_is_run() -> None:
    assert set(list_command_names()) - {"serve", "watch"} <= COMMANDS.keys()
