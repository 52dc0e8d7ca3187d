"""Detect the language of a text: English, Russian, Kazakh, or none of them.

Letters distinguish Cyrillic texts. Every Cyrillic alphabet of the region is Russian's with some more letters:

* A text in which few words have such a letter is Russian. One that names «Қазақстан» stays Russian.
* Otherwise the smallest alphabet that spells the text wins: ң, ө and ү alone are Kyrgyz, with ұ, ә or қ they are
  Kazakh; қ and ғ beside ы are not Uzbek.

A Latin text is English when enough of its words are "the", "of" and the like. For any other text the language is None,
because a wrong language is worse than none. Bulgarian passes for Russian, and so does a short sentence of another
language without a letter of its own. Letters and words are in `defaults/languages.toml`. Why not a statistical library:
docs/decisions/language.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml

MIN_LETTERS = 3
"""A text of fewer letters has no language."""
MIN_MARKED_WORD_SHARE = 0.15
"""Share of words with a letter that Russian lacks, from which a text is not Russian. Kazakh has about 0.7."""
MIN_ENGLISH_WORD_SHARE = 0.05
"""Share of small English words from which a Latin text is English. A newspaper has about 0.2."""
MIN_OWN_LETTER_SHARE = 0.9
"""Share of the letters beyond Russian's that must be in a language's alphabet."""
MAX_LACKING_LETTER_SHARE = 0.01
"""Share of letters that a language lacks; quoted Russian names may have some."""
MIN_Q_SHARE = 0.01
"""Share of the letter q in Kazakh written in Latin letters."""
WORD_PATTERN = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class _CyrillicAlphabet:
    language: str
    own: str
    lacking: str


@dataclass(frozen=True, slots=True)
class _LanguageLexicon:
    english_words: frozenset[str]
    russian_letters: frozenset[str]
    kazakh_latin_letters: frozenset[str]
    other_latin_letters: frozenset[str]
    alphabets: tuple[_CyrillicAlphabet, ...]


@cache
def _load_lexicon() -> _LanguageLexicon:
    data = load_default_toml("languages.toml")
    return _LanguageLexicon(
        english_words=frozenset(data["english_words"]),
        russian_letters=frozenset(data["russian_letters"]),
        kazakh_latin_letters=frozenset(data["kazakh_latin_letters"]),
        other_latin_letters=frozenset(data["other_latin_letters"]),
        alphabets=tuple(_CyrillicAlphabet(**alphabet) for alphabet in data["cyrillic"]),
    )


def detect_language(text: str) -> str | None:
    """Return `en`, `ru` or `kk`, or None when the text is in none of them or too short.

    >>> detect_language("Министр иностранных дел принял делегацию")
    'ru'
    >>> detect_language("Министр Қызыл Крест өкілдерін қабылдады")
    'kk'
    """
    words = WORD_PATTERN.findall(text.lower())
    cyrillic = [word for word in words if "\u0400" <= word[0] <= "\u04ff"]
    latin = [word for word in words if word[0] < "\u0250"]
    cyrillic_letters, latin_letters = sum(map(len, cyrillic)), sum(map(len, latin))
    if cyrillic_letters + latin_letters < MIN_LETTERS:
        return None
    return _detect_cyrillic(cyrillic) if cyrillic_letters >= latin_letters else _detect_latin(latin)


def _detect_cyrillic(words: list[str]) -> str | None:
    lexicon = _load_lexicon()
    marked = [word for word in words if not lexicon.russian_letters.issuperset(word)]
    if len(marked) < MIN_MARKED_WORD_SHARE * len(words):
        return "ru"
    letters = "".join(words)
    beyond_russian = len(letters) - sum(map(letters.count, lexicon.russian_letters))
    for alphabet in lexicon.alphabets:
        has_own_letters = sum(map(letters.count, alphabet.own)) >= MIN_OWN_LETTER_SHARE * beyond_russian
        lacking = sum(map(letters.count, alphabet.lacking))
        if has_own_letters and lacking <= MAX_LACKING_LETTER_SHARE * len(letters):
            return "kk" if alphabet.language == "kk" else None
    return None


def _detect_latin(words: list[str]) -> str | None:
    lexicon = _load_lexicon()
    if sum(word in lexicon.english_words for word in words) >= MIN_ENGLISH_WORD_SHARE * len(words):
        return "en"
    letters = "".join(words)
    is_kazakh = letters.count("q") >= MIN_Q_SHARE * len(letters) and not lexicon.kazakh_latin_letters.isdisjoint(
        letters
    )
    return "kk" if is_kazakh and lexicon.other_latin_letters.isdisjoint(letters) else None
