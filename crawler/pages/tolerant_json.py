"""Parse JSON that one bad record would make unreadable as a whole.

Sites print JSON with raw control characters, or a cache's comment after it. A strict parser then rejects all records of
the answer.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_JSON_DEPTH = 64
"""Levels that are kept of JSON which is too deep for the parser. The answers of known sites have six."""
MAX_NUMBER_LENGTH = 300
"""Characters of a number. Python refuses to convert integers of more than 4,300 digits."""
COMMENT_PATTERN = re.compile(r"(?:\s|<!--(?>.*?-->)|/\*(?>.*?\*/))*+", re.DOTALL)
"""White space and comments that caches add after JSON."""
TOKEN_PATTERN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings, whose brackets do not count, and brackets. The closing quote is optional, so that no byte is read twice."""
ESCAPE_PATTERN = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD](?P<lone>[89a-fA-F])[0-9a-fA-F]{2}|\\.",
    re.DOTALL,
)
"""Both halves of a character, half of one, and any other escape."""


def parse_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError for anything else.

    Halves of a character, such as a cut emoji, become U+FFFD. Values nested deeper than MAX_JSON_DEPTH become null
    where the parser cannot read them. Numbers of absurd length stay text.
    """
    text = text.lstrip()
    if "\\ud" in text or "\\uD" in text:
        text = ESCAPE_PATTERN.sub(lambda found: "\ufffd" if found["lone"] else found[0], text)
    try:
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        text = replace_deep_values(text)
        value, end = _DECODER.raw_decode(text)
    rest = COMMENT_PATTERN.match(text, end)
    if rest is None or rest.end() != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def replace_deep_values(text: str) -> str:
    """Return the JSON text with null in place of each list and object that is deeper than MAX_JSON_DEPTH."""
    kept: list[str] = []
    depth = start = 0
    for token in TOKEN_PATTERN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == MAX_JSON_DEPTH + 1:
                kept.append(text[start : token.start()] + "null")
        elif token[0] in ("]", "}"):
            if depth == MAX_JSON_DEPTH + 1:
                start = token.end()
            depth -= 1
    return "".join(kept) + (text[start:] if depth <= MAX_JSON_DEPTH else "")


def _parse_integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_NUMBER_LENGTH else digits


_DECODER = json.JSONDecoder(strict=False, parse_int=_parse_integer)
