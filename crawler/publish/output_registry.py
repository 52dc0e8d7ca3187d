"""The formats of feeds and exports by name.

Add a new format here. `tests/rights/test_outputs.py` then proves, with articles of every source, that it shows no more
of a text than the source allows, the name to credit, and the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import IO

from crawler.publish.entries import Entry
from crawler.publish.exports import write_csv, write_jsonl, write_parquet, write_xlsx
from crawler.publish.feeds.atom import format_atom
from crawler.publish.feeds.feed import FeedHead
from crawler.publish.feeds.jsonfeed import format_jsonfeed
from crawler.publish.feeds.rss import format_rss

FEED_FORMATS: dict[str, Callable[[FeedHead, Sequence[Entry]], bytes]] = {
    "atom": format_atom,
    "json": format_jsonfeed,
    "rss": format_rss,
}
EXPORT_FORMATS: dict[str, Callable[[IO[bytes], Iterable[Entry]], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}
