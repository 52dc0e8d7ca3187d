"""What a site says about the use of its texts: its terms, the words at its foot, and robots.txt."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from crawler.discovery.site_words import load_site_words
from crawler.generic.page import GenericPage
from crawler.pages.blocks import read_line
from crawler.text.urls import resolve_url

MAX_LINE_LENGTH = 300
MAX_ROBOTS_SITEMAPS = 4


@dataclass(frozen=True, slots=True)
class RobotsFacts:
    """What robots.txt says to the crawler: the delay that it asks for, in seconds, and the sitemaps that it names."""

    crawl_delay: float | None
    sitemaps: tuple[str, ...]


def read_robots(text: str, agent: str) -> RobotsFacts:
    """Return what a robots.txt says to the crawler."""
    rules = Protego.parse(text)
    delay = rules.crawl_delay(agent)
    sitemaps = (url for each in rules.sitemaps if (url := resolve_url(each, "")))
    return RobotsFacts(
        float(delay) if delay is not None else None, tuple(dict.fromkeys(sitemaps))[:MAX_ROBOTS_SITEMAPS]
    )


def find_terms(page: GenericPage) -> str | None:
    """Return the address of the site's terms of use, or None where the page names none."""
    for node in page.root.iter("a"):
        if load_site_words().terms.search(read_line("".join(node.itertext()))) and (
            url := resolve_url(node.get("href"), page.url)
        ):
            return url
    return None


def find_rights_line(page: GenericPage) -> str | None:
    """Return the site's own words about the use of its texts, from the foot of a page, or None."""
    lines = [line.text for line in page.lines if len(line.text) <= MAX_LINE_LENGTH]
    return next((text for text in reversed(lines) if load_site_words().rights.search(text)), None)
