"""One run per source: a second one names the holder, a dead holder is replaced, a run that loses its lease ends."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from support.delayed_site import delay_answers
from support.process_tree import is_alive, kill_processes, list_crawls, list_descendants
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox, get_expected_articles
from support.waiting import wait_until

from crawler.items import Health, Run
from crawler.store import Store
from crawler.store.schema import leases


def update_lease(store: Store, **values: Any) -> None:
    with store.database.transaction() as connection:
        connection.execute(update(leases).where(leases.c.source == "qazmonitor").values(**values))


@pytest.mark.slow
def test_a_second_run_is_told_who_has_the_source_and_asks_nothing(tmp_path: Path) -> None:
    with QazMonitorSite(4) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        with delay_answers(qaz, seconds=100), place.start_crawler("crawl", "qazmonitor") as process:
            wait_until(lambda: qaz.requests)
            (pid,) = list_crawls(process.pid)
            second = place.run_crawler("crawl", "qazmonitor", CRAWLER_CONTACT="second@example.org")
            assert second.code == 15
            assert (
                f"qazmonitor is being crawled by process {pid} on host {socket.gethostname()} since "
                in second.all_output
            )
            assert not [asked for asked in qaz.requests if "second@" in asked.headers["user-agent"]]
            dry = place.run_crawler(
                "crawl", "qazmonitor", "--replay", Path(__file__).parents[2] / "snapshots", "--dry-run"
            )
            assert "is being crawled" not in dry.all_output
            kill_processes(process.pid, *list_descendants(process.pid))
            wait_until(lambda: not is_alive(pid))
        third = place.run_crawler("crawl", "qazmonitor")
        assert third.code == 0, third.all_output
        assert place.get_articles("qazmonitor").keys() == get_expected_articles("qazmonitor", qaz).keys()
        with place.open_store() as store:
            assert store.leases.get("qazmonitor") is None
            assert [run.health for run in store.runs.list_recent()] == [Health.HEALTHY, Health.FAILED]
            assert store.alarms.get_open("qazmonitor") is None


@pytest.mark.slow
def test_a_holder_of_another_host_is_replaced_when_it_was_silent_for_too_long(tmp_path: Path) -> None:
    with QazMonitorSite(4) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        place.data_dir.mkdir(parents=True)
        with place.open_store() as store:
            lease = store.leases.acquire("qazmonitor", uuid.uuid4().hex)
            killed = store.runs.record_start(Run(source="qazmonitor", started_at=lease.taken_at))
            with store.database.transaction() as connection:
                connection.exec_driver_sql("UPDATE runs SET host = 'elsewhere'")
            update_lease(store, host="elsewhere", heartbeat_at=lease.heartbeat_at - timedelta(seconds=43))
        done = place.run_crawler("crawl", "qazmonitor")  # waits some two seconds until it is 45
        assert done.code == 0, done.all_output
        with place.open_store() as store:
            found = {run.id: run for run in store.runs.list_recent()}
        assert found[killed.id].health is Health.FAILED
        assert len(found) == 2


@pytest.mark.slow
def test_a_holder_of_another_host_that_beats_keeps_it(tmp_path: Path) -> None:
    place = Sandbox(tmp_path, {})
    place.data_dir.mkdir(parents=True)
    with place.open_store() as store:
        holder = uuid.uuid4().hex
        store.leases.acquire("qazmonitor", holder)
        update_lease(store, host="elsewhere")
        with place.start_crawler("crawl", "qazmonitor") as process:
            while process.poll() is None:
                store.leases.renew("qazmonitor", holder)
                threading.Event().wait(0.2)
            out, _ = process.communicate(timeout=120)
    assert process.returncode == 15
    assert f"qazmonitor is being crawled by process {os.getpid()} on host elsewhere since " in out


@pytest.mark.slow
def test_a_run_that_lost_its_lease_ends_in_order(tmp_path: Path) -> None:
    with QazMonitorSite(4) as qaz:
        place = Sandbox(tmp_path, {"qazmonitor": qaz})
        with place.start_crawler("crawl", "qazmonitor") as process:
            with delay_answers(qaz, seconds=100):
                wait_until(lambda: qaz.requests)
                with place.open_store() as store:
                    update_lease(store, holder="another", host="elsewhere", pid=7)
                threading.Event().wait(11)
            out, _ = process.communicate(timeout=120)
        assert process.returncode == 15, out
        assert "lost its lease (process 7 on host elsewhere has it)" in out
        with place.open_store() as store:
            (run,) = store.runs.list_recent()
            lease = store.leases.get("qazmonitor")
            assert store.alarms.get_open("qazmonitor") is None
        assert (run.health, run.exit_code, run.complete) == (Health.FAILED, 15, False)
        assert lease is not None
        assert lease.holder == "another"
