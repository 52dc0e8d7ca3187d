"""Every output that shows entries and leaves the machine, by name, as a function from entries to text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from openpyxl import load_workbook
from pyarrow.parquet import read_table

from crawler.notify.rendering import render_alert
from crawler.publish.entries import Entry
from crawler.publish.feeds.feed import FeedHead
from crawler.publish.output_registry import EXPORT_FORMATS, FEED_FORMATS
from crawler.publish.phrases import Phrases
from crawler.publish.templates import Templates

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HEAD = FeedHead(id="urn:x", title="x", home="https://example.org", made_at=NOON)


def _make_feed_formatter(format_feed: Callable[[FeedHead, Sequence[Entry]], bytes]) -> Callable[[Sequence[Entry]], str]:
    return lambda entries: format_feed(HEAD, entries).decode()


def _make_export_formatter(
    name: str, write: Callable[[IO[bytes], Iterable[Entry]], int]
) -> Callable[[Sequence[Entry]], str]:
    def format_export(entries: Sequence[Entry]) -> str:
        file = BytesIO()
        write(file, entries)
        if name == "parquet":
            return str(read_table(BytesIO(file.getvalue())).to_pylist())
        if name == "xlsx":
            rows = load_workbook(file).worksheets[0].iter_rows(values_only=True)
            return "\n".join(str(value) for row in rows for value in row if value is not None)
        return file.getvalue().decode()

    return format_export


def _make_alert_formatter(form: str, part: int) -> Callable[[Sequence[Entry]], str]:
    def format_alerts(entries: Sequence[Entry]) -> str:
        words, templates = Phrases("en", UTC), Templates()
        alerts = (
            render_alert(templates, entry, words, created_at=NOON, form=form, subscription="press", titles={})
            for entry in entries
        )
        return "\n".join(alert[part] for alert in alerts)

    return format_alerts


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    **{name: _make_feed_formatter(format_feed) for name, format_feed in FEED_FORMATS.items()},
    **{name: _make_export_formatter(name, write) for name, write in EXPORT_FORMATS.items()},
    "alert-text": _make_alert_formatter("full", 1),
    "alert-short": _make_alert_formatter("short", 1),
    "alert-html": _make_alert_formatter("full", 2),
}
