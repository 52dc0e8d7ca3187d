"""The fork server: a process that has imported what a crawl needs and forks a child for each run.

It runs nothing itself, so it stays single-threaded; Twisted's reactor is first made in the child.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

PRELOADED_MODULES = ["crawler.service.worker", "crawler.service.preload"]
MAX_TEMP_PATH_LENGTH = 60
"""Characters of a temporary folder's path that leave room for multiprocessing's own names below it."""
BLOCKED_SIGNALS = {signal.SIGTERM, signal.SIGHUP}
"""Signals that the server does not hear: a service manager or a closing terminal sends them to every process, and the
server must outlive the children that are being stopped in good order."""


def start_fork_server() -> None:
    """Start the server when it is not running; returns at once, the imports (about 2 s) go on beside."""
    # The tracker's start unblocks SIGTERM, so it must not happen inside the block below.
    resource_tracker.ensure_running()
    multiprocessing.set_forkserver_preload(PRELOADED_MODULES)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
    try:
        with _hide_main_module(), _shorten_temp_path():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fork_process(name: str, function: Callable[..., None], *args: Any) -> BaseProcess:
    """A started child that calls `function(*args)` with `PASSED_ON` blocked; it unblocks them when it is ready.

    EOFError or OSError when the server died while it was asked.
    """
    start_fork_server()
    process = multiprocessing.get_context("forkserver").Process(target=function, args=args, name=name)
    with _hide_main_module():
        process.start()
    return process


@contextmanager
def _shorten_temp_path() -> Iterator[None]:
    """Have the server's socket in /tmp where the temporary folder's path is too long for one (108 bytes)."""
    before = tempfile.tempdir
    if len(tempfile.gettempdir()) > MAX_TEMP_PATH_LENGTH and Path("/tmp").is_dir():
        tempfile.tempdir = "/tmp"
    try:
        util.get_temp_dir()  # remembered for this process from now on
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _hide_main_module() -> Iterator[None]:
    """Hide the parent's main script, which multiprocessing would run again in every child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
