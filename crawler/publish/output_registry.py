"""The formats of feeds and exports by name.

Add a new format here. `tests/rights/test_outputs.py` then proves, with articles of every source, that it shows no more
of a text than the source allows, the name to credit, and the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import IO

from crawler.errors import UsageError
from crawler.publish.entries import Entry
from crawler.publish.exports import raise_if_no_parquet, write_csv, write_jsonl, write_parquet, write_xlsx
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


def raise_if_no_table(path: Path) -> None:
    """Raise UsageError if the ending of a file is that of no table, or its package is not installed."""
    if path.suffix.lower().removeprefix(".") not in EXPORT_FORMATS:
        endings = ", ".join(f".{name}" for name in EXPORT_FORMATS)
        raise UsageError(f"-o {path}: the ending must be one of {endings}.")
    if path.suffix.lower() == ".parquet":
        raise_if_no_parquet()


def write_table(file: IO[bytes], path: Path, entries: Iterable[Entry], *, zone: tzinfo, separator: str = ",") -> int:
    """Write entries in the format of a path's ending. Return how many rows they are.

    `zone` is that of times in .xlsx, `separator` is for .csv.
    """
    name = path.suffix.lower().removeprefix(".")
    if name == "csv":
        return write_csv(file, entries, separator)
    return write_xlsx(file, entries, zone) if name == "xlsx" else EXPORT_FORMATS[name](file, entries)
