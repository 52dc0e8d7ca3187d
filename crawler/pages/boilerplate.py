"""Boilerplate: lines of a page that are no part of its article (`defaults/boilerplate.toml`)."""

from __future__ import annotations

import re
from functools import cache

from crawler.defaults import load_default_toml
from crawler.pages.blocks import Block

MAX_LINE_LENGTH = 300
"""Characters: a longer line is a paragraph of the article, whatever its first words are."""
PART_SEPARATOR = re.compile(r"\s+[|·•/]\s+")
BRACKETED_LINE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
LINE_DECORATIONS = " \t•·▶►→←↑»«>–—-*#.…!"


@cache
def _load_pattern() -> re.Pattern[str]:
    groups = load_default_toml("boilerplate.toml").values()
    return re.compile("|".join(f"(?:{pattern})" for group in groups for pattern in group), re.IGNORECASE)


def is_boilerplate(line: str) -> bool:
    """Return whether a whole line is a related link, a counter, a notice, a control or a credit.

    >>> is_boilerplate("Количество просмотров: 12"), is_boilerplate("Количество просмотров выросло.")
    (True, False)
    """
    if len(line) > MAX_LINE_LENGTH:
        return False
    bare, pattern = _strip_decorations(line), _load_pattern()
    if pattern.fullmatch(bare):
        return True
    parts = PART_SEPARATOR.split(bare)
    return len(parts) > 1 and all(pattern.fullmatch(_strip_decorations(part)) for part in parts)


def _strip_decorations(line: str) -> str:
    bare = line.strip(LINE_DECORATIONS)
    return bare[1:-1].strip(LINE_DECORATIONS) if BRACKETED_LINE.fullmatch(bare) else bare


def remove_boilerplate(lines: list[Block]) -> list[Block]:
    """Return the lines of the article alone."""
    return [line for line in lines if not is_boilerplate(line.text)]
