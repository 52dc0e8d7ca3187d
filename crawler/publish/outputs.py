"""Every form that leaves the machine, by name, as a function from entries to text.

Add a new form here, or to `OUTPUTS` of `crawler.notify.outputs`. `tests/rights/test_outputs.py` then proves, with
articles of every source, that it shows no more of a text than the source allows, the name to credit, and the link. The
forms of a press review have tests of their own in `tests/publish/test_press_review.py` and `test_digest_view.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from crawler.publish.entries import Entry
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
EXPORT_FORMATS: dict[str, Callable[[IO[bytes], Iterable[Entry]], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}
EXAMPLE_FEED = FeedHead(id="urn:x", title="x", home="https://example.org", made_at=datetime(2026, 1, 1, tzinfo=UTC))


def _make_feed_formatter(format_feed: Callable[[FeedHead, Sequence[Entry]], bytes]) -> Callable[[Sequence[Entry]], str]:
    return lambda entries: format_feed(EXAMPLE_FEED, entries).decode()


def _make_export_formatter(write: Callable[[IO[bytes], Iterable[Entry]], int]) -> Callable[[Sequence[Entry]], str]:
    def format_export(entries: Sequence[Entry]) -> str:
        file = BytesIO()
        write(file, entries)
        return file.getvalue().decode()

    return format_export


def _format_parquet(entries: Sequence[Entry]) -> str:
    """Return every value of the file, read back."""
    from pyarrow.parquet import read_table

    file = BytesIO()
    write_parquet(file, entries)
    return str(read_table(BytesIO(file.getvalue())).to_pylist())


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    **{name: _make_feed_formatter(format_feed) for name, format_feed in FEED_FORMATS.items()},
    "jsonl": _make_export_formatter(write_jsonl),
    "csv": _make_export_formatter(write_csv),
    "parquet": _format_parquet,
}
"""The text of each form for some entries of one output."""
