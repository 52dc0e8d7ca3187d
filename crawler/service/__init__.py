"""One run in a child process of its own: a spider that crashes, leaks, loops or blocks harms nobody.

    start(plan) → Child ── events() live, stop(), wait() → Outcome
    run_all(plans, on_event)      several at once, for a command; Ctrl-C stops all
    await follow(child, on_event) the same inside an event loop, for the watch

    server   the fork server: crawl modules imported once, a run forks in milliseconds
    preload  what is imported there
    inside   what happens in the child, from its first to its last instruction
    wire     JSON lines over a pipe, from child to parent
    ending   from how a child ended to one outcome with a sentence
    child    the parent's view of one child: events, limits, stopping, one outcome
    recording what a dead child could not write into the store
    together several children, in a loop of its own or in asyncio's

Whatever a child does, the parent gets one `Outcome` with a sentence. The parent needs no Scrapy for it, and SQLAlchemy
(in an event loop also a thread) only for writing down a death. `docs/decisions/one-run-one-process.md` says why it is
built this way.
"""

from __future__ import annotations

from crawler.service.child import RUN_SOURCE_TARGET, STOP_GRACE_SECONDS, ChildProcess, start_child
from crawler.service.fork_server import start_fork_server
from crawler.service.ipc import RunEvent
from crawler.service.outcome import RunOutcome
from crawler.service.pool import follow_child, make_failed_start, run_all

__all__ = [
    "STOP_GRACE_SECONDS",
    "RUN_SOURCE_TARGET",
    "ChildProcess",
    "RunEvent",
    "RunOutcome",
    "follow_child",
    "make_failed_start",
    "run_all",
    "start_child",
    "start_fork_server",
]
