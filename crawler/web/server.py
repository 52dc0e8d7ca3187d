"""Listen on a loopback address until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

import uvicorn

from crawler.errors import CrawlerError, PortTaken, UsageError
from crawler.service.clustered_store import cluster_pending_articles
from crawler.web.api.event_feed import EventFeed
from crawler.web.application import make_app
from crawler.web.newsroom import Newsroom
from crawler.web.security import is_loopback

STOP_SECONDS = 5
"""Seconds that an ending server waits for answers in progress."""
KEEP_ALIVE_SECONDS = 15
CLUSTER_INTERVAL_SECONDS = 30.0
log = logging.getLogger(__name__)


def raise_if_not_loopback(host: str) -> None:
    """Raise UsageError for an address that other machines could reach."""
    if is_loopback(host):
        return
    raise UsageError(
        f"--host {host}: there are no users and passwords yet, so only this computer may reach the pages. Use "
        "127.0.0.1, ::1 or localhost; from another computer, use a tunnel such as `ssh -L 8000:127.0.0.1:8000 HOST`."
    )


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address. Raise PortTaken, or UsageError for an address that is not usable."""
    raise_if_not_loopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except PermissionError as error:
        raise UsageError(f"--port {port}: this user may not listen there. Use a port above 1023.") from error
    except OSError as error:
        raise PortTaken(
            f"Nothing can listen at {host}:{port}: {(error.strerror or str(error)).lower()}. End the program that uses "
            "the port, or choose another one with --port."
        ) from error


def serve_pages(newsroom: Newsroom, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Answer requests until a signal. `on_ready` gets the address. Signals have their former handlers afterwards."""
    server = make_server(newsroom, listener, on_ready)
    keeper = StoryKeeper(newsroom)
    keeper.start()
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        keeper.stop()


def make_server(newsroom: Newsroom, listener: socket.socket, on_ready: Callable[[str], None]) -> AnnouncingServer:
    """Return a server of the pages, which `serve` starts. `on_ready` gets the address once it answers."""
    app = make_app(newsroom)
    config = uvicorn.Config(
        app,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    return AnnouncingServer(config, lambda: on_ready(address), app.state.api.state.event_feed)


class AnnouncingServer(uvicorn.Server):
    """A server that calls a function once it answers, and ends the live events before it ends."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], event_feed: EventFeed) -> None:
        super().__init__(config)
        self._on_ready, self._event_feed = on_ready, event_feed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then call the function."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live events, which would never end by themselves, then wait for the other answers."""
        await self._event_feed.close()
        await super().shutdown(sockets)


class StoryKeeper(threading.Thread):
    """Groups the articles that wait for it into stories, in a thread of its own, so that pages show them together."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__(name="story-keeper", daemon=True)
        self._newsroom, self._ending = newsroom, threading.Event()

    def run(self) -> None:
        """Look for waiting articles until the end."""
        while not self._ending.is_set():
            try:
                cluster_pending_articles(self._newsroom.store, self._newsroom.config, self._ending.is_set)
            except CrawlerError as error:
                log.warning("Articles could not be grouped into stories: %s", error)
            self._ending.wait(CLUSTER_INTERVAL_SECONDS)

    def stop(self) -> None:
        """End the thread after the batch in progress."""
        self._ending.set()
        self.join(STOP_SECONDS)
