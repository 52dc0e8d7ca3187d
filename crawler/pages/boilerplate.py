"""Boilerplate: lines of a page that are no part of its article (`defaults/boilerplate.toml`)."""

from __future__ import annotations

import re
from functools import cache

from crawler.defaults import load_default_toml
from crawler.pages.blocks import Block

MAX_LINE_LENGTH = 300
"""Characters: a longer line is a paragraph of the article, whatever its first words are."""
LINE_DECORATIONS = " \t•·▶►→»«>–—-*#.…!"


@cache
def _load_pattern() -> re.Pattern[str]:
    groups = load_default_toml("boilerplate.toml").values()
    return re.compile("|".join(f"(?:{pattern})" for group in groups for pattern in group), re.IGNORECASE)


def is_boilerplate(line: str) -> bool:
    """Return whether a whole line is a related link, a counter, a notice, a control or a credit.

    >>> is_boilerplate("Количество просмотров: 12"), is_boilerplate("Количество просмотров выросло.")
    (True, False)
    """
    return len(line) <= MAX_LINE_LENGTH and _load_pattern().fullmatch(line.strip(LINE_DECORATIONS)) is not None


def remove_boilerplate(lines: list[Block]) -> list[Block]:
    """Return the lines of the article alone."""
    return [line for line in lines if not is_boilerplate(line.text)]
