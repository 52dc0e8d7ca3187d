"""GuardedResolver: names become addresses here and only here, and only public addresses come out.

A page's host is checked when it is connected to, not earlier, with the very addresses that are used: a name that
answers a public address first and a private one later (DNS rebinding) finds no gap.

Look-ups run in daemon threads of their own, one per name at a time: a name server that does not answer can neither
hold up other names beyond DNS_TIMEOUT nor the end of the process (Twisted's own threads are waited for).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies

from scrapy.crawler import Crawler
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from crawler.middlewares.address import is_public

Found = list[tuple[int, str]]
"""Address families and addresses, in the order the system prefers."""

may_be_private = threading.Event()
"""Set when this process's crawl may open private addresses. The guard says so: Scrapy makes the resolver before any
crawl's own settings are known, and one for the whole process."""

refused: dict[str, str] = {}
"""Host names that led to a private address, with that address; the guard words the error from it."""


class _Resolution:
    """What Twisted wants to hold while a look-up goes on."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """A look-up cannot be called back; its answer is dropped."""


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted's name resolver, for IPv4 and IPv6, with a memory for one run and a time limit."""

    def __init__(self, reactor: Any, *, timeout: float) -> None:
        self._reactor, self._timeout = reactor, timeout
        self._known: dict[str, Found] = {}
        self._waiting: dict[str, list[Callable[[Found], None]]] = {}
        # The owner's own proxy may stand at a private address.
        self._trusted = {urlsplit(proxy).hostname for proxy in getproxies().values()}

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> Self:
        """Built by Scrapy from TWISTED_DNS_RESOLVER."""
        return cls(reactor, timeout=crawler.settings.getfloat("DNS_TIMEOUT"))

    def install_on_reactor(self) -> None:
        """Every later connection asks here."""
        self._reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[Any] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> _Resolution:
        """Give the receiver every public address of a name; none when there is none, or none in time."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def deliver(found: Found) -> None:
            for family, address in self._allowed(hostName, found):
                kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
                if addressTypes is None or kind in addressTypes:
                    resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        if hostName in self._known:
            deliver(self._known[hostName])
        elif hostName in self._waiting:
            self._waiting[hostName].append(deliver)
        else:
            self._waiting[hostName] = [deliver]
            self._look_up_aside(hostName)
        return resolution

    def look_up(self, name: str) -> Found:
        """Ask the system; blocks. OSError when there is no such name."""
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [(family, str(where[0])) for family, _, _, _, where in answers]

    def _look_up_aside(self, name: str) -> None:
        timer = self._reactor.callLater(self._timeout, self._answered, name, [], None)

        def work() -> None:
            found: Found = []
            with suppress(OSError, UnicodeError):
                found = self.look_up(name)
            with suppress(RuntimeError):  # the run is over and its loop closed
                self._reactor.callFromThread(self._answered, name, found, timer)

        threading.Thread(target=work, name=f"look-up {name}", daemon=True).start()

    def _answered(self, name: str, found: Found, timer: Any) -> None:
        """Hand an answer to all who wait for it; `timer` is None when time ran out."""
        if timer is not None:
            if not timer.active():
                return  # too late, they were told already
            timer.cancel()
        if found:
            self._known[name] = found
        for deliver in self._waiting.pop(name, []):
            deliver(found)

    def _allowed(self, name: str, found: Found) -> Found:
        if may_be_private.is_set() or name in self._trusted:
            return found
        public = [(family, address) for family, address in found if is_public(address)]
        if found and not public:
            refused[_ascii(name)] = found[0][1]
        return public


def _ascii(name: str) -> str:
    """A name as it stands in addresses; Twisted hands over what punycode stands for."""
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
