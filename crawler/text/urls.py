"""URLs as pages write them: the absolute form, and the parts that all spellings of one URL share."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

from crawler.text.cleaning import UNSEEN_PATTERN

SCHEMELESS_PATTERN = re.compile(r"www\.[\w-]+\.[\w.-]+/", re.IGNORECASE)
"""An address whose scheme an editor forgot."""
DOUBLE_SLASH_PATH_PATTERN = re.compile(r"//[^./:\[\]]+/")
"""A path with one slash too many. Its first segment cannot be a public host, because it has no dot."""
EMPTY_URL_PATTERN = re.compile(r"[a-z]+:/*", re.IGNORECASE)
"""What an editor's dialog suggests before anything is typed: `https://`."""
HOST_PATTERN = re.compile(r"[\w.:-]+")
MOBILE_PREFIX_PATTERN = re.compile(r"m\.(?=[^.]+\.)")
SESSION_PATTERN = re.compile(r";\w*sess(?:ion)?_?id=[^/;]*", re.IGNORECASE)
"""A session's number inside a path, such as `;jsessionid=0A1B`."""
ESCAPE_PATTERN = re.compile(r"%([0-9a-fA-F]{2})")
UNRESERVED_PATTERN = re.compile(r"[A-Za-z0-9._~-]")
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"
"""Characters of a path that are not percent-encoded, besides letters, digits and `_.-`."""


def resolve_url(address: str | None, base: str) -> str | None:
    """Return the absolute http(s) URL of an address on a page, or None where it is none.

    `base` is the URL against which a relative address is resolved. Unprintable characters are percent-encoded, a user
    name and password are removed.

    >>> resolve_url("../a.html", "https://www.kt.kz/rus/x/")
    'https://www.kt.kz/rus/a.html'
    >>> resolve_url("http://[photo]/a.jpg", "https://www.kt.kz/")
    """
    written = _read_backslashes((address or "").strip())
    if SCHEMELESS_PATTERN.match(written):
        written = f"https://{written}"
    elif DOUBLE_SLASH_PATH_PATTERN.match(written):
        written = written[1:]
    if not written or EMPTY_URL_PATTERN.fullmatch(written):
        return None
    try:
        parts = urlsplit(urljoin(base, written))
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # a broken IPv6 address, port or host name
        return None
    if parts.scheme not in ("http", "https") or not HOST_PATTERN.fullmatch(host) or "%5c" in parts.netloc.lower():
        return None
    return _escape_unprintable(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())


def split_url(url: str) -> tuple[str, str, str]:
    """Return host, path and query of a web address, so that all spellings of one address have equal parts.

    The host is in lower case and ASCII, without a final dot and `m.`, with its port where that is not 80 or 443. The
    path is without doubled and final slashes and without a session's number, its percent signs are normalized. All
    three are empty for any other text: another scheme, a broken address.

    >>> split_url("HTTPS://WWW.GOV.KZ:443/memleket/?lang=ru#top")
    ('www.gov.kz', '/memleket', 'lang=ru')
    >>> split_url("https://m.kt.kz.//rus/press%2dmaterialy;jsessionid=0A1B")
    ('kt.kz', '/rus/press-materialy', '')
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a broken port or IPv6 address
        return "", "", ""
    if parts.scheme not in ("http", "https"):
        return "", "", ""
    host = MOBILE_PREFIX_PATTERN.sub("", _encode_host(host.rstrip(".")), count=1)
    if host and port not in (None, 80, 443):
        host = f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", SESSION_PATTERN.sub("", _normalize_escapes(parts.path)))
    return host, path.rstrip("/"), parts.query


def _read_backslashes(address: str) -> str:
    """Return an address with slashes in place of backslashes before its query, as browsers read it."""
    if "\\" not in address:
        return address
    path = re.split("[?#]", address, maxsplit=1)[0]
    return path.replace("\\", "/") + address[len(path) :]


def _escape_unprintable(url: str) -> str:
    """Return a URL with percent signs in place of what cannot be printed or seen."""
    if url.isprintable() and (url.isascii() or not UNSEEN_PATTERN.search(url)):
        return url
    return "".join(
        quote(letter, errors="replace") if not letter.isprintable() or UNSEEN_PATTERN.match(letter) else letter
        for letter in url
    )


def _encode_host(host: str) -> str:
    """Return a host in ASCII: `пример.рф` and `xn--e1afmkfd.xn--p1ai` are one."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:  # a label that is too long, or empty
        return host


def _normalize_escapes(path: str) -> str:
    """Return a path that escapes only what must be escaped, in capital letters."""
    return ESCAPE_PATTERN.sub(_normalize_escape, quote(path, safe=PATH_CHARACTERS, errors="replace"))


def _normalize_escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if UNRESERVED_PATTERN.fullmatch(character) else found[0].upper()
