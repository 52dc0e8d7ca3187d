"""Runs for child processes, good and bad. A child finds them by name (`support.misbehaving_runs:good`)."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.errors import SourceLocked, Unreachable
from crawler.items import Health, Problem, Run
from crawler.service.run import RunPlan

Emit = Callable[[dict[str, Any]], None]


def good(plan: RunPlan, emit: Emit) -> Run:
    emit({"type": "page", "url": f"https://example.org/{plan.source}", "at": datetime(2026, 1, 2, tzinfo=UTC)})
    return Run(
        id=7,
        source=plan.source,
        started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        finished_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
        health=Health.HEALTHY,
        reason="1 page, nothing new.",
        exit_code=0,
        complete=True,
        counts={"pages": 1},
        problems=(Problem(kind="Silent", message="Қазақстан", exit_code=13),),
    )


def by_source(plan: RunPlan, emit: Emit) -> Run:
    """What the source is named after, up to its first dash."""
    run: Callable[[RunPlan, Emit], Run] = globals()[plan.source.partition("-")[0]]
    return run(plan, emit)


def raises(plan: RunPlan, emit: Emit) -> Run:
    raise ZeroDivisionError("of all things")


def refuses(plan: RunPlan, emit: Emit) -> Run:
    raise Unreachable("https://example.org does not answer.")


def is_held(plan: RunPlan, emit: Emit) -> Run:
    raise SourceLocked(f"{plan.source} is being crawled by process 7 on host elsewhere.")


def segfaults(plan: RunPlan, emit: Emit) -> Run:
    ctypes.string_at(0)
    return good(plan, emit)


def exits(plan: RunPlan, emit: Emit) -> Run:
    sys.exit(0)


def exits_at_once(plan: RunPlan, emit: Emit) -> Run:
    os._exit(0)


def loops(plan: RunPlan, emit: Emit) -> Run:
    while True:
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001 - that is the misbehaviour
            continue


def ignores_sigterm(plan: RunPlan, emit: Emit) -> Run:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    emit({"type": "ready"})
    time.sleep(600)
    return good(plan, emit)


def hoards(plan: RunPlan, emit: Emit) -> Run:
    kept = b"x" * 300_000_000
    time.sleep(600)
    return good(plan, emit) if kept else raises(plan, emit)


def grabs(plan: RunPlan, emit: Emit) -> Run:
    return good(plan, emit) if bytearray(4_000_000_000) else raises(plan, emit)


def closes_its_pipes(plan: RunPlan, emit: Emit) -> Run:
    os.closerange(0, 256)
    emit({"type": "page"})
    return good(plan, emit)


def closes_its_pipes_and_stays(plan: RunPlan, emit: Emit) -> Run:
    Path(plan.variables["PID_FILE"]).write_text(str(os.getpid()))
    os.closerange(0, 256)
    time.sleep(600)
    return good(plan, emit)


def leaves_grandchildren(plan: RunPlan, emit: Emit) -> Run:
    sleepers = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid]
    if (pid := os.fork()) == 0:
        time.sleep(600)
    emit({"type": "grandchildren", "pids": [*sleepers, pid]})
    return good(plan, emit)


def floods(plan: RunPlan, emit: Emit) -> Run:
    for _ in range(60_000):
        print("x" * 99)
    os.write(2, b"\x00" * 3_000_000)
    return good(plan, emit)


def emits_the_impossible(plan: RunPlan, emit: Emit) -> Run:
    circle: dict[str, Any] = {"type": "circle"}
    circle["circle"] = circle
    emit(circle)
    emit({"type": "lock", "lock": threading.Lock()})
    return good(plan, emit)


def returns_nothing(plan: RunPlan, emit: Emit) -> Run:
    return None  # type: ignore[return-value]


def lingers(plan: RunPlan, emit: Emit) -> Run:
    threading.Thread(target=time.sleep, args=(600,)).start()
    return good(plan, emit)


def sleeps(plan: RunPlan, emit: Emit) -> Run:
    if name := plan.variables.get("PID_FILE"):
        Path(name).write_text(str(os.getpid()))
    emit({"type": "ready", "pid": os.getpid()})
    time.sleep(600)
    return good(plan, emit)


def stops_in_order(plan: RunPlan, emit: Emit) -> Run:
    """As Scrapy does: the first SIGTERM ends the run in good order, and it is counted."""
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    emit({"type": "ready", "pid": os.getpid()})
    while not heard:
        time.sleep(0.02)
    time.sleep(0.3)
    emit({"type": "heard", "times": len(heard)})
    return good(plan, emit)


def logs(plan: RunPlan, emit: Emit) -> Run:
    log = logging.getLogger("somewhere")
    log.info("not asked for")
    log.warning("look at %s", "this")
    log.warning("%d", "broken")
    return good(plan, emit)


def tells_its_surroundings(plan: RunPlan, emit: Emit) -> Run:
    emit(
        {
            "type": "surroundings",
            "folder": str(Path.cwd()),
            "variable": os.environ.get("CRAWLER_TEST_VALUE"),
            "path": os.environ.get("PATH"),
            "reactor": "twisted.internet.reactor" in sys.modules,
            "scrapy": "scrapy.crawler" in sys.modules,
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "main": getattr(sys.modules["__main__"], "__file__", None),
            "leads": os.getpid() == os.getsid(0),
        }
    )
    return good(plan, emit)


def takes_a_while(plan: RunPlan, emit: Emit) -> Run:
    note = Path(plan.variables["NOTES"])
    with note.open("a") as file:
        file.write(f"+{plan.source}\n")
    time.sleep(float(plan.variables.get("SECONDS", "0")))
    with note.open("a") as file:
        file.write(f"-{plan.source}\n")
    return good(plan, emit)


def crawls(plan: RunPlan, emit: Emit) -> Run:
    """A crawl of `plan.url` by Scrapy, whose every page leads to the next."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class Pages(scrapy.Spider):
        name = "pages"

        async def start(self) -> Any:
            yield scrapy.Request(plan.url or "")

        def parse(self, response: Any) -> Any:
            emit({"type": "fetched", "url": response.url, "pid": os.getpid()})
            yield from response.follow_all(css="a")

    off = ("TELNETCONSOLE_ENABLED", "REMOTE_CONTROL_ENABLED", "COOKIES_ENABLED", "LOG_INSTALL_ROOT_HANDLER")
    process = CrawlerProcess(dict.fromkeys(off, False))
    crawler = process.create_crawler(Pages)
    process.crawl(crawler)
    process.start()
    assert crawler.stats is not None
    emit({"type": "finished", "why": crawler.stats.get_value("finish_reason")})
    return good(plan, emit)
