"""The proxy that a source's requests go through (setting `proxy`): its address, and its user and password."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from crawler.errors import ConfigError

NO_PROXY = "none"
"""The value that lets requests go directly, whatever the environment says."""
PROXIED_SCHEMES = ("http", "https")
DEFAULT_PORT = 80
HOST_PATTERN = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class ProxyServer:
    """An HTTP proxy. `url` has no user name and no password: only it is printed.

    `authorization` is the value of the header Proxy-Authorization, None for a proxy that wants no password.
    """

    host: str
    port: int
    authorization: SecretStr | None = None

    def __str__(self) -> str:
        """Return the address for people, without the password."""
        return f"{self.url} (with a password)" if self.authorization else self.url

    @property
    def url(self) -> str:
        """The proxy's address without user name and password."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse_proxy(text: str) -> ProxyServer | None:
    """Return the proxy that an address such as `http://user:password@proxy.example:3128` names; None for `none`.

    Raise ValueError with what to write. The message contains no part of the address.
    """
    if text == NO_PROXY:
        return None
    if not text.lower().startswith("http://"):
        raise ValueError("write http://HOST:PORT, through which pages with https go too, or none")
    parts = _split_address(text)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = SecretStr(f"Basic {b64encode(pair.encode()).decode()}")
    return ProxyServer(str(parts.hostname), parts.port or DEFAULT_PORT, authorization)


def read_environment_proxies() -> dict[str, ProxyServer | None]:
    """Return the proxy of each scheme that http_proxy and https_proxy name. Raise ConfigError for an unusable one."""
    from urllib.request import getproxies  # It imports an HTTP client, which most commands do without.

    found = {}
    for scheme, address in getproxies().items():
        if scheme in PROXIED_SCHEMES and address:
            try:
                found[scheme] = parse_proxy(address if "://" in address else f"http://{address}")
            except ValueError as error:
                advice = 'With proxy = "none" in crawler.toml it is ignored.'
                raise ConfigError(f"The variable {scheme}_proxy cannot be used: {error}. {advice}") from error
    return found


def has_password(text: str) -> bool:
    """Return whether an address has a user name or a password, also one that is not valid otherwise."""
    return "@" in text


def _split_address(text: str) -> SplitResult:
    """Return the parts of a proxy's address. Raise ValueError if it has no host, a bad port, or a path."""
    try:
        parts = urlsplit(text)
        is_valid = bool(HOST_PATTERN.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("write http://HOST:PORT, with %40 for an @ in a password")
    return parts
