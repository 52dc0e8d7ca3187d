"""Tell whether two words are forms of one: "Иванова" and "Иванов", "шешімді" and "шешім", "rains" and "rain".

Only the endings are read, so a rare pair of different words with one stem counts as one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import takewhile

from crawler.defaults import load_default_toml

MIN_STEM_LENGTH = 3
MIN_TYPO_LENGTH = 5
_KAZAKH_SUFFIXES = re.compile(
    r"я?(?:[лдт][ае]р)?(?:ым|ім|ың|ің|ыңыз|іңіз|ымыз|іміз|с?[ыі]|м|ң)?"
    r"(?:[нд][ыі]ң|н[ае]|т[ыі]ң|[ндт][ыі]|н|н?[ғг][ае]|н?[қк][ае]|[ае]|н?[дт][ае]|[дтн][ае]н|[мбп]ен)?(?:ғ[ыі]|г[ыі])?"
)
_KAZAKH_VERB_SUFFIXES = re.compile(
    r"(?:[ыі]?[лн]|[ыі]?с|т[ыі]р|[ғгқк][ыі]з)?(?:[мбп][ае]й?)?(?:д[ыі]|т[ыі]|[ғгқк][ае]н|[ае]д[ыі]|йд[ыі]|[ыіае]?п|у|[ае]|й|с[аеын]?|м[ае]к|[ае]т[ыі]н|й?т[ыі]н)?"
    r"(?:м|ң|қ|к|м[ыі]н|м[ыі]з|ң[ыі]з|с[ыі]ң|л[ае]р|[ыі]н?|[ғгқк][ае]|[дт][ае]|[дтн][ае]н|[нд][ыі]ң|[ндт][ыі])?"
)
_ENGLISH_ENDINGS = re.compile(r"(?:s|es|'s|'|ed|d|ing|ly|er|ers|e|ied|ies|y)?")
_KAZAKH_LETTER = re.compile("[әғқңөұүһі]")


@lru_cache(maxsize=8192)
def is_same_name(first: str, second: str) -> bool:
    """Return whether two words can be one name in two grammatical cases: "Иванова" and "Иванов"."""
    first, second = (word.casefold().replace("ё", "е").removesuffix("'s").removesuffix("'") for word in (first, second))
    if first == second:
        return True
    stem, endings = _split_endings(first, second)
    if len(stem) < MIN_STEM_LENGTH:
        return False
    if not _is_cyrillic(stem):
        return set(endings) <= {"", "s", "es"}
    return all(not each or each in _load_russian_endings("noun") for each in endings) or _are_kazakh_forms(
        stem, endings
    )


@lru_cache(maxsize=8192)
def is_same_word(first: str, second: str) -> bool:
    """Return whether two words, in small letters, can be forms of one noun, adjective or verb."""
    if first == second or is_same_name(first, second):
        return True
    stem, endings = _split_endings(first, second)
    if len(stem) < max(MIN_STEM_LENGTH, max(map(len, (first, second))) // 2):
        return False
    if not _is_cyrillic(stem):
        return all(_ENGLISH_ENDINGS.fullmatch(each) for each in endings)
    if all(not each or each in _load_russian_endings("noun", "verb") for each in endings):
        return True
    return all(_KAZAKH_VERB_SUFFIXES.fullmatch(each) for each in endings) and _are_kazakh(first, second)


def is_typo(word: str, other: str) -> bool:
    """Return whether two words of five letters or more differ by a letter, or by two in the wrong order.

    >>> is_typo("recieved", "received"), is_typo("signed", "denied")
    (True, False)
    """
    short, long = sorted((word, other), key=len)
    if len(long) - len(short) > 1 or len(short) < MIN_TYPO_LENGTH:
        return False
    if len(long) > len(short):
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    different = [at for at, pair in enumerate(zip(word, other, strict=True)) if pair[0] != pair[1]]
    is_transposed = len(different) == 2 and different[1] == different[0] + 1 and sorted(word) == sorted(other)
    return len(different) <= 1 or is_transposed


def count_common_letters(first: str, second: str) -> int:
    """Return how many letters both words begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _split_endings(first: str, second: str) -> tuple[str, tuple[str, str]]:
    """Return what both words begin with, and the rest of each."""
    length = count_common_letters(first, second)
    return first[:length], (first[length:], second[length:])


def _are_kazakh_forms(stem: str, endings: tuple[str, str]) -> bool:
    """Return whether Kazakh suffixes explain both endings. They may begin one letter before the words differ."""
    return any(
        all(_KAZAKH_SUFFIXES.fullmatch(stem[len(stem) - back :] + each) for each in endings)
        for back in range(min(4, len(stem) - MIN_STEM_LENGTH + 1))
    )


def _are_kazakh(first: str, second: str) -> bool:
    return _KAZAKH_LETTER.search(first + second) is not None or not re.search("[щцъэ]", first + second)


def _is_cyrillic(word: str) -> bool:
    return "\u0400" <= word[:1] <= "\u04ff"


@cache
def _load_russian_endings(*names: str) -> frozenset[str]:
    lists = load_default_toml("claim_words.toml")["russian_endings"]
    return frozenset(ending for name in names for ending in lists[name].split())
