"""Which network addresses a crawler may open, and which host names are an address."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

NAT64_PREFIX = IPv6Network("64:ff9b::/96")
"""IPv6 addresses whose last four bytes are the IPv4 address that a translator connects to (RFC 6052)."""

EMBEDDING_NETWORKS = (IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
"""Old forms of an IPv4 address: compatible (RFC 4291, `::10.0.0.1`) and translated (RFC 2765, `::ffff:0:10.0.0.1`)."""

ISATAP_MARKS = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")
"""Bytes 9 to 12 of an IPv6 address whose last four are the IPv4 address of a tunnel's end (RFC 5214)."""

UNICAST_NETWORK = IPv6Network("2000::/3")
"""The addresses that the open internet uses. The rest of IPv6 is local, reserved or unassigned."""

LOCAL_NETWORKS = (IPv4Network("192.0.0.0/24"), IPv6Network("3fff::/20"))
"""Ranges that Python 3.11 counts as global: protocol assignments (RFC 6890), documentation (RFC 9637)."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet.

    False for private, loopback, link-local, shared (carrier), reserved, multicast and documentation ranges, and for
    IPv6 addresses that embed such an IPv4 address.

    >>> is_public("8.8.8.8"), is_public("10.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_global(each) for each in _list_embedded(found))


@lru_cache(maxsize=1024)
def parse_host_address(host: str) -> str | None:
    """Return the address that a host is, None for a name that must be resolved.

    Reads every form that the system's resolver accepts: `127.1`, `0x7f.1`, `2130706433`, `[::1]`, `localhost`.

    >>> [parse_host_address(host) for host in ("0x7f.1", "2130706433", "a.localhost.", "example.org")]
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', None]
    """
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ip_address(bare.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(bare))
    except (OSError, UnicodeEncodeError):
        return None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in UNICAST_NETWORK:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in LOCAL_NETWORKS)


def _list_embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the addresses that traffic to this one may end at: itself, or the IPv4 addresses that it embeds."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address, address.sixtofour]
    if address.teredo:
        return [address, *address.teredo]
    if address in NAT64_PREFIX or any(address in network for network in EMBEDDING_NETWORKS):
        return [IPv4Address(address.packed[-4:])]
    if address.packed[8:12] in ISATAP_MARKS:
        return [address, IPv4Address(address.packed[-4:])]
    return [address]
