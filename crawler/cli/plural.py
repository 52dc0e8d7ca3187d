"""Numbers of things as people say them."""

from __future__ import annotations


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its word; `many` is the word with an s where it is not given.

    >>> plural(1, "article"), plural(0, "story", "stories"), plural(12500, "form")
    ('1 article', '0 stories', '12500 forms')
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
