"""Every output of this room that leaves the machine, by name, as a function that gives its text for entries.

Whoever adds one enters it here, or in `OUTPUTS` of a module `crawler.alerts.outputs`. `tests/rights/test_outputs.py`
then proves of it, with articles of every source, that it shows no more of a text than the source allows, names whom the
source wants named, and gives the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from crawler.entries import Entry
from crawler.feeds.atom import atom
from crawler.feeds.feed import Feed
from crawler.feeds.jsonfeed import jsonfeed
from crawler.feeds.rss import rss
from crawler.feeds.tables import csv_file, jsonl, parquet

FEEDS: dict[str, Callable[[Feed, Sequence[Entry]], bytes]] = {"atom": atom, "json": jsonfeed, "rss": rss}
"""The kinds of feed."""
TABLES: dict[str, Callable[[IO[bytes], Iterable[Entry]], int]] = {"jsonl": jsonl, "csv": csv_file, "parquet": parquet}
"""The kinds of export."""
HEAD = Feed(id="urn:x", title="x", home="https://example.org", made_at=datetime(2026, 1, 1, tzinfo=UTC))


def _feed(write: Callable[[Feed, Sequence[Entry]], bytes]) -> Callable[[Sequence[Entry]], str]:
    return lambda entries: write(HEAD, entries).decode()


def _table(write: Callable[[IO[bytes], Iterable[Entry]], int]) -> Callable[[Sequence[Entry]], str]:
    def text(entries: Sequence[Entry]) -> str:
        file = BytesIO()
        write(file, entries)
        return file.getvalue().decode()

    return text


def _parquet(entries: Sequence[Entry]) -> str:
    """Every value of the file, read back."""
    from pyarrow.parquet import read_table

    file = BytesIO()
    parquet(file, entries)
    return str(read_table(BytesIO(file.getvalue())).to_pylist())


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    **{name: _feed(write) for name, write in FEEDS.items()},
    "jsonl": _table(jsonl),
    "csv": _table(csv_file),
    "parquet": _parquet,
}
"""The text of each output for some entries, all taken through one door."""
