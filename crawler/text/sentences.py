"""Where a sentence begins and ends, in English, Russian and Kazakh."""

from __future__ import annotations

import re

MAX_SENTENCE_LENGTH = 600
"""Characters of a sentence that is shown; a longer one is cut at words around the place in question."""

_ABBREVIATION_LIST = """
г гг в вв им ул пр просп пл пос с д стр корп обл р руб коп млн млрд трлн тыс т др см ст п пп ч ср англ фр лат рус каз
доп проф акад ген полк кв напр пер респ тел илл рис табл изд ред сост пресс б ж жж ғ ғғ т.б м
mr mrs ms dr prof gen col sen rep gov st no vs etc inc ltd co jr sr al fig art vol pp p ed dept approx u.s u.k u.n e.g
i.e jan feb mar apr jun jul aug sept sep oct nov dec
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
_END_PATTERN = re.compile(r"[.!?…]+[\"'»”’)\]]*(?=\s+|$)|\n+")
_PRECEDING_WORD = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]+)*)$")


def locate_sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Offsets of the sentence (or sentences) in which `start` to `end` stand, without spaces around.

    A line ends a sentence; a dot does not after an initial, an abbreviation, or before a small letter.
    """
    first = _find_start(text, start)
    last = next((found.end() for found in _END_PATTERN.finditer(text, end) if _is_sentence_end(text, found)), len(text))
    if last - first > MAX_SENTENCE_LENGTH:
        first, last = _shorten_span(text, first, last, start, end)
    while first < start and text[first].isspace():
        first += 1
    while last > end and text[last - 1].isspace():
        last -= 1
    return first, last


def _find_start(text: str, start: int) -> int:
    """The offset behind the last end of a sentence before `start`, looking back only as far as needed."""
    reach = 2 * MAX_SENTENCE_LENGTH
    floor = max(0, start - reach)
    begin = floor
    for found in _END_PATTERN.finditer(text, floor, start):
        if found.end() <= start and _is_sentence_end(text, found):
            begin = found.end()
    return begin


def _is_sentence_end(text: str, found: re.Match[str]) -> bool:
    if found[0][0] == "\n":
        return True
    rest = text[found.end() : found.end() + 3].lstrip(" \t\u00a0\"'«“„(—–-")
    if rest[:1].islower():
        return False
    if found[0] != ".":
        return True
    before = _PRECEDING_WORD.search(text, max(0, found.start() - 20), found.start())
    if before is None:
        return True
    word = before[1]
    initial = len(word) == 1 and word.isupper()
    return not initial and word.lower() not in _ABBREVIATIONS


def _shorten_span(text: str, first: int, last: int, start: int, end: int) -> tuple[int, int]:
    """A part of at most LONGEST characters around the place, cut between words where it can be."""
    spare = max(0, MAX_SENTENCE_LENGTH - (end - start))
    begin = max(first, start - spare // 2)
    finish = min(last, max(end, begin + MAX_SENTENCE_LENGTH))
    if begin > first and (space := text.find(" ", begin, start)) >= 0:
        begin = space + 1
    if finish < last and (space := text.rfind(" ", end, finish)) >= 0:
        finish = space
    return begin, finish
