"""`crawler store copy`, `check` and `stats` as a user sees them; a copy that is killed by the system."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from support.empty_stores import open_test_store
from support.factories import make_article
from support.filled_store import NOON, fill_store, read_rows
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError
from crawler.store import open_store
from crawler.store.schema import leases


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the configured store, which has a few rows."""
    url = f"sqlite:///{tmp_path / 'crawler.db'}"
    monkeypatch.setenv("CRAWLER_DATABASE", url)
    monkeypatch.setenv("CRAWLER_DATA_DIR", str(tmp_path))
    with open_test_store(url) as store:
        fill_store(store)
    return url


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["store", *words])
    return done.exit_code, done.output


def test_copy_prints_what_it_has(url: str, tmp_path: Path) -> None:
    code, output = run("copy", url, f"sqlite:///{tmp_path / 'copy.db'}")
    assert code == 0
    lines = output.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'copy.db'} is the store {tmp_path / 'crawler.db'} as of ")
    assert ": 3 articles, 4 versions, 1 run, " in lines[0]
    assert lines[1:3] == [
        "The counts and digests of all 34 tables are equal.".replace("34", lines[1].split()[6]),
        "The full-text index was made again: 4 versions.",
    ]
    assert lines[3].startswith("To use the copy, set `database` to its address. The archive ")


def test_check_prints_findings_and_exits_with_20(url: str) -> None:
    code, output = run("check")
    assert (code, "signatures → versions" in output) == (0, False)
    with open_store(url) as store, store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("DELETE FROM versions WHERE article_id = 'mfa:1:ru'")
    code, output = run("check")
    assert code == 20
    assert "No version is stored of 1 article: mfa:1:ru. Restore a backup with `crawler store restore`" in output
    code, output = run("check", "--json")
    found = [json.loads(line) for line in output.splitlines()]
    assert (code, found[0]["kind"], found[0]["count"]) == (20, "article_without_version", 1)


def test_stats_prints_tables() -> None:
    code, output = run("stats")
    assert code == 0
    assert ": 3 articles, " in output.splitlines()[0]
    assert "first seen in  articles  archive MB" in output
    values = json.loads(run("stats", "--json")[1])
    assert (values["articles"], values["years"][0]["year"]) == (3, 2026)


@pytest.mark.slow
def test_copy_that_the_system_kills_is_continued(url: str, tmp_path: Path) -> None:
    with open_store(url) as store, store.transaction():
        for number in range(1500):
            article = make_article(f"n{number}", body=f"Текст {number}.", published_at=NOON)
            store.articles.save(article, content_hash=f"n{number}", run_id=None, seen_at=NOON)
    target = tmp_path / "copy.db"
    command = [sys.executable, "-m", "crawler", "store", "copy", url, f"sqlite:///{target}"]
    kills = 0
    for wait in count(0, 0.4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not target.exists() and process.poll() is None:
            time.sleep(0.01)
        try:
            process.wait(wait)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills > 0
    # A kill may come when the copy was whole already: then nothing is copied again.
    assert process.returncode in (0, UsageError.exit_code)
    assert read_rows(f"sqlite:///{target}") == read_rows(url)
    with open_store(f"sqlite:///{target}") as copy:
        assert copy.search.get_state().waiting == 0
        assert copy.search.get_state().indexed == 1504
        assert copy.database.fetch_all(leases.select()) == []
