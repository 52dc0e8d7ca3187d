"""Every form of a message that leaves the machine, by name, as a function that gives its text for entries: what
`tests/rights/test_outputs.py` proves to stay within the rights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crawler.alerts.writing import alert
from crawler.entries import Entry, Phrases, Templates

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _each(form: str, part: int) -> Callable[[Sequence[Entry]], str]:
    def text(entries: Sequence[Entry]) -> str:
        words, templates = Phrases("en", UTC), Templates()
        return "\n".join(
            alert(templates, entry, words, noted_at=NOON, form=form, to="press", titles={})[part] for entry in entries
        )

    return text


OUTPUTS: dict[str, Callable[[Sequence[Entry]], str]] = {
    "alert-text": _each("full", 1),
    "alert-short": _each("short", 1),
    "alert-html": _each("full", 2),
}
"""The text of each form for some entries, all taken through one door."""
