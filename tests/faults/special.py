"""Faults that are no answer of the site: of the machine, the network, the process, or of the site's own texts."""

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

from live.place import Done, Place
from live.processes import descendants, kill, runs, until
from sites.wire import Asked

Force = Callable[[Place, str], AbstractContextManager[dict[str, str]]]


def _by_itself(place: Place, source: str) -> Done | None:
    """The ordinary run."""
    return None


@dataclass(frozen=True)
class Special:
    """`force` puts the fault in force and gives variables for the run, `run` makes the run where it must be made in a
    way of its own."""

    force: Force
    run: Callable[[Place, str], Done | None] = _by_itself


def newest(site: Any) -> Any:
    """The newest article that a crawl reads."""
    return next(article for article in site.articles if site.public != "https://www.kt.kz" or "ru" in article.texts)


@contextmanager
def _broken_newest(place: Place, source: str, how: str) -> Iterator[dict[str, str]]:
    site: Any = place.sites[source]
    article = newest(site)
    site.break_page(article.id, how)
    yield {}
    site._keep(replace(article, changed=article.changed + timedelta(seconds=2)))


@contextmanager
def clock_ahead(place: Place, source: str) -> Iterator[dict[str, str]]:
    """The newest articles are dated a day from now; healed, they have the dates they should have."""
    site: Any = place.sites[source]
    ahead = site.articles[:4]
    for article in ahead:
        site._keep(replace(article, published_at=article.published_at + timedelta(days=1)))
    yield {}
    for article in ahead:
        site._keep(replace(article, changed=article.changed + timedelta(seconds=2)))


@contextmanager
def _elsewhere(place: Place, source: str, url: str) -> Iterator[dict[str, str]]:
    yield {f"CRAWLER_SOURCES__{source.upper()}__BASE_URL": url}


def no_host(place: Place, source: str) -> AbstractContextManager[dict[str, str]]:
    """A name that no resolver knows."""
    return _elsewhere(place, source, "http://nowhere.invalid")


def refused(place: Place, source: str) -> AbstractContextManager[dict[str, str]]:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return _elsewhere(place, source, f"http://127.0.0.1:{free.getsockname()[1]}")


def no_tls(place: Place, source: str) -> AbstractContextManager[dict[str, str]]:
    """TLS is spoken to a server that does not."""
    return _elsewhere(place, source, place.sites[source].url.replace("http:", "https:"))


@contextmanager
def as_it_is(place: Place, source: str) -> Iterator[dict[str, str]]:
    """Nothing but what the run itself does."""
    yield {}


def with_a_full_disk(place: Place, source: str) -> Done:
    """The run may not make any file longer than the store is now: each write beyond fails, as on a full disk."""
    biggest = max(file.stat().st_size for file in place.data.rglob("*") if file.is_file())
    limit = min(biggest, 20_000)
    ended = subprocess.run(
        [sys.executable, "-m", "crawler", "crawl", source],
        cwd=place.work,
        env=place.environment(PYTHONDONTWRITEBYTECODE="1"),  # a cache cut off at the limit would break later runs
        capture_output=True,
        check=False,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    return Done(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def while_locked(place: Place, source: str) -> Done:
    """Another process holds the database for longer than anybody waits."""
    with closing(sqlite3.connect(place.data / "crawler.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = place.crawler("crawl", source, timeout=200)
        other.execute("ROLLBACK")
    return done


@contextmanager
def _held(site: Any) -> Iterator[threading.Event]:
    """The site answers nothing from now on."""
    real, go_on, asked_once = site.answer, threading.Event(), threading.Event()

    def answer(asked: Asked) -> Any:
        asked_once.set()
        go_on.wait(60)
        return real(asked)

    site.answer = answer
    try:
        yield asked_once
    finally:
        go_on.set()
        del site.answer


def killed(whom: Callable[[int], list[int]]) -> Callable[[Place, str], Done]:
    """A run whose processes are killed while the site holds its answer back."""

    def run(place: Place, source: str) -> Done:
        with _held(place.sites[source]) as asked_once, place.started("crawl", source) as process:
            until(asked_once.is_set, 60)
            below = descendants(process.pid)
            kill(*whom(process.pid))
            out, _ = process.communicate(timeout=60)
            kill(*below)
        return Done(process.returncode, out, "")

    return run


SPECIAL = {
    "redesign": Special(lambda place, source: _broken_newest(place, source, "markup")),
    "empty_article": Special(lambda place, source: _broken_newest(place, source, "empty")),
    "clock_ahead": Special(clock_ahead),
    "no_host": Special(no_host),
    "refused": Special(refused),
    "no_tls": Special(no_tls),
    "disk_full": Special(as_it_is, with_a_full_disk),
    "locked": Special(as_it_is, while_locked),
    "kill_run": Special(as_it_is, killed(runs)),
    "kill_parent": Special(as_it_is, killed(lambda pid: [pid])),
}
