"""Find countries, towns and provinces in a text, whatever language and ending they have.

CLDR names countries and some 400 cities in English, Russian and Kazakh; `defaults/gazetteer.toml` adds the rest. A
place is a code of its country ("PT") or that code with a local name ("PT/lisbon").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from ahocorasick_rs import BytesAhoCorasick

from crawler.defaults import load_default_toml
from crawler.text.folding import decode_folded, encode_folded, split_folded_lines, split_folded_words

LANGUAGES = ("en", "ru", "kk")
HOME_COUNTRY = "KZ"
COMMON_PLACE_WEIGHT, COUNTRY_WEIGHT, LOCAL_WEIGHT = 0.3, 0.75, 2.0
"""Weights of a place that two texts share."""
MIN_NAME_LETTERS = 2
MAX_ABBREVIATION_LETTERS = 4
MIN_STEM_LETTERS = 3
_KAZAKH_CASE = (
    r"(?:[дт][ае]г[ыи]|[ндт][ыи]н|[гк][ае]|[дт][ае]|[ндт][ае]н|[ндт][ыи]|[мбп]ен|[лдт][ыи]к|с[ыи])"
    r"(?:[дт][ае]г[ыи]|н?[ыи]н|н[ае]|нда|нде)?"
)
_ENDING = re.compile(
    rf"(?:[аеиоуыэюяйь]{{0,3}}(?:[мхв]|ми)?|[аеиыя]?{_KAZAKH_CASE}|(?:ои|ии|ая|ого|ому|ую|ые|ых|ыми)|s)$"
)
_PLACE_ADJECTIVE = re.compile("(?:[а-я]{1,3})$")
_FIRST_LETTERS = re.compile(r"[^\W\d_]+")
"""A word as `features` cuts it: a digit ends it."""
_folded: dict[str, str] = {}
"""Words as written, and folded."""
MAX_FOLDED_WORDS = 50_000
_AMBIGUOUS = frozenset({"TG", "ML", "TD", "GU", "NU", "RE", "IM", "UM", "EU", "UN", "EZ", "XA", "XB", "QO"})
"""Codes of CLDR that are no countries, and countries whose names are common words in one of the languages."""


@dataclass(frozen=True, slots=True)
class PlacePhrase:
    """The beginnings of the words of a place's name, folded. `is_adjective`: small letters do as well."""

    place: str
    starts: tuple[str, ...]
    is_adjective: bool


def find_places(words: Sequence[str]) -> tuple[frozenset[str], frozenset[int]]:
    """Return the places that the words of a sentence name, and the positions of their words.

    Words are written as in the text, because a capital letter tells Chad from a fume. A longer word in capitals is a
    dateline or a headline: the former says where the reporter is, so neither counts.
    """
    places: set[str] = set()
    positions: set[int] = set()
    begun = [at for at, word in enumerate(words) if word[0].isupper() or _may_begin_adjective(word[:2])]
    _fold_together([words[at] for at in begun])
    for at in begun:
        for phrase in _list_candidates(words[at]) if at not in positions else ():
            end = at + len(phrase.starts)
            rest = words[at + 1 : end]
            if len(rest) < end - at - 1 or not all(map(_fits, phrase.starts[1:], map(_fold, rest))):
                continue
            if end < len(words) and _is_no_place_before(words[end]):
                continue
            places.add(phrase.place)
            positions.update(range(at, end))
            break
    return frozenset(places), frozenset(positions)


def list_sentences_with_places(data: bytes) -> set[int]:
    """Return the numbers of the sentences, in `SegmentedText.data`, that may name a place. The others name none.

    One pass over a text takes a tenth of the time of `find_places` for its sentences, most of which name no place.
    """
    hits = _load_first_starts()[1].find_matches_as_indexes(data, overlapping=True)
    return {
        data.count(b"\n", 0, begin)
        for number, begin, end in hits
        if _fits_start(number, data[end : data.index(b" ", end)])
    }


def get_place_weight(place: str) -> float:
    """Return how much a place says when two texts share it."""
    if place in _load_common_places():
        return COMMON_PLACE_WEIGHT
    return LOCAL_WEIGHT if "/" in place else COUNTRY_WEIGHT


def select_foreign_countries(places: Iterable[str]) -> frozenset[str]:
    """Return the countries of the places, without Kazakhstan."""
    return frozenset(country for place in places if (country := place.partition("/")[0]) != HOME_COUNTRY)


def select_local_places(places: Iterable[str]) -> frozenset[str]:
    """Return the towns and provinces that may distinguish two events in one country.

    Cities from which many articles are do not, nor do capitals, because they often mean a government.
    """
    return _load_distinguishing_places().intersection(places)


@lru_cache(maxsize=10_000)
def _may_begin_adjective(beginning: str) -> bool:
    """Return whether a place that small letters name as well has these first two letters."""
    return any(phrase.is_adjective for phrase in _load_phrases().get(_fold(beginning), ()))


@lru_cache(maxsize=50_000)
def _list_candidates(word: str) -> tuple[PlacePhrase, ...]:
    """Return the phrases whose first word fits, those of most words and letters first."""
    folded = _fold(word)
    if len(folded) < MIN_NAME_LETTERS or (len(word) > MAX_ABBREVIATION_LETTERS and word.isupper()):
        return ()
    return tuple(
        phrase
        for phrase in _load_phrases().get(folded[:2], ())
        if (phrase.is_adjective or word[0].isupper()) and _fits(phrase.starts[0], folded)
    )


@lru_cache(maxsize=50_000)
def _fits_start(number: int, rest: bytes) -> bool:
    """Return whether a word is a place's, with these folded bytes behind that beginning."""
    start = _load_first_starts()[0][number]
    word = _FIRST_LETTERS.match(start + decode_folded(rest))
    return word is not None and _fits(start, word[0])


def _fold_together(words: Iterable[str]) -> None:
    """Fold words that are new. Together they take a tenth of the time."""
    if len(_folded) > MAX_FOLDED_WORDS:
        _folded.clear()
    new = list({word for word in words if word not in _folded})
    if new:
        _folded.update(zip(new, map("".join, split_folded_lines(new)), strict=True))


def _fold(word: str) -> str:
    folded = _folded.get(word)  # another thread may have cleared it
    if folded is None:
        folded = _folded[word] = "".join(split_folded_words(word))
    return folded


def _fits(start: str, word: str) -> bool:
    if not word.startswith(start):
        return False
    rest = word[len(start) :]
    return (
        not rest
        or (start.endswith("ск") and _PLACE_ADJECTIVE.match(rest) is not None)
        or (len(start) >= MIN_STEM_LETTERS and _ENDING.match(rest) is not None)
    )


def _is_no_place_before(word: str) -> bool:
    return _fold(word).startswith(_load_following())


@cache
def _load_following() -> tuple[str, ...]:
    return tuple(load_default_toml("gazetteer.toml")["not_a_place"]["following"].split())


@cache
def _load_phrases() -> Mapping[str, tuple[PlacePhrase, ...]]:
    """Return all phrases by their first two letters."""
    phrases: dict[str, list[PlacePhrase]] = {}
    for place, name in (*_iter_listed_names(), *_iter_cldr_names()):
        parts = tuple(_fold(part) for part in re.split(r"[+\s-]+", name) if _fold(part))
        if parts and len(parts[0]) >= MIN_NAME_LETTERS:
            phrase = PlacePhrase(place, parts, name[0].islower())
            phrases.setdefault(parts[0][:2], []).append(phrase)
    return {
        letters: tuple(sorted(found, key=lambda phrase: (-len(phrase.starts), -len(phrase.starts[0]), phrase.place)))
        for letters, found in phrases.items()
    }


@cache
def _load_first_starts() -> tuple[Sequence[str], BytesAhoCorasick]:
    """Return how the first words of all phrases begin, and what finds such words in folded text."""
    starts = sorted({phrase.starts[0] for phrases in _load_phrases().values() for phrase in phrases})
    return starts, BytesAhoCorasick([encode_folded(f" {start}") for start in starts])


def _iter_listed_names() -> Iterator[tuple[str, str]]:
    file = load_default_toml("gazetteer.toml")
    for code, names in file["countries"].items():
        yield from ((code, name) for name in names.split())
    for code, entries in file["local"].items():
        for entry in entries:
            yield from ((f"{code}/{_fold(entry.split()[0])}", name) for name in entry.split())


def _iter_cldr_names() -> Iterator[tuple[str, str]]:
    """Yield countries and cities, without the final vowel that other cases replace."""
    from babel import Locale  # Most commands name no place.
    from babel.core import get_global

    listed = {name: place for place, name in _iter_listed_names() if "/" in place}
    locales = [Locale(language) for language in LANGUAGES]
    for locale in locales:
        for code, name in locale.territories.items():
            if len(code) == len("KZ") and code.isalpha() and code not in _AMBIGUOUS:
                yield code, _remove_ending(re.sub(r"\s*\(.*", "", name))
    for zone, code in get_global("zone_territories").items():
        english = zone.rpartition("/")[2].replace("_", " ")
        names = {english} | {name for locale in locales if (name := locale.time_zones.get(zone, {}).get("city"))}
        if zone.count("/") != 1 or code in ("001", "AQ") or zone.startswith("Etc/"):
            continue
        known = next((listed[start] for name in names for start in listed if name.startswith(start)), None)
        yield from ((known or f"{code}/{_fold(english)}", _remove_ending(name)) for name in names)


def _remove_ending(name: str) -> str:
    parts = [
        part[:-1] if len(part) > MIN_STEM_LETTERS and part[-1] in "аяыейьи" else part
        for part in re.split(r"[\s-]+", name)
    ]
    return " ".join(parts)


@cache
def _load_distinguishing_places() -> frozenset[str]:
    """Return the local places of the gazetteer. The cities of CLDR are mostly capitals."""
    return frozenset(place for place, _ in _iter_listed_names() if "/" in place) - _load_common_places()


@cache
def _load_common_places() -> frozenset[str]:
    common = load_default_toml("gazetteer.toml")["common"]
    local = {
        place for word in common["local"].split() for place in find_places([word])[0] or find_places(word.split("-"))[0]
    }
    return frozenset(common["countries"].split()) | local
