"""Every output of this room that leaves the machine, by name, as a function that gives its text for entries.

Whoever adds one enters it here, or in `OUTPUTS` of a module `crawler.notify.outputs`. `tests/rights/test_outputs.py`
then proves of it, with articles of every source, that it shows no more of a text than the source allows, names whom the
source wants named, and gives the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from crawler.publish import Entry
from crawler.publish.exports import write_csv, write_jsonl, write_parquet
from crawler.publish.feeds.atom import format_atom
from crawler.publish.feeds.feed import FeedHead
from crawler.publish.feeds.jsonfeed import format_jsonfeed
from crawler.publish.feeds.rss import format_rss

FEED_FORMATS: dict[str, Callable[[FeedHead, Sequence[Entry]], bytes]] = {
    "atom": format_atom,
    "json": format_jsonfeed,
    "rss": format_rss,
}
"""The kinds of feed."""
EXPORT_FORMATS: dict[str, Callable[[IO[bytes], Iterable[Entry]], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}
"""The kinds of export."""
EXAMPLE_FEED = FeedHead(id="urn:x", title="x", home="https://example.org", made_at=datetime(2026, 1, 1, tzinfo=UTC))


def _make_feed_formatter(write: Callable[[FeedHead, Sequence[Entry]], bytes]) -> Callable[[Sequence[Entry]], str]:
    return lambda entries: write(EXAMPLE_FEED, entries).decode()


def _make_table_formatter(write: Callable[[IO[bytes], Iterable[Entry]], int]) -> Callable[[Sequence[Entry]], str]:
    def text(entries: Sequence[Entry]) -> str:
        file = BytesIO()
        write(file, entries)
        return file.getvalue().decode()

    return text


def _format_parquet(entries: Sequence[Entry]) -> str:
    """Every value of the file, read back."""
    from pyarrow.parquet import read_table

    file = BytesIO()
    write_parquet(file, entries)
    return str(read_table(BytesIO(file.getvalue())).to_pylist())


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    **{name: _make_feed_formatter(write) for name, write in FEED_FORMATS.items()},
    "jsonl": _make_table_formatter(write_jsonl),
    "csv": _make_table_formatter(write_csv),
    "parquet": _format_parquet,
}
"""The text of each output for some entries, all taken through one door."""
