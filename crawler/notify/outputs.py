"""Every form of an alert, by name, as a function of entries: `tests/rights/test_outputs.py` proves their rights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crawler.notify.rendering import render_alert
from crawler.publish.entries import Entry
from crawler.publish.templates import Templates
from crawler.publish.translations import Translations

EXAMPLE_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _make_formatter(form: str, part: int) -> Callable[[Sequence[Entry]], str]:
    def format_alerts(entries: Sequence[Entry]) -> str:
        translations, templates = Translations("en", UTC), Templates()
        return "\n".join(
            render_alert(
                templates, entry, translations, created_at=EXAMPLE_TIME, form=form, subscription="press", titles={}
            )[part]
            for entry in entries
        )

    return format_alerts


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    "alert-text": _make_formatter("full", 1),
    "alert-short": _make_formatter("short", 1),
    "alert-html": _make_formatter("full", 2),
}
