"""One address for all the clothes an address wears, for pages whose site gives no id of its own.

A source with native ids says itself what identifies its articles (`SourceSpider.identify`); this is for all others,
and for comparing addresses of pages that no source knows. The spelling of an address (order of its query, percent
signs, punycode, default ports) is w3lib's business; here is what only news sites do.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

TRACKING_PARAMETERS = re.compile(
    r"utm_.*|mtm_.*|pk_.*|hsa_.*|ga_.*|at_.*|fb_.*|yclid|ysclid|gclid|gclsrc|dclid|fbclid|msclkid|twclid|igshid|mc_[ce]id"
    r"|_openstat|openstat|from|ref|ref_src|referrer|source|share|shared|amp|outputtype|s?rnd|nocache|print",
    re.IGNORECASE,
)
"""Parameters that tell how a reader came, or how the page is to look, never which article it is."""
LANGUAGE_PARAMETERS = re.compile(r"lang|language|locale|hl", re.IGNORECASE)
_GOVKZ = re.compile(r"/memleket/entities/[\w-]+/press/[\w-]+/details/(\d+)")
_AMP_END = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)")


def normalize_url(url: str) -> str:
    """The address without scheme differences, tracking, fragment, `amp`, `www.`, `m.` and a slash at its end.

    >>> canonical("http://www.Example.kz/a/b/amp/?utm_source=x&id=7#top")
    'https://example.kz/a/b?id=7'
    """
    parts = urlsplit(canonicalize_url(url.strip()))
    host = re.sub(r"^(?:www|m|amp|mobile)\.(?=[^.]+\.)", "", parts.hostname or "").rstrip(".")
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    path = _AMP_END.sub("", re.sub(r"^/amp(?=/.)", "", re.sub(r"/{2,}", "/", parts.path)))
    path = re.sub(r"/amp(?=/)", "", path)
    path = re.sub(r"/index\.(?:html?|php)$", "/", path).rstrip("/")
    query = [(name, value) for name, value in parse_qsl(parts.query, True) if not TRACKING_PARAMETERS.fullmatch(name)]
    return urlunsplit(("https", host + port, path or "/", urlencode(query), ""))


def find_release_id(url: str | None) -> str | None:
    """What the pages of one article in all its languages share; None for no address or one of another kind.

    gov.kz gives the language versions of a release one id. Elsewhere it is the address without its language.
    """
    if not url or not re.match(r"https?://", url.strip(), re.IGNORECASE):
        return None
    found = normalize_url(url)
    parts = urlsplit(found)
    if parts.hostname == "gov.kz" and (release := _GOVKZ.match(parts.path)):
        return f"gov.kz/{release[1]}"
    query = [(name, value) for name, value in parse_qsl(parts.query, True) if not LANGUAGE_PARAMETERS.fullmatch(name)]
    if parts.path == "/" and not query:
        return None
    return urlunsplit(("https", parts.netloc, parts.path, urlencode(query), ""))
