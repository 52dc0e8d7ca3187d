"""`crawler watch`: due sources run at once, SIGTERM ends it with 0, and no process remains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.process_tree import is_alive, list_descendants
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox, get_expected_articles
from support.waiting import wait_until

from crawler import spiders
from crawler.items import Health


def finished(sandbox: Sandbox, number: int) -> bool:
    if not (sandbox.data_dir / "crawler.db").exists():
        return False
    with sandbox.open_store() as store:
        return sum(run.finished_at is not None for run in store.runs.list_recent(limit=10)) >= number


@pytest.mark.slow
def test_watch_runs_due_sources_and_ends_on_sigterm(tmp_path: Path) -> None:
    with GovSite(6) as gov, QazMonitorSite(6) as qaz:
        sandbox = Sandbox(tmp_path, {"mfa": gov, "qazmonitor": qaz})
        with sandbox.start_crawler("watch", "mfa", "qazmonitor") as process:
            wait_until(lambda: finished(sandbox, 2))
            below = list_descendants(process.pid)
            assert below
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out
        first, *_, last = out.splitlines()
        assert first.startswith("watching 2 sources; next: ")
        assert last == "stopped"
        wait_until(lambda: not any(map(is_alive, below)))
        for source, site in sandbox.sites.items():
            assert f"  {source}  started" in out
            assert f"  {source}  healthy: " in out
            assert sandbox.get_articles(source).keys() == get_expected_articles(source, site).keys()
        with sandbox.open_store() as store:
            assert {run.health for run in store.runs.list_recent()} == {Health.HEALTHY}
            for row in store.schedules.list_all():
                assert row.last_started_at is not None
                assert row.last_finished_at is not None
                assert row.next_due_at is not None
                assert row.next_due_at > row.last_started_at
        done = sandbox.run_crawler("schedule")
        assert done.code == 0
        assert [line.split()[0] for line in done.out.splitlines() if line[0] != " "] == spiders.list_names()
        assert done.out.count(": healthy. ") == 2


@pytest.mark.slow
def test_watch_runs_sources_after_the_reader_of_its_lines_has_ended(tmp_path: Path) -> None:
    """As `crawler watch | tee log` does when `tee` is killed. A full disk is the same."""
    with QazMonitorSite(6) as qaz:
        sandbox = Sandbox(tmp_path, {"qazmonitor": qaz})
        reader, writer = os.pipe()
        words = [sys.executable, "-m", "crawler", "watch", "qazmonitor"]
        environment, errors = sandbox.make_environment(), tmp_path / "errors"
        with errors.open("w") as stderr:
            process = subprocess.Popen(words, cwd=sandbox.work_dir, env=environment, stdout=writer, stderr=stderr)
        try:
            os.close(writer)
            os.close(reader)
            wait_until(lambda: finished(sandbox, 1), 60)
        finally:
            process.terminate()
            process.wait(30)
        assert sandbox.get_articles("qazmonitor").keys() == get_expected_articles("qazmonitor", qaz).keys()
        said = errors.read_text(encoding="utf-8")
        assert "Traceback" not in said
        assert said.count("Lines of this command cannot be printed: Broken pipe. Its runs continue.") == 1


@pytest.mark.slow
def test_sigterm_ends_the_run_in_progress(tmp_path: Path) -> None:
    with QazMonitorSite(24, feed_size=24) as qaz:
        sandbox = Sandbox(tmp_path, {"qazmonitor": qaz}, {"CRAWLER_POLITENESS__DELAY": "0.2"})
        with sandbox.start_crawler("watch", "qazmonitor") as process:
            wait_until(lambda: len(qaz.requests) > 4)
            below = list_descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=120)
        assert process.returncode == 0, out
        assert "  qazmonitor  stopped: The run of qazmonitor was ended because the watch ends. (" in out
        assert "failed" not in out
        wait_until(lambda: not any(map(is_alive, below)))
        assert len(qaz.requests) < 24
        with sandbox.open_store() as store:
            (run,) = store.runs.list_recent("qazmonitor")
        assert run.finished_at is not None
        assert run.health is Health.STOPPED
        assert not run.complete
        assert sandbox.run_crawler("health", "qazmonitor").out.startswith("qazmonitor: unwatched. It never ran")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("has_children", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_a_signal_while_the_watch_starts_ends_it(number: signal.Signals, has_children: bool, tmp_path: Path) -> None:
    """The signal goes to the whole group, as from a terminal, before or while the sources are imported."""
    sandbox = Sandbox(tmp_path)
    with sandbox.start_crawler("watch") as process:
        database = sandbox.data_dir / "crawler.db"
        wait_until(lambda: list_descendants(process.pid) if has_children else database.exists())
        below = list_descendants(process.pid)
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "stopped\n")
    wait_until(lambda: not any(map(is_alive, below)))
