"""A newsroom that answers on a loopback port, in a thread of the test."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import uvicorn

from crawler.web.newsroom import Newsroom
from crawler.web.server import make_server, open_listener

OpenPage = Callable[..., Any]
"""Opens an address in a browser. The browser's package is in an extra, so its types are not imported here."""

hurried_asyncio = SimpleNamespace(**vars(asyncio))
hurried_asyncio.sleep = lambda seconds: asyncio.sleep(seconds / 20)
# Uvicorn sleeps 0.1 s between two looks at whether it has to end, and once more when it ends.
uvicorn.server.asyncio = hurried_asyncio


@contextmanager
def run_newsroom(newsroom: Newsroom) -> Iterator[str]:
    """Yield the address at which the pages are."""
    newsroom.answers.seconds = 0  # tests write to the store and look at once
    ready, addresses = threading.Event(), []

    def announce(address: str) -> None:
        addresses.append(address)
        ready.set()

    with open_listener("127.0.0.1", 0) as listener:
        server = make_server(newsroom, listener, announce)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield addresses[0].rstrip("/")
        finally:
            server.should_exit = True
            thread.join(10)


def has_count(page: Any, selector: str, count: int) -> bool:
    """Return whether a page comes to have so many elements. A click may return before the next page is there."""
    until = time.monotonic() + 10
    while page.locator(selector).count() != count:
        if time.monotonic() > until:
            return False
        page.wait_for_timeout(50)
    return True
