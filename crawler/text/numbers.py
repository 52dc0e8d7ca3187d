"""Read the numbers of a text as values: "1,5 млн", "1.5 million" and "1 500 000" are one, and so are "six" and "шесть".

`find_numbers` is quick and certain: similarity uses it, and stored fingerprints depend on it. The comparison of
translations reports a difference to a person, so it uses `find_stated_numbers`, which finds every value that another
language may write otherwise (as a word, an ordinal or a Roman numeral).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from ahocorasick_rs import AhoCorasick

from crawler.text.months import get_month_stems
from crawler.text.number_words import (
    load_all_words,
    load_fingerprinted_words,
    load_ordinal_stems,
    load_scale_words,
)

_YEARS = frozenset(map(float, range(1900, 2101)))
"""A set, because a range compares a float with each of its numbers."""
_SMALLEST_SCALE = 1000
"""From this value on a word multiplies the number before it."""
_DIGIT = re.compile(r"\d")
_MAYBE_DIGIT = re.compile("[0-9\u0660-\U0010ffff]")
"""Every digit, and much else behind the letters of Europe. `re` finds it in half the time of `_DIGIT`."""
_GROUPED_PATTERN = re.compile(r"\d{1,3}(?:[\u00a0\u202f ,]\d{3})+")
_DATE_OR_TIME = re.compile(r"\d(?<!\d\d)(?:\d{0,3}[./-]\d{1,2}[./-]\d{2,4}|\d?:\d{2})(?!\d)")
"""It begins with one set of characters, which `re` searches six times faster than alternatives."""
_SENTENCE_GAP = " ; "
"""Between sentences that are searched together: no number, date or time continues behind it."""

_FULL_DATE = re.compile(
    r"(?<![\d./-])(?:(?P<first>\d{1,2})(?P<mark>[./])(?P<second>\d{1,2})(?P=mark)(?:19|20)\d{2}"
    r"|(?:19|20)\d{2}-(?P<iso_month>\d{2})-(?P<iso_day>\d{2}))(?!\d)"
)
_MONTHS, _MONTH_DAYS = 12, 31
_WORD_PATTERN = re.compile(r"[^\W\d_]+")
_GAP_IN_NUMBER = re.compile(r"[\s\u00a0-]+(?:and\s+)?")
_ORDINAL_ENDING = "(?:ый|ий|ой|ая|ья|ое|ье|ого|ьего|ьей|ому|ьему|ым|ьим|ом|ьем|ую|ью|ые|ьи|ых|ьих)?"
_ROMAN_PATTERN = re.compile(r"(?<!\w)(X{0,3})(IX|IV|V?I{0,3})(?!\w)")
_ROMAN_VALUES = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9}
_MONTH_NAME = (
    r"(?:янв(?:ар\w+)?|фев(?:рал\w+)?|мар(?:т\w?)?|апр(?:ел\w+)?|ма[йяе]|ию[нл][ьяе]|авг(?:уст\w?)?|сен(?:тябр\w)?|окт(?:ябр\w)?"
    r"|ноя(?:бр\w)?|дек(?:абр\w)?|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    r"|(?:қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан)\w*)(?!\w)"
)
_DAY_NUMBER = r"(?<![\d.,])\d{1,2}(?:st|nd|rd|th|-?го|-?е|-?нен|-?нан|-?ден|-?дан)?"
_RANGE = r"(?:\s*[-–—]\s*|\s+(?:и|по|до|мен|пен|бен|және|and|to|through|until)\s+)"
_DAY_RANGES = re.compile(
    rf"{_DAY_NUMBER}(?:(?:,\s*|{_RANGE}){_DAY_NUMBER}){{0,9}}\s+(?:of\s+)?{_MONTH_NAME}"
    rf"|{_MONTH_NAME}\.?\s+{_DAY_NUMBER}(?:{_RANGE}{_DAY_NUMBER}){{0,9}}(?!\d)"
)
_TIME_OF_DAY = r"(?:a\.?\s?m\b|p\.?\s?m\b|o['’]clock|утра|дня|вечера|ночи|час(?:ов|а|ам)?\b(?!\s*работы)|сағат)"
_CLOCK_TIMES = re.compile(
    rf"(?<!\d)\d{{1,2}}(?:[.:]\d{{2}})?\s*{_TIME_OF_DAY}|(?:сағат|at)\s+\d{{1,2}}[.:]\d{{2}}(?!\d)"
)
_DOTTED_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?![\d.])")
_LONE_MILLION = re.compile(r"(?<!\d)(?<!\d\s)миллион(?!\w)")
_PHONE_NUMBERS = re.compile(r"\+\d[\d\s()\u00a0-]{7,}")


def find_numbers(text: str) -> Iterator[float]:
    """Yield the values of a text's numbers, without dates, times and years."""
    yield from find_numbers_in_digits(text)
    yield from find_number_words(text)


def find_numbers_in_sentences(sentences: Iterable[str]) -> Iterator[float]:
    """Yield the values that sentences write in digits. Searched together they take half the time."""
    return find_numbers_in_digits(_SENTENCE_GAP.join(filter(_MAYBE_DIGIT.search, sentences)))


def find_numbers_in_digits(text: str) -> Iterator[float]:
    """Yield the values that a text writes in digits, without dates, times and years."""
    if not _DIGIT.search(text):  # Most sentences have no digit, and the patterns below cost much more than this one.
        return
    lower = _DATE_OR_TIME.sub(" ", text.lower())
    if _has_month(lower):
        lower = _get_day_pattern().sub(" ", lower)
    scales = load_scale_words()
    for found in _get_number_pattern().finditer(lower):
        value = _parse_number(found[1]) * (scales[found[2]] if found[2] else 1)
        if value not in _YEARS:
            yield value


def find_number_words(text: str) -> Iterator[float]:
    """Yield the values of a text's number words, each word by itself."""
    lower, words = text.lower(), load_fingerprinted_words()
    for _, start, end in _load_word_finder().find_matches_as_indexes(lower, overlapping=True):
        if not (_is_in_word(lower[start - 1 : start]) or _is_in_word(lower[end : end + 1])):
            yield words[lower[start:end]]


def find_days(text: str) -> Iterator[tuple[int, int]]:
    """Yield the dates with a month's name, as (month, day). Their years are ignored.

    >>> list(find_days("27 қараша күнгі, on March 6"))
    [(11, 27), (3, 6)]
    """
    lower = text.lower()
    if not (_DIGIT.search(text) and _has_month(lower)):
        return
    for found in _get_day_pattern().finditer(lower):
        yield get_month_stems()[found[2] or found[3]], int(found[1] or found[4])


def find_numeric_days(text: str) -> Iterator[tuple[int, int]]:
    """Yield the dates in digits with a year, as (month, day). A date of which either part may be the month is skipped.

    >>> list(find_numeric_days("27.11.2019, 6/20/2007, 2019-11-27, 6/7/2007"))
    [(11, 27), (6, 20), (11, 27)]
    """
    if not _DIGIT.search(text):
        return
    for found in _FULL_DATE.finditer(text):
        if found["iso_month"]:
            month, day = int(found["iso_month"]), int(found["iso_day"])
        else:
            first, second = int(found["first"]), int(found["second"])
            is_clear = found["mark"] == "." or max(first, second) > _MONTHS
            month, day = (first, second) if found["mark"] == "/" and first <= _MONTHS else (second, first)
            if not is_clear:
                continue
        if 1 <= month <= _MONTHS and 1 <= day <= _MONTH_DAYS:
            yield month, day


def find_written_digits(text: str) -> set[float]:
    """Return the values that a text has as digits ("2 млн" too), without dates, times, years and telephone numbers."""
    values = load_all_words()

    def keep_scale(word: re.Match[str]) -> str:
        return ";" if values.get(word[0], _SMALLEST_SCALE) < _SMALLEST_SCALE else word[0]

    # Number words go; those of scale belong to the digits before them.
    digits = _WORD_PATTERN.sub(keep_scale, _remove_dates(text))
    return set(find_numbers(_LONE_MILLION.sub(";", digits)))


def find_stated_numbers(text: str) -> set[float]:
    """Return every value that a text may state: digits, words alone and together, ordinals and Roman numerals."""
    lower = text.lower()
    values = set(find_numbers(_remove_dates(text))) | _find_spelled_numbers(lower)
    values |= {load_ordinal_stems()[match[1]] for match in _get_ordinal_pattern().finditer(lower)}
    numerals = (match for match in _ROMAN_PATTERN.finditer(text) if match[0])
    return values | {10.0 * len(match[1]) + _ROMAN_VALUES[match[2]] for match in numerals}


def _parse_number(written: str) -> float:
    if _GROUPED_PATTERN.fullmatch(written):
        return float(re.sub(r"\D", "", written))
    return float(written.replace(",", "."))


def _remove_dates(text: str) -> str:
    """Return the text in small letters without dates, times and telephone numbers, dotted groups closed up."""
    text = _DOTTED_GROUPS.sub(lambda match: match[0].replace(".", ""), text.lower())
    for pattern in (_PHONE_NUMBERS, _CLOCK_TIMES, _DAY_RANGES):
        text = pattern.sub(" ; ", text)
    return _get_false_month_pattern().sub(" ; ", text)


def _find_spelled_numbers(text: str) -> set[float]:
    """Return number words, each alone and with those before it: "two hundred and five" is 2, 200, 205, 100 and 5."""
    values = load_all_words()
    found: set[float] = set()
    total, part, end = 0.0, 0.0, -1
    for match in _WORD_PATTERN.finditer(text):
        value = values.get(match[0])
        if value is None:
            continue
        if end < 0 or not _GAP_IN_NUMBER.fullmatch(text[end : match.start()]):
            total = part = 0.0
        if value >= _SMALLEST_SCALE:
            total, part = total + max(part, 1) * value, 0.0
        else:
            part = part * 100 if value == 100 and 0 < part < 10 else part + value
        found |= {value, total + part}
        end = match.end()
    return found


def _is_in_word(character: str) -> bool:
    """Return whether a character, or "", is one that `\\w` matches."""
    return character.isalnum() or character == "_"


def _has_month(lower: str) -> bool:
    """Return whether a text in small letters has a month's stem. `_get_day_pattern` takes ten times as long."""
    return bool(_load_month_finder().find_matches_as_indexes(lower))


# --- patterns with words, compiled at their first use


@cache
def _load_month_finder() -> AhoCorasick:
    return AhoCorasick(list(get_month_stems()))


@cache
def _load_word_finder() -> AhoCorasick:
    """Return what finds the number words in a text in half the time of a look-up for each of its words."""
    return AhoCorasick(list(load_fingerprinted_words()))


def _join(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


@cache
def _get_number_pattern() -> re.Pattern[str]:
    return re.compile(
        r"(\d(?<![\w.,:/-]\d)(?:\d{0,2}(?:[\u00a0\u202f ]\d{3})+|\d{0,2}(?:,\d{3})+|\d*(?:[.,]\d+)?))(?![\d:]|[./-]\d)"
        rf"(?:[\s\u00a0-]*({_join(load_scale_words())}))?"
    )


@cache
def _get_ordinal_pattern() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)({_join(load_ordinal_stems())}){_ORDINAL_ENDING}(?!\w)")


@cache
def _get_day_pattern() -> re.Pattern[str]:
    stems = _join(get_month_stems())
    return re.compile(rf"(?<!\d)(\d{{1,2}})(?:-?\d{{1,2}})?\s+({stems})|(?<!\w)({stems})[a-z]*\.?\s+(\d{{1,2}})(?!\d)")


@cache
def _get_false_month_pattern() -> re.Pattern[str]:
    """Return the pattern of the space before a word that only begins like a month: "12 маршрутов", "12 markets"."""
    return re.compile(rf"(?<=\d)\s+(?=(?:{_join(get_month_stems())})\w)(?!{_MONTH_NAME})")
