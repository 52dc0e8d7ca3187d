"""Read the numbers of a sentence as values: 250, 250,0, two hundred and fifty and двумстам пятидесяти are one.

Also in Kazakh with case endings ("елуден"), as ordinals ("4-я", "fourth", "төртінші"), in Roman letters, and with words
of scale: "1,5 млн" is 1,500,000.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.number_words import (
    load_all_words,
    load_cardinal_words,
    load_ordinal_stems,
    load_scale_words,
)

YEARS = range(1900, 2101)
_SMALLEST_SCALE = 1000
_KAZAKH_TEN = "он"
"""Ten in Kazakh, "he" in Russian."""
_ROMAN_PATTERN = re.compile(r"(X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"": 0, "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9}
_ORDINAL_ENDING = re.compile(r"(?:ый|ий|ой|ая|ья|ое|ье|ого|ьего|ьей|ому|ьему|ым|ьим|ом|ьем|ую|ью|ые|ьи|ых|ьих|ыми)")
_KAZAKH_NUMBER_ENDING = re.compile(
    r"(?:[нд][ыі]ң|т[ыі]ң|[ндт][ыі]|[ғг][ае]|[қк][ае]|[дтн][ае]н|[дт][ае]|[мбп]ен|[ыі]?нш[ыі](?:с[ыі])?)"
)
_GROUPS = re.compile(r"\d{1,3}(?:[ ,.]\d{3})+")


@dataclass(frozen=True, slots=True)
class NumberWord:
    """A number as one word or one run of digits. `is_weak`: it may be no number at all, such as "one" or "бір"."""

    value: Decimal
    is_spelled: bool
    is_weak: bool = False

    @property
    def is_scale(self) -> bool:
        """Whether it multiplies the number before it."""
        return self.is_spelled and self.value >= _SMALLEST_SCALE


def parse_digits(written: str, language: str | None) -> Decimal:
    """Return the value of digits with group separators and a fraction.

    >>> parse_digits("1,350", "en"), parse_digits("250,0", "ru"), parse_digits("12.5", "ru")
    (Decimal('1350'), Decimal('250'), Decimal('12.5'))
    """
    compact = written.replace(" ", "")
    is_grouped = _GROUPS.fullmatch(written) and not written.startswith("0")
    if is_grouped and not (language == "en" and written.count(".") == 1):
        return Decimal(re.sub(r"\D", "", written))
    parts = re.split(r"[.,]", compact)
    if len(parts) > 2:  # 1,234,567.5, or a number such as that of a paragraph: 3.2.1
        whole, fraction = "".join(parts[:-1]), parts[-1]
        return Decimal(whole + fraction) if len(fraction) == 3 else simplify_number(Decimal(f"{whole}.{fraction}"))
    return simplify_number(Decimal(".".join(parts)))


def simplify_number(value: Decimal) -> Decimal:
    """Return the number without zeros at the end of its fraction."""
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


def parse_roman(word: str) -> Decimal | None:
    """Return the value of a Roman numeral in capitals up to XXXIX, or None for another word."""
    found = _ROMAN_PATTERN.fullmatch(word)
    return Decimal(10 * len(found[1]) + _ROMAN_VALUES[found[2]]) if found and word else None


def read_number_word(word: str, language: str | None) -> NumberWord | None:
    """Return the number that a word in small letters names, or None.

    "он" is a number in Kazakh only. "one" and its like are weak.
    """
    words = load_cardinal_words()
    if word in words:
        return NumberWord(Decimal(str(words[word])), is_spelled=True)
    scale = load_scale_words().get(word)
    if scale:
        return NumberWord(Decimal(str(scale)), is_spelled=True)
    if word == _KAZAKH_TEN:
        return NumberWord(Decimal(10), is_spelled=True) if language == "kk" else None
    every = load_all_words()
    if word in every:
        return NumberWord(Decimal(str(every[word])), is_spelled=True, is_weak=every[word] == 1)
    return _read_ordinal(word) or _read_kazakh_number(word)


def read_compound(word: str) -> tuple[Decimal, str] | None:
    """Return the number with which a Russian adjective begins, and the rest: "семилетний" is 7 and "летний"."""
    prefixes, rests, thousands = _load_compounds()
    for length in range(len(word) - 4, 2, -1):
        value, rest = prefixes.get(word[:length]), word[length:]
        if value is not None and rest.startswith(rests):
            return value, rest
        if value is not None and rest.startswith(thousands):
            factor = 1000 if rest.startswith(thousands[0]) else 1_000_000
            return value * factor, ""
    return None


def compose_numbers(numbers: Sequence[NumberWord]) -> tuple[Decimal, int]:
    """Return the value of the first numbers that belong together, and how many they are.

    >>> compose_numbers([NumberWord(Decimal(value), is_spelled=True) for value in (2, 100, 50, 1000)])
    (Decimal('250000'), 4)
    """
    total, part, least_scale = Decimal(0), numbers[0].value, None
    if numbers[0].is_scale:
        return simplify_number(part), 1
    previous, count = numbers[0], 1
    for number in numbers[1:]:
        value = number.value
        if number.is_scale:
            if part == 0 or (least_scale is not None and value >= least_scale):
                break
            total, part, least_scale = total + part * value, Decimal(0), value
        elif number.is_spelled and value == 100 and 0 < part < 10:
            part *= 100
        elif part == 0 and least_scale is not None and value < least_scale:
            part = value
        elif number.is_spelled and previous.is_spelled and _fits_behind(part, value):
            part += value
        else:
            break
        previous, count = number, count + 1
    return simplify_number(total + part), count


def _fits_behind(part: Decimal, value: Decimal) -> bool:
    """Return whether a number word can follow: tens and units after hundreds, units after tens."""
    if part % 100 == 0:
        return 0 < value < 100
    return part % 10 == 0 and 0 < value < 10


def _read_ordinal(word: str) -> NumberWord | None:
    stems = load_ordinal_stems()
    if word in stems and word[-1] in "іы":
        return NumberWord(Decimal(str(stems[word])), is_spelled=True, is_weak=stems[word] == 1)
    for length in range(len(word) - 1, 2, -1):
        value = stems.get(word[:length])
        if value is not None and _ORDINAL_ENDING.fullmatch(word[length:]):
            return NumberWord(Decimal(str(value)), is_spelled=True, is_weak=value == 1)
    if word.startswith("сот") and _ORDINAL_ENDING.fullmatch(word[3:]):
        return NumberWord(Decimal(100), is_spelled=True)
    return None


def _read_kazakh_number(word: str) -> NumberWord | None:
    words, ordinals = load_cardinal_words(), load_ordinal_stems()
    for length in range(len(word) - 2, 1, -1):
        stem, ending = word[:length], word[length:]
        value = words.get(stem) or (ordinals.get(stem) if stem[-1] in "іы" else None)
        if value is not None and _KAZAKH_NUMBER_ENDING.fullmatch(ending):
            return NumberWord(Decimal(str(value)), is_spelled=True)
    return None


@cache
def _load_compounds() -> tuple[Mapping[str, Decimal], tuple[str, ...], tuple[str, ...]]:
    data = load_default_toml("claim_words.toml")["number_compounds"]
    pairs = (pair.split("=") for pair in data["values"].split())
    values = {word: Decimal(value) for word, value in pairs}
    return values, tuple(data["rest"].split()), tuple(data["thousands"].split())
