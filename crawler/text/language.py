"""Which language a text is in: en, ru, kk or none of them, by its letters and, for English, its smallest words.

Every Cyrillic alphabet of the neighbourhood is Russian's with some letters more. A text in which hardly a word has
such a letter is Russian (one naming «Қазақстан» stays Russian); otherwise it is in the language with the smallest
alphabet that spells it: ң, ө and ү alone are Kyrgyz, with ұ, ә or қ they are Kazakh; қ and ғ beside ы are not Uzbek.
A Latin text is English when words such as "the" and "of" run through it. What is left is None: better unknown than
wrong. Bulgarian, and a short sentence of another language without a letter of its own, pass for Russian.
Why not a statistical library: docs/decisions/language.md.
"""

from __future__ import annotations

import re
from collections import Counter

RUSSIAN_ALPHABET = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
CYRILLIC_ALPHABETS = (
    ("be", "іў", "ищъ"),
    ("ky", "ңөү", ""),
    ("uk", "ґєії", "ыэъё"),
    ("uz", "ўқғҳ", "ыщ"),
    ("tg", "ғӣқӯҳҷ", "ыщц"),
    ("tt", "әөүҗңһ", ""),
    ("sr, mk", "јљњћђџѓќѕ", "ыэъёщьюяй"),
    ("kk", "әғқңөұүһі", ""),
)
"""Letters a language has beyond Russian's, and letters of Russian's that it lacks; the smallest alphabet first."""
MIN_MARKED_WORD_SHARE = 0.15
"""Share of words with such a letter from which a text is not Russian; running Kazakh has about seven in ten."""
ENGLISH_WORDS = frozenset("the of and to that with by from has its are".split())
"""Words of English that its neighbours do not share (as they do "in", "on", "is", "was", "for", "a")."""
MIN_ENGLISH_WORD_SHARE = 0.05
"""Share of these words from which a Latin text is English; a newspaper has about two in ten."""
KAZAKH_LATIN_LETTERS = frozenset("äñūǵńğı")
OTHER_LATIN_LETTERS = frozenset("əçňßéèàêíìøåłžš")
WORD_PATTERN = re.compile(r"[^\W\d_]+")


def detect_language(text: str) -> str | None:
    """`en`, `ru`, `kk`, or None when the text is in none of them or too short to tell.

    >>> detect("Министр иностранных дел принял делегацию")
    'ru'
    >>> detect("Министр Қызыл Крест өкілдерін қабылдады")
    'kk'
    """
    words = WORD_PATTERN.findall(text.lower())
    cyrillic = [word for word in words if "\u0400" <= word[0] <= "\u04ff"]
    latin = [word for word in words if word[0] < "\u0250"]
    lengths = sum(map(len, cyrillic)), sum(map(len, latin))
    if sum(lengths) < 3:
        return None
    return _detect_cyrillic(cyrillic) if lengths[0] >= lengths[1] else _detect_latin(latin)


def _detect_cyrillic(words: list[str]) -> str | None:
    marked = [word for word in words if not RUSSIAN_ALPHABET.issuperset(word)]
    if len(marked) < MIN_MARKED_WORD_SHARE * len(words):
        return "ru"
    letters = Counter(letter for word in words for letter in word)
    beyond = sum(count for letter, count in letters.items() if letter not in RUSSIAN_ALPHABET)
    for name, own, lacking in CYRILLIC_ALPHABETS:
        spelled = sum(letters[letter] for letter in own) >= 0.9 * beyond
        if spelled and sum(letters[letter] for letter in lacking) <= 0.01 * letters.total():
            return "kk" if name == "kk" else None
    return None


def _detect_latin(words: list[str]) -> str | None:
    if sum(word in ENGLISH_WORDS for word in words) >= MIN_ENGLISH_WORD_SHARE * len(words):
        return "en"
    letters = Counter(letter for word in words for letter in word)
    kazakh = letters["q"] >= 0.01 * letters.total() and not letters.keys().isdisjoint(KAZAKH_LATIN_LETTERS)
    return "kk" if kazakh and letters.keys().isdisjoint(OTHER_LATIN_LETTERS) else None
