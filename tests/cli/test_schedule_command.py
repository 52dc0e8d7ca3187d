"""`crawler schedule` and its commands, and a watch that sees their requests and changes of crawler.toml."""

from __future__ import annotations

import http.server
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.process_tree import is_alive, list_descendants
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox
from support.server_thread import start_server_thread
from support.waiting import wait_until

from crawler import spiders
from crawler.items import Article, Verdict
from crawler.notify.alarms import record_run_result

FREQUENT_WATCH = Path(__file__).parents[1] / "support" / "frequent_watch.py"
"""`crawler watch` with a check every half second: a test cannot wait for half a minute."""
AUTO = ("CRAWLER_SOURCES__QAZMONITOR__CRON", "CRAWLER_SOURCES__KTKZ__CRON")


@contextmanager
def watching(sandbox: Sandbox, *sources: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(FREQUENT_WATCH), str(sandbox.work_dir / "crawler.toml"), *sources],
        cwd=sandbox.work_dir,
        env=sandbox.make_environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            below = list_descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)
            wait_until(lambda: not any(map(is_alive, below)))


def ran(sandbox: Sandbox) -> int:
    if not (sandbox.data_dir / "crawler.db").exists():
        return 0
    with sandbox.open_store() as store:
        return sum(run.finished_at is not None for run in store.runs.list_recent("qazmonitor"))


def configured(sandbox: Sandbox, text: str) -> None:
    sandbox.make_environment()
    (sandbox.work_dir / "crawler.toml").write_text(text, encoding="utf-8")


def next_start(sandbox: Sandbox) -> str:
    with sandbox.open_store() as store:
        row = store.schedules.get("qazmonitor")
    assert row is not None
    return row.cron


@pytest.mark.slow
def test_pause_and_resume_are_written_and_shown(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    paused, shown, asked, resumed, run, unknown = sandbox.run_many(
        ("schedule", "pause", "mfa"),
        ("schedule",),
        ("schedule", "run", "mfa"),
        ("schedule", "resume", "mfa"),
        ("schedule", "run", "mfa"),
        ("schedule", "pause", "mfaa"),
    )
    assert (paused.code, paused.out) == (0, "mfa is paused; `crawler schedule resume mfa` lets it run again.\n")
    assert "mfa  */15 * * * *  paused\n    never ran\n    no watch runs it now\n" in shown.out
    for done in (asked, run):
        assert done.code == 2
        assert "No watch runs mfa now: start `crawler watch`, or run it by `crawler crawl mfa`." in done.err
    assert resumed.out.startswith("mfa  */15 * * * *  2")
    assert (unknown.code, "did you mean 'mfa'?" in unknown.err) == (2, True)


@pytest.mark.slow
def test_watch_sees_requests_and_configuration_changes(tmp_path: Path) -> None:
    with QazMonitorSite(4) as qaz:
        sandbox = Sandbox(tmp_path, {"qazmonitor": qaz})
        configured(sandbox, "[sources.qazmonitor]\ncron = '0 0 1 1 *'\n[sources.mfa]\nenabled = false\n")
        with watching(sandbox, "qazmonitor") as process:
            wait_until(lambda: ran(sandbox) == 1, 60)  # never ran before: due at once
            (here, asked) = sandbox.run_many(("schedule",), ("schedule", "run", "qazmonitor"))
            assert "no watch runs it now" not in here.out.split("qazmonitor")[1]
            assert asked.code == 0, asked.err
            assert f"the watch (process {process.pid} on host " in asked.out
            wait_until(lambda: ran(sandbox) == 2)
            seen = sandbox.run_crawler("schedule", "watched", CRAWLER_SOURCES__KTKZ__ENABLED="false")
            assert (seen.code, seen.out) == (0, "Every source is watched.\n")
            configured(sandbox, "[sources.qazmonitor]\ncron = '61 * * * *'\n")
            configured(sandbox, "[sources.qazmonitor\n")
            threading.Event().wait(1.5)
            configured(sandbox, "[sources.qazmonitor]\ncron = '5 5 * * *'\n")
            wait_until(lambda: next_start(sandbox) == "5 5 * * *")
            assert sandbox.run_crawler("schedule", "pause", "qazmonitor").code == 0
            refused = sandbox.run_crawler("schedule", "run", "qazmonitor")
            assert "qazmonitor is paused: `crawler schedule resume qazmonitor` first" in refused.err
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None
            out = process.stdout.read()
        assert out.count("The watch keeps its former configuration: ") == out.count("not valid TOML") == 1
        assert re.search(
            r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  The watch keeps its former configuration: ", out, re.MULTILINE
        )
        again = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  The configuration was read again; watched: .*qazmonitor"
        assert re.search(again, out, re.MULTILINE)
        assert out.count("started") == 2
        alone, names = sandbox.run_crawler("schedule", "watched"), ", ".join(spiders.list_names())
        assert (alone.code, alone.out) == (13, f"No watch runs {names}; start `crawler watch`.\n")
        gone = sandbox.run_crawler("schedule", "run", "qazmonitor")
        assert "No watch runs qazmonitor now" in gone.err


@pytest.mark.slow
def test_unsent_alarm_is_sent_at_a_check(tmp_path: Path) -> None:
    heard: list[Any] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    sandbox = Sandbox(tmp_path)
    configured(sandbox, "[sources.qazmonitor]\ncron = '0 0 1 1 *'\n")
    sandbox.data_dir.mkdir(parents=True)
    now = datetime.now(UTC)
    with sandbox.open_store() as store:
        from crawler.store.schedules import ScheduleState

        store.schedules.save(
            ScheduleState(source="qazmonitor", cron="0 0 1 1 *", last_due_at=now + timedelta(minutes=5))
        )
        record_run_result(
            store, source="mfa", health="changed", exit_code=12, message="New shape.", run_id=None, finished_at=now
        )
    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        start_server_thread(server)
        channel = json.dumps([f"json://127.0.0.1:{server.server_port}/"])
        with watching(sandbox, "qazmonitor", CRAWLER_ALARMS__CHANNELS=channel):
            wait_until(lambda: heard)
        server.shutdown()
    assert len(heard) == 1
    assert "New shape." in heard[0]["message"]


def test_learned_cron_is_explained(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, variables=dict.fromkeys(AUTO, "auto"))
    sandbox.data_dir.mkdir(parents=True)
    # The product counts days in Almaty. Between 19:00 and 24:00 UTC it is already tomorrow there.
    today = datetime.now(ZoneInfo("Asia/Almaty")).replace(hour=11, minute=30, second=0, microsecond=0)
    with sandbox.open_store() as store:
        for day in range(1, 100):
            at = today - timedelta(days=day)
            article = Article(
                id=f"qazmonitor:{day}:en",
                source="qazmonitor",
                url=f"https://qazmonitor.com/news/{day}/x",
                body=f"Text {day}.",
                language="en",
                verdict=Verdict.NEW,
                version=1,
                published_at=at,
            )
            store.articles.save(article, content_hash=str(day), run_id=None, seen_at=at)
    done = sandbox.run_crawler("schedule")
    assert done.code == 0, done.err
    assert "qazmonitor  */15 11 * * * | 0 */2 * * *  2" in done.out
    assert "    auto: every 15 min 11-12, else every 2 h, because 60 of 60 articles of 60 days came then\n" in done.out
    assert "    auto: the default cron so far, because only 0 articles of 0 days are known" in done.out
