"""Plain text as articles keep it: entities decoded, invisible characters gone, one space where there were several."""

from __future__ import annotations

import html
import re

INVISIBLE_PATTERN = re.compile("[\u00ad\u200b\u2060\ufeff\u0000-\u0008\u000e-\u001b\u007f\ud800-\udfff]")
ENTITY_PATTERN = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]\w{1,30});")


def clean_line(text: str) -> str:
    """One line: soft hyphens, zero-width, control and half characters gone, every run of spaces one space.

    >>> line(" Крас\u00adный\u00a0 крест ")
    'Красный крест'
    """
    if not (text.isascii() and text.isprintable()):
        text = INVISIBLE_PATTERN.sub("", text)
    return " ".join(text.split())  # every kind of space, as `\s` in a pattern, at a fifth of its cost


def clean_line_or_none(text: str | None) -> str | None:
    """`line`, with None for nothing: unknown is never an empty string."""
    return (clean_line(text) or None) if text else None


def decode_entities(text: str) -> str:
    """Text with its entities decoded, also where a site encoded them twice (`&amp;laquo;`)."""
    for _ in range(2):
        if not ENTITY_PATTERN.search(text):
            break
        text = html.unescape(text)
    return text
