"""Counts with their English words."""

from __future__ import annotations


def format_count(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its word. The default plural is the singular with an s.

    >>> format_count(1, "article"), format_count(0, "story", "stories"), format_count(12500, "form")
    ('1 article', '0 stories', '12500 forms')
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"
