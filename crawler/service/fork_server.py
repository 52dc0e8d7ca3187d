"""The fork server: a process that has imported what a crawl needs (`preload`) and forks a child for each run.

It runs nothing itself, so it stays single-threaded. Twisted's reactor is first made in the child.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from crawler.errors import CrawlerError

PRELOADED_MODULES = ["crawler.service.worker", "crawler.service.preload"]
MAX_TEMP_PATH_LENGTH = 60  # leaves room for multiprocessing's names: a socket's path has 108 characters
_main_module_lock = threading.Lock()
"""Held while `__main__` is replaced: two threads of a server may start processes."""
BLOCKED_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}  # often sent to all, but the server must live on


def start_fork_server() -> None:
    """Start the server if it is not running. Return at once: the imports (about 2 s) go on meanwhile."""
    resource_tracker.ensure_running()  # It unblocks SIGTERM when it starts, so it must start before the block below.
    multiprocessing.set_forkserver_preload(PRELOADED_MODULES)
    if len(tempfile.gettempdir()) > MAX_TEMP_PATH_LENGTH:
        before, tempfile.tempdir = tempfile.tempdir, "/tmp"
        util.get_temp_dir()  # This process remembers it from now on.
        tempfile.tempdir = before
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def wait_for_fork_server() -> None:
    """Wait until the server has imported everything. From then on, a process starts at once. Raise CrawlerError."""
    fork_process("a first try", _do_nothing).join()


def _do_nothing() -> None:
    """End at once."""


def fork_process(purpose: str, function: Callable[..., None], *args: Any) -> BaseProcess:
    """Start a child that calls `function(*args)` with BLOCKED_SIGNALS blocked. It unblocks them when it is ready.

    Raise CrawlerError, which names the purpose, if no child could be started.
    """
    process = multiprocessing.get_context("forkserver").Process(target=function, args=args, name=purpose)
    with _main_module_lock:
        main = sys.modules["__main__"]
        # multiprocessing would run the parent's script in every child.
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            for tries_left in (2, 1, 0):
                try:
                    start_fork_server()
                    process.start()
                    break
                except (EOFError, OSError) as error:
                    if not tries_left:
                        raise make_start_error(purpose, error) from error
                    time.sleep(0.2)  # The fork server died. Once that is noticed, a new one is started.
        finally:
            sys.modules["__main__"] = main
    return process


def make_start_error(purpose: str, error: Exception) -> CrawlerError:
    """Return the error for a process that could not be started."""
    return CrawlerError(f"No process could be started for {purpose}: {error!r}.")
