"""Return one URL for all spellings of a URL, for pages whose site gives no id of its own.

Sources with native ids identify their articles themselves (`SourceSpider.identify`). This module compares the URLs of
other pages. w3lib normalizes the spelling of a URL (order of the query, percent signs, punycode, default ports). The
rules here are for what only news sites do.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

TRACKING_PARAMETERS = re.compile(
    r"utm_.*|mtm_.*|pk_.*|hsa_.*|ga_.*|at_.*|fb_.*|yclid|ysclid|gclid|gclsrc|dclid|fbclid|msclkid|twclid|igshid|mc_[ce]id"
    r"|_openstat|openstat|from|ref|ref_src|referrer|source|share|shared|amp|outputtype|s?rnd|nocache|print",
    re.IGNORECASE,
)
"""Parameters that say where a reader comes from or how the page looks, never which article it is."""
LANGUAGE_PARAMETERS = re.compile(r"lang|language|locale|hl", re.IGNORECASE)
_GOVKZ_RELEASE = re.compile(r"/memleket/entities/[\w-]+/press/[\w-]+/details/(\d+)")
_AMP_START = re.compile(r"^/amp(?=/.)")
_AMP_END = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)")
_HOST_PREFIX = re.compile(r"^(?:www|m|amp|mobile)\.(?=[^.]+\.)")


def normalize_url(url: str) -> str:
    """Return the URL with https, without tracking, fragment, `amp`, `www.`, `m.` and a final slash.

    >>> normalize_url("http://www.Example.kz/a/b/amp/?utm_source=x&id=7#top")
    'https://example.kz/a/b?id=7'
    """
    parts = urlsplit(canonicalize_url(url.strip()))
    host = _HOST_PREFIX.sub("", parts.hostname or "").rstrip(".")
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    query = _encode_query_without(parts, TRACKING_PARAMETERS)
    return urlunsplit(("https", host + port, _normalize_path(parts.path) or "/", query, ""))


def find_release_id(url: str | None) -> str | None:
    """Return what the pages of one article share in all its languages. None for no URL, or one without an article.

    A malformed URL (`http://[photo]/a`) is no URL.
    gov.kz gives the language versions of a release one id. Elsewhere it is the URL without its language.
    """
    if not url or not re.match(r"https?://", url.strip(), re.IGNORECASE):
        return None
    try:
        parts = urlsplit(normalize_url(url))
    except ValueError:  # a broken IPv6 address or port
        return None
    if parts.hostname == "gov.kz" and (release := _GOVKZ_RELEASE.match(parts.path)):
        return f"gov.kz/{release[1]}"
    query = _encode_query_without(parts, LANGUAGE_PARAMETERS)
    if parts.path == "/" and not query:
        return None
    return urlunsplit(("https", parts.netloc, parts.path, query, ""))


def _normalize_path(path: str) -> str:
    path = _AMP_END.sub("", _AMP_START.sub("", re.sub(r"/{2,}", "/", path)))
    path = re.sub(r"/amp(?=/)", "", path)
    return re.sub(r"/index\.(?:html?|php)$", "/", path).rstrip("/")


def _encode_query_without(parts: SplitResult, excluded: re.Pattern[str]) -> str:
    return urlencode([(name, value) for name, value in parse_qsl(parts.query, True) if not excluded.fullmatch(name)])
