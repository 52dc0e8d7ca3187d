"""Which language a text is in: en, ru, kk or none of them, by its letters.

Kazakh in Cyrillic has nine letters that Russian lacks; six of them (ә ғ қ ұ һ і) are in no other language written in
Kazakhstan's neighbourhood, so a text in which they are frequent is Kazakh, also with Russian names in it. Kyrgyz,
Tajik, Uzbek, Ukrainian and Belarusian letters rule a text out instead of letting it pass for one of the three.
Why not a statistical library: docs/decisions/0003-language.md.
"""

from __future__ import annotations

import re
from collections import Counter

KAZAKH = frozenset("әғқұһі")
KAZAKH_SHARED = frozenset("ңөү")
FOREIGN_CYRILLIC = frozenset("їєґўјљњћђџѓќҳҷӣӯ")
KAZAKH_LATIN = frozenset("ǵńǧğışūüöäñ")
ENGLISH_WORDS = frozenset("the of and to in a is for on with that was as by at from has will its are".split())
LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f]+")


def detect(text: str) -> str | None:
    """`en`, `ru`, `kk`, or None when the text is in none of them or too short to tell.

    >>> detect("Министр иностранных дел принял делегацию")
    'ru'
    >>> detect("Министр Қызыл Крест өкілдерін қабылдады")
    'kk'
    """
    lower = text.lower()
    letters = Counter({letter: lower.count(letter) for letter in set(lower)})  # half the cost of Counter(lower)
    cyrillic = sum(number for letter, number in letters.items() if "\u0400" <= letter <= "\u04ff")
    latin = sum(number for letter, number in letters.items() if LATIN_WORD.match(letter))
    if cyrillic + latin < 3:
        return None
    return _cyrillic(letters, cyrillic) if cyrillic >= latin else _latin(letters, LATIN_WORD.findall(lower))


def _cyrillic(letters: Counter[str], total: int) -> str | None:
    kazakh = sum(letters[letter] for letter in KAZAKH)
    shared = sum(letters[letter] for letter in KAZAKH_SHARED)
    foreign = sum(letters[letter] for letter in FOREIGN_CYRILLIC)
    if foreign > 0.005 * total and foreign >= kazakh - letters["і"]:
        return None
    # A Russian text naming "Қазақстан" once stays Russian; running Kazakh has about one such letter in ten.
    if kazakh >= 0.03 * total:
        return "kk"
    return None if shared > 0.02 * total else "ru"


def _latin(letters: Counter[str], words: list[str]) -> str | None:
    if not KAZAKH_LATIN.isdisjoint(letters) and not ENGLISH_WORDS.intersection(words):
        return "kk" if sum(letters[letter] for letter in "qwyǵńūäı") >= 2 else None
    if len(words) < 12 or ENGLISH_WORDS.intersection(words):
        return "en"
    return None
