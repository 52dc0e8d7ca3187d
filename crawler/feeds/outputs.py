"""Every output of this room that leaves the machine, by name, as a function that gives its text for entries.

Whoever adds one enters it here; `tests/rights/test_outputs.py` then proves of it, with articles of every source, that
it shows no more of a text than the source allows, names whom the source wants named, and gives the link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crawler.entries import Entry
from crawler.feeds.atom import atom
from crawler.feeds.feed import Feed
from crawler.feeds.jsonfeed import jsonfeed
from crawler.feeds.rss import rss

FEEDS: dict[str, Callable[[Feed, Sequence[Entry]], bytes]] = {"atom": atom, "json": jsonfeed, "rss": rss}
"""The kinds of feed."""
OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {}
"""The text of each output for some entries, all taken through one door."""


def _as_text(write: Callable[[Feed, Sequence[Entry]], bytes]) -> Callable[[Sequence[Entry]], str]:
    head = Feed(id="urn:x", title="x", home="https://example.org", made_at=datetime(2026, 1, 1, tzinfo=UTC))
    return lambda entries: write(head, entries).decode()


OUTPUTS |= {name: _as_text(write) for name, write in FEEDS.items()}
