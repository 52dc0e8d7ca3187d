"""A newsroom that answers on a loopback port, in a thread of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
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
def run_newsroom(newsroom: Newsroom, listener: socket.socket | None = None) -> Iterator[str]:
    """Yield the address at which the pages are: that of the listener, for a newsroom that has to know it before."""
    newsroom.answers.seconds = 0  # tests write to the store and look at once
    ready, addresses = threading.Event(), []

    def announce(address: str) -> None:
        addresses.append(address)
        ready.set()

    with listener or open_listener("127.0.0.1", 0) as listener:
        server = make_server(newsroom, listener, announce)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        assert ready.wait(120)
        try:
            yield addresses[0].rstrip("/")
        finally:
            server.should_exit = True
            thread.join(10)


def expect(found: Any) -> Any:
    """Return Playwright's assertions on a page or on elements. They wait until they hold, at most 20 s.

    A click may return before the next page is there, so a test that reads at once depends on chance. Their
    package is in an extra, which the collection of tests must not need.
    """
    from playwright.sync_api import expect as make_assertions

    return make_assertions(found)
