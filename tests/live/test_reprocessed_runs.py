"""`crawler reprocess --write` between real runs: no edit, no message, and nothing half written after `kill -9`."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.releases import Tables, read_tables
from support.sandbox import Sandbox
from support.webhook_server import WebhookServer

from crawler.items import Verdict

pytestmark = pytest.mark.slow

TERM = "visa center"
RULES = f'include = "shipped"\n[[rule]]\nname = "visas"\nterms.en = ["{TERM}"]\n'
ARTICLE_COUNT = 24
KILL_COUNT = 4
DRIVER = """
from crawler.service import reprocess
reprocess.VERSIONS_PER_BATCH = 7
from crawler.__main__ import main
main()
"""
"""Runs the program with small batches, so that it is killed between and within them."""


def change_stored_fields(data: Path, **fields: Any) -> None:
    """Let every stored version have the fields that an earlier page class read."""
    with closing(sqlite3.connect(data / "crawler.db")) as database:
        for key, text in database.execute("SELECT rowid, article FROM versions").fetchall():
            article = {**json.loads(text), **fields}
            database.execute("UPDATE versions SET article = ? WHERE rowid = ?", (json.dumps(article), key))
        database.commit()


def test_reading_again_is_no_edit_and_no_message(tmp_path: Path) -> None:
    with QazMonitorSite(count=6) as site, WebhookServer() as hook:
        place = Sandbox(tmp_path, {"qazmonitor": site})
        press = {"channels": ["desk"], "revisions": "cosmetic", "strength": "weak"}
        place.variables = {
            "CRAWLER_CHANNELS__DESK": hook.address,
            "CRAWLER_SUBSCRIPTIONS": json.dumps({"press": press}),
        }
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        edited = site.articles[1]
        text = edited.texts["en"]
        site.edit_article(edited.id, paragraphs=(*text.paragraphs, "They helped 12 people of the Red Cross."))
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        sent = hook.request_count
        assert sent > 0

        change_stored_fields(place.data_dir, author="Former author", section=None)
        rules = place.work_dir / "rules.toml"
        rules.write_text(RULES, encoding="utf-8")
        place.variables = {**place.variables, "CRAWLER_RULES": str(rules)}
        matching = [a.id for a in site.articles if TERM in " ".join([a.texts["en"].title, *a.texts["en"].paragraphs])]
        assert matching

        table = place.run_crawler("reprocess", "qazmonitor")
        assert table.code == 12
        assert "'Former author' → nothing" in table.out
        assert all(f"qazmonitor:{number}:en version" in table.out for number in matching)
        assert "visas, 'visa center' (strong): " in table.out
        written = place.run_crawler("reprocess", "qazmonitor", "--write")
        assert f"{len(site.articles)} versions stored as reprocessed." in written.out
        settled = place.run_crawler("reprocess", "qazmonitor", "--write")
        assert (settled.code, settled.err) == (0, "")
        listed = place.run_crawler("versions", f"qazmonitor:{edited.id}:en").out
        assert [line.split()[2] for line in listed.splitlines() if line.startswith("version")] == [
            "new",
            "revised",
            "reprocessed",
        ]

        again = place.run_crawler("crawl", "qazmonitor", "--json")
        counts = again.get_run("qazmonitor")["counts"]
        assert (again.code, counts.get("articles/revised", 0), counts.get("articles/new", 0)) == (0, 0, 0)
        assert place.run_crawler("alerts", "send").code == 0
        assert hook.request_count == sent
        current = place.get_articles()
        assert {article.verdict for article in current.values()} == {Verdict.REPROCESSED}
        assert {article.author for article in current.values()} == {None}

        site.edit_article(edited.id, paragraphs=(*text.paragraphs, "They helped 15 people of the Red Cross."))
        assert place.run_crawler("crawl", "qazmonitor").code == 0
        assert hook.request_count == sent + 1
        (diff,) = place.run_crawler("diff", f"qazmonitor:{edited.id}:en", "--json").lines
        assert {edit["field"] for edit in diff["edits"]} == {"body"}
        proof = place.run_crawler("evidence", f"qazmonitor:{edited.id}:en", "-o", tmp_path / "e.zip")
        assert (proof.code, proof.err) == (0, "")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A store whose every version was read by an earlier page class."""
    with GovSite(count=ARTICLE_COUNT) as site:
        place = Sandbox(tmp_path_factory.mktemp("changed"), {"mfa": site})
        assert place.run_crawler("crawl", "mfa").code == 0
        change_stored_fields(place.data_dir, author="Former author", title="Former title", matches=[])
        yield place


def list_written(tables: Tables) -> list[list[tuple[Any, ...]]]:
    """Return what a store says, without times of this machine."""

    def drop_note(text: str) -> str:
        article = json.loads(text)
        article["provenance"].pop("verdict", None)
        return json.dumps(article, sort_keys=True)

    current = [(a["id"], a["current_version"], a["content_hash"], a["matched"]) for a in tables["articles"]]
    texts = [(v["article_id"], v["version"], v["verdict"], drop_note(v["article"])) for v in tables["versions"]]
    diffs = [(d["article_id"], d["version"], d["diff"]) for d in tables["revision_diffs"]]
    places = [(m["article_id"], m["version"], m["position"], m["rule"], m["start"]) for m in tables["matches"]]
    return [sorted(rows) for rows in (current, texts, diffs, places)]


def assert_nothing_is_half_written(tables: Tables) -> int:
    """Return how many articles were written. Each has all of its rows, or none."""
    written = {v["article_id"]: v for v in tables["versions"] if v["verdict"] == "reprocessed"}
    diffs = {row["article_id"] for row in tables["revision_diffs"]}
    matches: dict[str, int] = {}
    for row in tables["matches"]:
        if row["version"] == 2:
            matches[row["article_id"]] = matches.get(row["article_id"], 0) + 1
    for article in tables["articles"]:
        version = written.get(article["id"])
        assert article["current_version"] == (2 if version else 1)
        assert (article["id"] in diffs) == bool(version)
        assert matches.get(article["id"], 0) == (len(json.loads(version["article"])["matches"]) if version else 0)
    return len(written)


@pytest.mark.campaign
def test_killed_midway_it_continues(changed: Sandbox, tmp_path: Path) -> None:
    command = [sys.executable, "-c", DRIVER, "reprocess", "mfa", "--write"]
    chance = random.Random(5)
    outcomes: list[int] = []

    def start(data: Path) -> subprocess.Popen[bytes]:
        environment = changed.make_environment(CRAWLER_DATA_DIR=str(data))
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    whole = Path(shutil.copytree(changed.data_dir, tmp_path / "whole"))
    assert start(whole).wait(100) == 12
    expected = list_written(read_tables(f"sqlite:///{whole / 'crawler.db'}"))
    count = sum(1 for row in expected[1] if row[2] == "reprocessed")
    assert count > ARTICLE_COUNT
    for number in range(KILL_COUNT):
        data = Path(shutil.copytree(changed.data_dir, tmp_path / str(number)))
        url = f"sqlite:///{data / 'crawler.db'}"
        process = start(data)
        wait_for_writes(data, chance.randrange(0, count - 7), process)
        process.kill()
        process.wait(60)
        outcomes.append(assert_nothing_is_half_written(read_tables(url)))
        assert start(data).wait(100) in (0, 12)
        assert list_written(read_tables(url)) == expected
    assert any(0 < outcome < count for outcome in outcomes), outcomes


def wait_for_writes(data: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until more than that many versions are written, or the process has ended."""
    with closing(sqlite3.connect(f"file:{data / 'crawler.db'}?mode=ro", uri=True)) as database:
        while process.poll() is None:
            query = "SELECT count(*) FROM versions WHERE verdict = 'reprocessed'"
            if database.execute(query).fetchone()[0] > number:
                return
            time.sleep(0.002)
