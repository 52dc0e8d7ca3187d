"""Article URLs of kt.kz (Kazakhstan Today).

Two sources read them: `ktkz` crawls the site, and `mfa` has stored releases of the ministry that kt.kz printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawler.text.urls import split_url

HOSTS = ("www.kt.kz", "kt.kz")
PATH_PATTERN = re.compile(r"/(?:(?P<edition>rus|eng|kaz)/(?P<section>[\w-]+)/)?.*_-?(?P<id>\d{10})\.html")
"""The ten digits at the end are the article's id. `_-` and `_` before them mean the same."""


@dataclass(frozen=True, slots=True)
class KtkzUrl:
    """The parts of an article's URL. `edition` and `section` are None for a path that does not begin with them."""

    native_id: str
    path: str
    edition: str | None
    section: str | None


def parse_ktkz_url(url: str) -> KtkzUrl | None:
    """Return the parts of an article's URL, or None for any other URL."""
    host, path, _ = split_url(url)
    if host in HOSTS and (found := PATH_PATTERN.fullmatch(path)):
        return KtkzUrl(found["id"], path, found["edition"], found["section"])
    return None
