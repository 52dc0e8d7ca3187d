"""Which network addresses a crawler may open, and which addresses a host name spells out."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64_PREFIX = IPv6Network("64:ff9b::/96")
"""IPv6 addresses behind which a translator puts the IPv4 address in their last four bytes (RFC 6052)."""

LOCAL_NETWORKS = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))
"""Ranges of a site of its own that Python counts as global: local translators (RFC 8215), old site-local addresses."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet.

    Not: private, loopback, link-local, shared (carrier) and reserved ranges, multicast, documentation ranges, and
    IPv6 addresses that carry such an IPv4 address inside.

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
    """The address that a host spells out without any look-up, None for a name that must be looked up.

    Knows every spelling that the system's resolver accepts: `127.1`, `0x7f.1`, `2130706433`, `[::1]`, `localhost`.

    >>> spelled_out("0x7f.1"), spelled_out("2130706433"), spelled_out("a.localhost."), spelled_out("example.org")
    ('127.0.0.1', '127.0.0.1', '127.0.0.1', None)
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
    return address.is_global and not address.is_multicast and not any(address in network for network in LOCAL_NETWORKS)


def _list_embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """An address and the IPv4 addresses that traffic to it would end at; the outer one only where it counts itself."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address, address.sixtofour]
    if address.teredo:
        return [address, *address.teredo]
    if address in NAT64_PREFIX:
        return [IPv4Address(address.packed[-4:])]
    return [address]
