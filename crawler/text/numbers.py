"""The numbers of a text as values: "1,5 млн", "1.5 million" and "1 500 000" are one, and so are "six" and "шесть"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SCALE = {
    "тыс": 1e3, "мың": 1e3, "thousand": 1e3, "млн": 1e6, "миллион": 1e6, "million": 1e6, "mln": 1e6, "млрд": 1e9,
    "миллиард": 1e9, "billion": 1e9, "bn": 1e9, "трлн": 1e12, "триллион": 1e12, "trillion": 1e12,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.,:/-])(\d{1,3}(?:[\u00a0\u202f ]\d{3})+|\d{1,3}(?:,\d{3})+|\d+(?:[.,]\d+)?)(?![\d:]|[./-]\d)"
    r"(?:[\s\u00a0-]*(тыс|мың|thousand|млн|миллион|million|mln|млрд|миллиард|billion|bn|трлн|триллион|trillion))?"
)
_WORDS = (
    ("два две двух двое екі two", 2), ("три трех трёх трое үш three", 3), ("четыре четырех четырёх төрт four", 4),
    ("пять пяти пятеро бес five", 5), ("шесть шести шестеро шестерку шестёрку алты six", 6),
    ("семь семи семеро жеті seven", 7), ("восемь восьми сегіз eight", 8), ("девять девяти тоғыз nine", 9),
    ("десять десяти он ten", 10), ("двенадцать двенадцати twelve", 12), ("двадцать двадцати жиырма twenty", 20),
)  # fmt: skip
_WORD = {word: value for listed, value in _WORDS for word in listed.split()} | {"миллион": 1e6}
_WORD_AT = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_WORD, key=len, reverse=True))})(?!\w)")
MONTH_STEMS = (
    "янв қаңтар jan", "фев ақпан feb", "мар наурыз mar", "апр сәуір apr", "мая май мамыр may", "июн маусым jun",
    "июл шілде jul", "авг тамыз aug", "сен қыркүйек sep", "окт қазан oct", "ноя қараша nov", "дек желтоқсан dec",
)  # fmt: skip
_MONTH = {stem: number for number, stems in enumerate(MONTH_STEMS, start=1) for stem in stems.split()}
_STEMS = "|".join(sorted(_MONTH, key=len, reverse=True))
_DAY = re.compile(rf"(?<!\d)(\d{{1,2}})(?:-?\d{{1,2}})?\s+({_STEMS})|(?<!\w)({_STEMS})[a-z]*\.?\s+(\d{{1,2}})(?!\d)")
_FULL_DATE = re.compile(r"(?<!\d)(\d{1,4})[./-](\d{1,2})[./-](\d{2,4})(?!\d)|(?<!\d)\d{1,2}:\d{2}(?!\d)")
_YEAR = range(1900, 2101)


def find_numbers(text: str) -> Iterator[float]:
    """The values of a text's numbers, dates, times, years and Kazakh "он" ambiguities left out."""
    lower = _FULL_DATE.sub(" ", text.lower())
    lower = _DAY.sub(" ", lower)
    for found in _NUMBER.finditer(lower):
        value = _parse_number(found[1]) * (_SCALE[found[2]] if found[2] else 1)
        if value not in _YEAR:
            yield value
    for found in _WORD_AT.finditer(lower):
        if found[0] != "он":
            yield float(_WORD[found[0]])


def _parse_number(written: str) -> float:
    if re.fullmatch(r"\d{1,3}(?:[\u00a0\u202f ,]\d{3})+", written):
        return float(re.sub(r"\D", "", written))
    return float(written.replace(",", "."))


def find_days(text: str) -> Iterator[tuple[int, int]]:
    """The dates a text names in words, as (month, day), the year left aside.

    >>> list(days("27 қараша күнгі, on March 6"))
    [(11, 27), (3, 6)]
    """
    for found in _DAY.finditer(text.lower()):
        if found[1]:
            yield _MONTH[found[2]], int(found[1])
        else:
            yield _MONTH[found[3]], int(found[4])
