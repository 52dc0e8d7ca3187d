"""Numbers of things as people say them."""

from __future__ import annotations


def format_count(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its word; `many` is the word with an s where it is not given.

    >>> plural(1, "article"), plural(0, "story", "stories"), plural(12500, "form")
    ('1 article', '0 stories', '12500 forms')
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"
