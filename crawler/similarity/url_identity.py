"""Return one URL for all spellings of a URL, for pages whose site gives no id of its own.

Sources with native ids identify their articles themselves (`SourceSpider.identify`). This module compares the URLs of
other pages. `split_url` normalizes what all sites have in common. The rules here are for what only news sites do.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from crawler.text.urls import split_url

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
_HOST_PREFIX = re.compile(r"^(?:www|amp|mobile)\.(?=[^.]+\.)")


def normalize_url(url: str) -> str | None:
    """Return the URL with https, without tracking, fragment, `amp`, `www.`, `m.` and a final slash. None for no URL.

    >>> normalize_url("http://www.Example.kz/a/b/amp/?utm_source=x&id=7#top")
    'https://example.kz/a/b?id=7'
    """
    host, path, query = split_url(url)
    if not host:
        return None
    kept_query = _encode_query_without(query, TRACKING_PARAMETERS)
    return urlunsplit(("https", _HOST_PREFIX.sub("", host), _normalize_path(path) or "/", kept_query, ""))


def find_release_id(url: str | None) -> str | None:
    """Return what the pages of one article share in all its languages. None for no URL, or one without an article.

    A malformed URL (`http://[photo]/a`) is none. gov.kz gives the language versions of a release one id. Elsewhere it
    is the URL without its language.
    """
    normalized = normalize_url(url) if url else None
    if normalized is None:
        return None
    parts = urlsplit(normalized)
    if parts.hostname == "gov.kz" and (release := _GOVKZ_RELEASE.match(parts.path)):
        return f"gov.kz/{release[1]}"
    query = _encode_query_without(parts.query, LANGUAGE_PARAMETERS)
    if parts.path == "/" and not query:
        return None
    return urlunsplit(("https", parts.netloc, parts.path, query, ""))


def _normalize_path(path: str) -> str:
    path = re.sub(r"/amp(?=/)", "", _AMP_END.sub("", _AMP_START.sub("", path)))
    return re.sub(r"/index\.(?:html?|php)$", "/", path).rstrip("/")


def _encode_query_without(query: str, excluded: re.Pattern[str]) -> str:
    if not query:
        return ""
    return urlencode(sorted((name, value) for name, value in parse_qsl(query, True) if not excluded.fullmatch(name)))
