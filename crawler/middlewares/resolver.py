"""GuardedResolver: the only place where names are resolved. It returns public addresses only.

A host is checked when it is connected to, with the addresses that are used. So a name that resolves to a public
address first and to a private one later (DNS rebinding) finds no gap.

Each name is resolved in a daemon thread of its own. A name server that does not answer delays neither other names
beyond DNS_TIMEOUT nor the end of the process, which waits for Twisted's own threads.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from scrapy.crawler import Crawler
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from crawler.middlewares.network_addresses import is_public

ResolvedAddresses = list[tuple[int, str]]
"""Address families and addresses, in the order that the system prefers."""

private_allowed = threading.Event()
"""Set when this process's crawl may open private addresses. The guard sets it: Scrapy makes one resolver for the whole
process, before the crawl's own settings are known."""

trusted_hosts: set[str] = set()
"""Hosts of the owner's proxies, which may have private addresses. The proxy middleware sets them."""

refused_hosts: dict[str, str] = {}
"""Host names that resolved to a private address, with that address. The guard makes the error from it."""


class _PendingResolution:
    """What Twisted holds while a name is resolved."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: a look-up cannot be cancelled, its answer is dropped."""


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted's name resolver for IPv4 and IPv6, with a cache for one run and a time limit."""

    def __init__(self, reactor: Any, *, timeout: float) -> None:
        self._reactor, self._timeout = reactor, timeout
        self._resolved: dict[str, ResolvedAddresses] = {}
        self._receivers: dict[str, list[Callable[[ResolvedAddresses], None]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> Self:
        """Make the resolver; Scrapy calls it for TWISTED_DNS_RESOLVER."""
        return cls(reactor, timeout=crawler.settings.getfloat("DNS_TIMEOUT"))

    def install_on_reactor(self) -> None:
        """Use this resolver for every later connection."""
        self._reactor.installNameResolver(self)

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[Any] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> _PendingResolution:
        """Send the receiver every public address of a name: none when there is none, or none in time."""
        resolution = _PendingResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def deliver(found: ResolvedAddresses) -> None:
            for family, address in self._filter_public(hostName, found):
                kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
                if addressTypes is None or kind in addressTypes:
                    resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
            resolutionReceiver.resolutionComplete()

        self._resolve(hostName, deliver)
        return resolution

    async def find_private_address(self, name: str) -> str | None:
        """Return a private address of a name, None if it has none or cannot be resolved here."""
        found: asyncio.Future[ResolvedAddresses] = asyncio.get_running_loop().create_future()
        self._resolve(name, lambda addresses: None if found.done() else found.set_result(addresses))
        return next((address for _, address in await found if not is_public(address)), None)

    def _resolve(self, name: str, deliver: Callable[[ResolvedAddresses], None]) -> None:
        """Pass on all addresses of a name, private ones too: none when there is none, or none in time."""
        if name in self._resolved:
            deliver(self._resolved[name])
        elif name in self._receivers:
            self._receivers[name].append(deliver)
        else:
            self._receivers[name] = [deliver]
            self._resolve_in_thread(name)

    def resolve_name(self, name: str) -> ResolvedAddresses:
        """Resolve a name by the system. It blocks; it raises OSError for an unknown name."""
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return [(family, str(where[0])) for family, _, _, _, where in answers]

    def _resolve_in_thread(self, name: str) -> None:
        timer = self._reactor.callLater(self._timeout, self._deliver_result, name, [], None)

        def resolve() -> None:
            found: ResolvedAddresses = []
            with suppress(OSError, UnicodeError):
                found = self.resolve_name(name)
            with suppress(RuntimeError):  # the run has ended and its loop is closed
                self._reactor.callFromThread(self._deliver_result, name, found, timer)

        threading.Thread(target=resolve, name=f"look-up {name}", daemon=True).start()

    def _deliver_result(self, name: str, found: ResolvedAddresses, timer: Any) -> None:
        """Send a result to all receivers that wait for it. `timer` is None when it ran out."""
        if timer is not None:
            if not timer.active():
                return  # too late: the receivers have the empty result
            timer.cancel()
        if found:
            self._resolved[name] = found
        for deliver in self._receivers.pop(name, []):
            deliver(found)

    def _filter_public(self, name: str, found: ResolvedAddresses) -> ResolvedAddresses:
        if private_allowed.is_set() or name in trusted_hosts:
            return found
        public = [(family, address) for family, address in found if is_public(address)]
        if found and not public:
            refused_hosts[_encode_host(name)] = found[0][1]
        return public


def _encode_host(name: str) -> str:
    """Return a name as URLs have it: Twisted passes the Unicode form of a punycode name."""
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name
