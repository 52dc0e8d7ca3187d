"""Detect the language of a text: English, Russian, Kazakh, Kyrgyz, Uzbek, Tajik, or none of them.

Letters distinguish Cyrillic texts. Every Cyrillic alphabet of the region is Russian's with some more letters:

* A text in which few words have such a letter is Russian, unless its words and endings are Kyrgyz, Uzbek or Tajik
  (`text.region_languages`). One that names «Қазақстан» stays Russian.
* Otherwise the smallest alphabet that spells the text wins: ң, ө and ү alone are Kyrgyz, with ұ, ә or қ they are
  Kazakh; қ and ғ beside ы are not Uzbek.

A Latin text is English when enough of its words are "the", "of" and the like, Uzbek by its words and endings. For any
other text the language is None, because a wrong language is worse than none. Bulgarian passes for Russian. Letters and
words are in `defaults/languages.toml`. Why not a statistical library: docs/decisions/language.md.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from crawler.defaults import load_default_toml
from crawler.text.letters import COMMON_LETTERS
from crawler.text.region_languages import MAX_WORDS, measure_common_words, measure_languages

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
REGION_LANGUAGES = ("ky", "uz", "tg")
TEXT_LANGUAGES = ("en", "ru", "kk", *REGION_LANGUAGES)
"""The languages that are detected."""
MIN_REGION_SHARE = 0.2
"""Share of words that show a language of the region, from which a text without its letters is in it."""
MIN_REGION_WORDS = 1.0
"""Common words for that, or two words with its endings: «команда» has an ending of Kyrgyz."""
CLEAR_SHARE = 0.08
"""Share of common words from which a Russian or Kazakh text needs no comparison with its neighbours."""
MIN_CONFIRMING_SHARE = 0.1
"""The same for a text that has its letters."""
APOSTROPHES = "ʻ‘’ʼ`´"
WORD_PATTERN = re.compile(rf"[{COMMON_LETTERS}]++(?!'|[^\W\d_])|[^\W\d_]++(?:'[^\W\d_]++)*+")


@dataclass(frozen=True, slots=True)
class _CyrillicAlphabet:
    language: str
    own: str
    lacking: str
    unique: str = ""


@dataclass(frozen=True, slots=True)
class _LanguageLexicon:
    english_words: frozenset[str]
    beyond_russian: re.Pattern[str]
    marked_word: re.Pattern[str]
    """The rest of a word from a letter that Russian lacks."""
    kazakh_latin_letters: frozenset[str]
    other_latin_letters: frozenset[str]
    alphabets: tuple[_CyrillicAlphabet, ...]


@cache
def _load_lexicon() -> _LanguageLexicon:
    data = load_default_toml("languages.toml")
    return _LanguageLexicon(
        english_words=frozenset(data["english_words"]),
        beyond_russian=re.compile(f"[^{data['russian_letters']}]"),
        marked_word=re.compile(f"[^ {data['russian_letters']}][^ ]*+"),
        kazakh_latin_letters=frozenset(data["kazakh_latin_letters"]),
        other_latin_letters=frozenset(data["other_latin_letters"]),
        alphabets=tuple(_CyrillicAlphabet(**alphabet) for alphabet in data["cyrillic"]),
    )


def detect_language(text: str) -> str | None:
    """Return `en`, `ru`, `kk`, `ky`, `uz` or `tg`, or None when the text is in none of them or too short.

    >>> detect_language("Министр иностранных дел принял делегацию")
    'ru'
    >>> detect_language("Министр Қызыл Крест өкілдерін қабылдады")
    'kk'
    """
    lower = text.lower()
    for mark in APOSTROPHES:
        lower = lower.replace(mark, "'")
    words = WORD_PATTERN.findall(lower)
    cyrillic = [word for word in words if "\u0400" <= word < "\u0500"]
    if "'" in lower:
        cyrillic = [word.replace("'", "") for word in cyrillic]
    latin = [word for word in words if word < "\u0250"]
    cyrillic_letters, latin_letters = sum(map(len, cyrillic)), sum(map(len, latin))
    if cyrillic_letters + latin_letters < MIN_LETTERS:
        return None
    return _detect_cyrillic(cyrillic) if cyrillic_letters >= latin_letters else _detect_latin(latin)


def _detect_cyrillic(words: list[str]) -> str | None:
    # One search in all words is much cheaper than one in each word.
    marked = _load_lexicon().marked_word.findall(" ".join(words))
    is_marked = len(marked) >= MIN_MARKED_WORD_SHARE * len(words)
    found = _list_alphabets(words, marked) if is_marked else []
    clear = "ru" if not is_marked else "kk" if found and found[0].language == "kk" else None
    if clear and measure_common_words(words, clear) >= CLEAR_SHARE:
        return clear
    shares = measure_languages(words, "cyrillic")
    likely = max(shares, key=lambda language: shares[language])
    is_sure = shares[likely] >= max(MIN_REGION_SHARE, MIN_REGION_WORDS / min(len(words), MAX_WORDS))
    if clear:
        # A text with a letter that Kyrgyz lacks is not Kyrgyz, whatever its endings are.
        can_be_spelled = not is_marked or likely in {alphabet.language for alphabet in found}
        return likely if is_sure and likely in REGION_LANGUAGES and can_be_spelled else clear
    if not found or found[0].language not in REGION_LANGUAGES:
        return None
    best = max(found, key=lambda alphabet: shares.get(alphabet.language, 0.0))
    share = shares.get(best.language, 0.0)
    is_confirmed = share >= MIN_CONFIRMING_SHARE and share >= shares["mn"]
    if not is_confirmed:
        best = found[0]
        is_confirmed = any(letter in word for word in words for letter in best.unique)
    return best.language if is_confirmed and best.language in TEXT_LANGUAGES else None


def _list_alphabets(words: list[str], marked: list[str]) -> list[_CyrillicAlphabet]:
    """Return the alphabets that have the letters of a text, the smallest first. `marked`: the ends of marked words."""
    letters = "".join(words)
    counts = Counter(_load_lexicon().beyond_russian.findall("".join(marked)))
    return [
        alphabet
        for alphabet in _load_lexicon().alphabets
        if sum(counts[letter] for letter in alphabet.own) >= MIN_OWN_LETTER_SHARE * counts.total()
        and sum(map(letters.count, alphabet.lacking)) <= MAX_LACKING_LETTER_SHARE * len(letters)
    ]


def _detect_latin(words: list[str]) -> str | None:
    lexicon = _load_lexicon()
    if sum(map(lexicon.english_words.__contains__, words)) >= MIN_ENGLISH_WORD_SHARE * len(words):
        return "en"
    shares = measure_languages(words, "latin")
    if (
        shares["uz"] >= max(MIN_REGION_SHARE, MIN_REGION_WORDS / min(len(words), MAX_WORDS))
        and shares["uz"] > shares["en"]
    ):
        return "uz"
    letters = "".join(words)
    is_kazakh = letters.count("q") >= MIN_Q_SHARE * len(letters) and not lexicon.kazakh_latin_letters.isdisjoint(
        letters
    )
    return "kk" if is_kazakh and lexicon.other_latin_letters.isdisjoint(letters) else None
