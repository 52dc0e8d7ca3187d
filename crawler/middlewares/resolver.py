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

from crawler.middlewares.network_addresses import is_public

ResolvedAddresses = list[tuple[int, str]]
"""Address families and addresses, in the order the system prefers."""

allow_private = threading.Event()
"""Set when this process's crawl may open private addresses. The guard says so: Scrapy makes the resolver before any
crawl's own settings are known, and one for the whole process."""

refused_hosts: dict[str, str] = {}
"""Host names that led to a private address, with that address; the guard words the error from it."""


class _PendingResolution:
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
        self._resolved: dict[str, ResolvedAddresses] = {}
        self._receivers: dict[str, list[Callable[[ResolvedAddresses], None]]] = {}
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
    ) -> _PendingResolution:
        """Give the receiver every public address of a name; none when there is none, or none in time."""
        resolution = _PendingResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def deliver(found: ResolvedAddresses) -> None:
            for family, address in self._filter_public(hostName, found):
                kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
                if addressTypes is None or kind in addressTypes:
                    resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        if hostName in self._resolved:
            deliver(self._resolved[hostName])
        elif hostName in self._receivers:
            self._receivers[hostName].append(deliver)
        else:
            self._receivers[hostName] = [deliver]
            self._resolve_in_thread(hostName)
        return resolution

    def resolve_name(self, name: str) -> ResolvedAddresses:
        """Ask the system; blocks. OSError when there is no such name."""
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [(family, str(where[0])) for family, _, _, _, where in answers]

    def _resolve_in_thread(self, name: str) -> None:
        timer = self._reactor.callLater(self._timeout, self._deliver_result, name, [], None)

        def work() -> None:
            found: ResolvedAddresses = []
            with suppress(OSError, UnicodeError):
                found = self.resolve_name(name)
            with suppress(RuntimeError):  # the run is over and its loop closed
                self._reactor.callFromThread(self._deliver_result, name, found, timer)

        threading.Thread(target=work, name=f"look-up {name}", daemon=True).start()

    def _deliver_result(self, name: str, found: ResolvedAddresses, timer: Any) -> None:
        """Hand an answer to all who wait for it; `timer` is None when time ran out."""
        if timer is not None:
            if not timer.active():
                return  # too late, they were told already
            timer.cancel()
        if found:
            self._resolved[name] = found
        for deliver in self._receivers.pop(name, []):
            deliver(found)

    def _filter_public(self, name: str, found: ResolvedAddresses) -> ResolvedAddresses:
        if allow_private.is_set() or name in self._trusted:
            return found
        public = [(family, address) for family, address in found if is_public(address)]
        if found and not public:
            refused_hosts[_encode_host(name)] = found[0][1]
        return public


def _encode_host(name: str) -> str:
    """A name as it stands in addresses; Twisted hands over what punycode stands for."""
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
