"""Listen until SIGTERM or Ctrl-C. Other machines are let in only where someone has to sign in."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import uvicorn

from crawler.config import WebConfig
from crawler.errors import CrawlerError, PortTaken, UsageError
from crawler.service.clustered_store import cluster_pending_articles
from crawler.store import Store
from crawler.web.access import is_reached_by_others
from crawler.web.answer_threads import AnswerThreads
from crawler.web.api.event_feed import EventFeed
from crawler.web.application import make_app
from crawler.web.newsroom import Newsroom
from crawler.web.oidc import CALLBACK_PATH, SIGN_IN_PATH
from crawler.web.renewed_values import RENEWAL_SECONDS
from crawler.web.security import is_loopback

STOP_SECONDS = 5
"""Seconds that an ending server waits for answers in progress."""
KEEP_ALIVE_SECONDS = 15
CLUSTER_INTERVAL_SECONDS = 30.0
log = logging.getLogger(__name__)


def raise_if_open_to_all(host: str, web: WebConfig, store: Store | None) -> None:
    """Raise UsageError if other machines could reach the pages, and nobody has to sign in there.

    `store` is None where it does not exist yet.
    """
    is_reachable = not is_loopback(host) or is_reached_by_others(web)
    has_users = store is not None and store.users.exist()
    if not is_reachable or web.oidc.issuer is not None or has_users:
        return
    why = f"--host {host}" if not is_loopback(host) else "[web] in crawler.toml"
    raise UsageError(
        f"{why}: other machines could reach the pages, and there is no user yet. Add one with `crawler user add NAME "
        "--role owner`, or listen at 127.0.0.1 and use a tunnel such as `ssh -L 8000:127.0.0.1:8000 HOST`."
    )


def describe_access(address: str, newsroom: Newsroom) -> str:
    """Return where the pages are, who may use them, and to which addresses a provider of accounts sends people."""
    web = newsroom.config.web
    if web.oidc.issuer is None and not newsroom.store.users.exist():
        log.info("There are no users: everything is done as `local`, with the role owner.")
        return f"{address} shows the newsroom, to this computer only. Everything is done as `local`; Ctrl-C ends it."
    lines = [f"{address} shows the newsroom to users who sign in; Ctrl-C ends it."]
    if web.address is not None:
        lines.append(f"In the browser: {web.address}/")
    if web.oidc.issuer is not None:
        lines.append(f"Redirect address, for the provider {web.oidc.issuer}: {web.address}{CALLBACK_PATH}")
        lines.append(f"Address after a sign-out there: {web.address}{SIGN_IN_PATH}")
    if newsroom.config.web.address is None and not is_loopback(urlsplit(address).hostname or ""):
        lines.append("Passwords travel unencrypted: put a proxy with TLS in front (docs/serve.md).")
    return "\n".join(lines)


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address. Raise PortTaken, or UsageError for an address that is not usable.

    Call `raise_if_open_to_all` before it is served.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except PermissionError as error:
        raise UsageError(f"--port {port}: this user may not listen there. Use a port above 1023.") from error
    except OSError as error:
        # A name that is not known has a negative number, which is that of the resolver.
        if error.errno == errno.EADDRNOTAVAIL or (error.errno or 0) < 0:
            advice = "there is no such address here. Use one of this computer, or 0.0.0.0 for all."
            raise UsageError(f"--host {host}: {advice}") from error
        # The error's own text repeats the address as Python writes it.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortTaken(
            f"Nothing can listen at {host}:{port}: {reason.lower()}. End the program that uses the port, or choose "
            "another one with --port."
        ) from error


def serve_pages(newsroom: Newsroom, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Answer requests until a signal. `on_ready` gets the address. Signals have their former handlers afterwards."""
    server = make_server(newsroom, listener, on_ready)
    threads = make_background_threads(newsroom)
    for thread in threads:
        thread.start()
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve(sockets=[listener]))
    finally:
        newsroom.surveys.close()
        for thread in threads:
            thread.stop()


def make_server(newsroom: Newsroom, listener: socket.socket, on_ready: Callable[[str], None]) -> AnnouncingServer:
    """Return a server of the pages, which `serve` starts. `on_ready` gets the address once it answers."""
    host, port = listener.getsockname()[:2]
    app = make_app(newsroom, is_public=not is_loopback(host))
    config = uvicorn.Config(
        app,
        lifespan="off",
        loop="auto",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    return AnnouncingServer(config, lambda: on_ready(address), app.state.api.state.event_feed, app.state.threads)


class AnnouncingServer(uvicorn.Server):
    """A server that calls a function once it answers, and ends the live events and its threads before it ends."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        event_feed: EventFeed,
        threads: Sequence[AnswerThreads],
    ) -> None:
        super().__init__(config)
        self._on_ready, self._event_feed, self._threads = on_ready, event_feed, threads

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then call the function."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live events, which would never end by themselves, then wait for the other answers.

        A thread may still read for a client that left. SQLite crashes if its connection is closed meanwhile.
        """
        await self._event_feed.close()
        await super().shutdown(sockets)
        for pool in self._threads:
            pool.close()


class BackgroundThread(threading.Thread):
    """Does some work again and again beside the answers. What fails is logged, and tried again the next time."""

    def __init__(self, name: str, seconds: float, work: Callable[[Callable[[], bool]], object]) -> None:
        """`seconds`: the pause between. `work` gets a function that returns whether it has to end."""
        super().__init__(name=name, daemon=True)
        self._seconds, self._work, self._ending = seconds, work, threading.Event()

    def run(self) -> None:
        """Work until the end."""
        while not self._ending.is_set():
            try:
                self._work(self._ending.is_set)
            except CrawlerError as error:
                log.warning("The %s failed: %s", self.name, error)
            except Exception:  # the thread must outlive any failure
                log.exception("The %s failed. It is tried again.", self.name)
            self._ending.wait(self._seconds)

    def stop(self) -> None:
        """End the thread after the work in progress."""
        self._ending.set()
        self.join(STOP_SECONDS)


def make_background_threads(newsroom: Newsroom) -> list[BackgroundThread]:
    """Return the threads of a server, not started. One groups articles into stories, as pages show them."""

    def cluster(is_ending: Callable[[], bool]) -> None:
        cluster_pending_articles(newsroom.store, newsroom.config, is_ending)

    return [
        BackgroundThread("grouping of articles into stories", CLUSTER_INTERVAL_SECONDS, cluster),
        BackgroundThread("renewal of what pages show", RENEWAL_SECONDS, lambda is_ending: newsroom.renew_values()),
    ]
