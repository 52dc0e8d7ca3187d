"""Which language a text is in: en, ru, kk or none of them, by its letters.

Kazakh in Cyrillic has nine letters that Russian lacks; six of them (ә ғ қ ұ һ і) are in no other language written in
Kazakhstan's neighbourhood, so a text in which they are frequent is Kazakh, also with Russian names in it. Kyrgyz,
Tajik, Uzbek, Ukrainian and Belarusian letters rule a text out instead of letting it pass for one of the three.
Why not a statistical library: docs/decisions/language.md.
"""

from __future__ import annotations

import re
from collections import Counter

KAZAKH = frozenset("әғқұһі")
KAZAKH_SHARED = frozenset("ңөү")
FOREIGN_CYRILLIC = frozenset("їєґўјљњћђџѓќҳҷӣӯ")
KAZAKH_LATIN = frozenset("ǵńǧğışūüöäñ")
ENGLISH_WORDS = frozenset("the of and to in a is for on with that was as by at from has will its are".split())
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f]+")


def detect(text: str) -> str | None:
    """`en`, `ru`, `kk`, or None when the text is in none of them or too short to tell.

    >>> detect("Министр иностранных дел принял делегацию")
    'ru'
    >>> detect("Министр Қызыл Крест өкілдерін қабылдады")
    'kk'
    """
    lower = text.lower()
    cyrillic = len(CYRILLIC.findall(lower))
    words = LATIN_WORD.findall(lower)
    latin = sum(map(len, words))
    if cyrillic + latin < 3:
        return None
    return _cyrillic(lower, cyrillic) if cyrillic >= latin else _latin(words)


def _cyrillic(lower: str, total: int) -> str | None:
    letters = Counter(lower)
    kazakh = sum(letters[letter] for letter in KAZAKH)
    shared = sum(letters[letter] for letter in KAZAKH_SHARED)
    foreign = sum(letters[letter] for letter in FOREIGN_CYRILLIC)
    if foreign > 0.005 * total and foreign >= kazakh - letters["і"]:
        return None
    # A Russian text naming "Қазақстан" once stays Russian; running Kazakh has about one such letter in ten.
    if kazakh >= 0.03 * total:
        return "kk"
    return None if shared > 0.02 * total else "ru"


def _latin(words: list[str]) -> str | None:
    if any(letter in KAZAKH_LATIN for word in words for letter in word) and not ENGLISH_WORDS.intersection(words):
        return "kk" if sum(letter in "qwyǵńūäı" for word in words for letter in word) >= 2 else None
    if len(words) < 12 or ENGLISH_WORDS.intersection(words):
        return "en"
    return None
