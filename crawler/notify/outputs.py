"""Every form of a message that leaves the machine, by name, as a function that gives its text for entries: what
`tests/rights/test_outputs.py` proves to stay within the rights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crawler.notify.rendering import render_alert
from crawler.publish import Entry, Templates, Translations

EXAMPLE_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _make_formatter(form: str, part: int) -> Callable[[Sequence[Entry]], str]:
    def text(entries: Sequence[Entry]) -> str:
        words, templates = Translations("en", UTC), Templates()
        return "\n".join(
            render_alert(templates, entry, words, created_at=EXAMPLE_TIME, form=form, subscription="press", titles={})[
                part
            ]
            for entry in entries
        )

    return text


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    "alert-text": _make_formatter("full", 1),
    "alert-short": _make_formatter("short", 1),
    "alert-html": _make_formatter("full", 2),
}
"""The text of each form for some entries, all taken through one door."""
