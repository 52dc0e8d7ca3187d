"""Faults that are no answer of the site: of the machine, the network, the process, or the site's own texts."""

from __future__ import annotations

import resource
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from support.http_server import SiteRequest
from support.process_tree import kill_processes, list_crawls, list_descendants
from support.sandbox import CommandResult, Sandbox
from support.waiting import wait_until

Force = Callable[[Sandbox, str], AbstractContextManager[dict[str, str]]]


def _by_itself(place: Sandbox, source: str) -> CommandResult | None:
    """Make the ordinary run."""
    return None


@dataclass(frozen=True)
class Special:
    """`force` applies the fault and returns variables for the run. `run` makes the run where it is no ordinary one."""

    force: Force
    run: Callable[[Sandbox, str], CommandResult | None] = _by_itself


def get_newest(site: Any) -> Any:
    """Return the newest article that a crawl reads."""
    return next(article for article in site.articles if site.public != "https://www.kt.kz" or "ru" in article.texts)


@contextmanager
def _broken_newest(place: Sandbox, source: str, how: str) -> Iterator[dict[str, str]]:
    site: Any = place.sites[source]
    article = get_newest(site)
    site.break_page(article.id, how)
    yield {}
    site._save_article(replace(article, changed=article.changed + timedelta(seconds=2)))


@contextmanager
def set_clock_ahead(place: Sandbox, source: str) -> Iterator[dict[str, str]]:
    """Date the newest articles a day from now. Healed, they have their right dates."""
    site: Any = place.sites[source]
    ahead = site.articles[:4]
    for article in ahead:
        site._save_article(replace(article, published_at=article.published_at + timedelta(days=1)))
    yield {}
    for article in ahead:
        site._save_article(replace(article, changed=article.changed + timedelta(seconds=2)))


@contextmanager
def _elsewhere(place: Sandbox, source: str, url: str) -> Iterator[dict[str, str]]:
    yield {f"CRAWLER_SOURCES__{source.upper()}__BASE_URL": url}


def use_unknown_host(place: Sandbox, source: str) -> AbstractContextManager[dict[str, str]]:
    """Use a name that no resolver knows."""
    return _elsewhere(place, source, "http://nowhere.invalid")


def use_closed_port(place: Sandbox, source: str) -> AbstractContextManager[dict[str, str]]:
    """Use a port without a listener."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return _elsewhere(place, source, f"http://127.0.0.1:{free.getsockname()[1]}")


def use_missing_tls(place: Sandbox, source: str) -> AbstractContextManager[dict[str, str]]:
    """Use TLS with a server that has none."""
    return _elsewhere(place, source, place.sites[source].url.replace("http:", "https:"))


@contextmanager
def change_nothing(place: Sandbox, source: str) -> Iterator[dict[str, str]]:
    """Change nothing: the fault is in how the run is made."""
    yield {}


def run_with_full_disk(place: Sandbox, source: str) -> CommandResult:
    """Run with a file size limit at the store's size: every write beyond fails, as on a full disk."""
    biggest = max(file.stat().st_size for file in place.data_dir.rglob("*") if file.is_file())
    limit = min(biggest, 20_000)
    ended = subprocess.run(
        [sys.executable, "-m", "crawler", "crawl", source],
        cwd=place.work_dir,
        env=place.make_environment(PYTHONDONTWRITEBYTECODE="1"),  # a truncated cache would break later runs
        capture_output=True,
        check=False,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    return CommandResult(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def run_while_locked(place: Sandbox, source: str) -> CommandResult:
    """Run while another process locks the database for longer than the run waits."""
    with closing(sqlite3.connect(place.data_dir / "crawler.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = place.run_crawler("crawl", source, timeout=200)
        other.execute("ROLLBACK")
    return done


@contextmanager
def _held(site: Any) -> Iterator[threading.Event]:
    """Let the site answer nothing until the block ends."""
    real, go_on, asked_once = site.answer, threading.Event(), threading.Event()

    def answer(asked: SiteRequest) -> Any:
        asked_once.set()
        go_on.wait(60)
        return real(asked)

    site.answer = answer
    try:
        yield asked_once
    finally:
        go_on.set()
        del site.answer


def run_and_kill(whom: Callable[[int], list[int]]) -> Callable[[Sandbox, str], CommandResult]:
    """Return a run whose processes are killed while the site delays its answer."""

    def run(place: Sandbox, source: str) -> CommandResult:
        with _held(place.sites[source]) as asked_once, place.start_crawler("crawl", source) as process:
            wait_until(asked_once.is_set)
            below = list_descendants(process.pid)
            kill_processes(*whom(process.pid))
            out, _ = process.communicate(timeout=120)
            kill_processes(*below)
        return CommandResult(process.returncode, out, "")

    return run


SPECIAL = {
    "redesign": Special(lambda place, source: _broken_newest(place, source, "markup")),
    "empty_article": Special(lambda place, source: _broken_newest(place, source, "empty")),
    "clock_ahead": Special(set_clock_ahead),
    "no_host": Special(use_unknown_host),
    "refused": Special(use_closed_port),
    "no_tls": Special(use_missing_tls),
    "disk_full": Special(change_nothing, run_with_full_disk),
    "locked": Special(change_nothing, run_while_locked),
    "kill_run": Special(change_nothing, run_and_kill(list_crawls)),
    "kill_parent": Special(change_nothing, run_and_kill(lambda pid: [pid])),
}
