"""Extract what a text says of its event, without any other text: names, numbers, days, concepts and stems."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

from crawler.defaults import load_default_toml
from crawler.similarity.concepts import find_concepts
from crawler.similarity.counted import find_counts
from crawler.similarity.places import (
    find_places,
    list_sentences_with_places,
    select_foreign_countries,
    select_local_places,
)
from crawler.similarity.shingles import FoldedSentence, SegmentedText
from crawler.text.capitals import measure_capital_share
from crawler.text.language import detect_language
from crawler.text.letters import COMMON_LETTERS
from crawler.text.numbers import find_days, find_number_words, find_numbers_in_sentences, find_numeric_days
from crawler.text.transliteration import KAZAKH_LETTER, make_skeletons

_WORD_PATTERN = re.compile(rf"(?<![\w@])(?:[{COMMON_LETTERS}]++(?![\w'’ʼ])|[^\W\d_]++(?:['’ʼ][^\W\d_]++)?)")
_ADDRESS_PATTERN = re.compile(
    r"(?:https?://|www\.|@)\S+|(?<![\w-])(?<!\w\.)[\w-]+(?:\.[\w-]+)*\.(?:kz|ru|com|org|net|info|tv|uz|kg)\b\S*", re.I
)
_YEAR_PATTERN = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_INNER_END = re.compile(r"[.!?:]\s*[^\W\d_]")
"""Is in every sentence in which a word is behind a mark that `_is_after_end` knows."""
MAX_LEAD_WORDS = 40
STEM_LETTERS = 5
"""Letters by which the words of one language are compared, without their endings."""
MIN_NAME_LETTERS = 3
MIN_PREFIX_LETTERS = 3
"""Letters of a form from which it may be the beginning of another one."""
MIN_HEADLINE_WORD_LETTERS = 4
MIN_FIGURE = 10
"""Smaller numbers are in too many texts to be a figure of one event."""
MAX_UPPERCASE_SHARE = 0.6
"""In a line with a larger share of words in capitals, capitals mark no names."""
MAX_CAPITALIZED_SHARE = 0.8
"""The same for words that only begin with a capital, in Latin letters: English headlines have them."""
LATIN_END = "\u0250"
"""The first character behind the Latin letters."""

COMMON_NAME_WEIGHT = 0.3
"""Weight of a place, office or leader that two texts share."""
UNSHARED_PLACE_WEIGHT = 1.5
"""Weight of a place or leader that only one of two leads has."""
WEIGHTS_BY_LENGTH = {3: 1.5, 4: 2.0, 5: 2.5}
LONG_NAME_WEIGHT = 3.0
MAX_REMEMBERED_NAMES = 20_000
_NO_PLACES: tuple[frozenset[str], frozenset[int]] = (frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class EventName:
    """A name in its forms. `is_certain`: its capital letter cannot come from a sentence's start or a headline."""

    forms: frozenset[str]
    is_certain: bool

    @property
    def shared_weight(self) -> float:
        """How much the name says when two texts have it: 0 for media, up to 3 for a long rare one."""
        return weigh_shared_forms(self.forms)

    @property
    def unshared_weight(self) -> float:
        """How much the name says when only one of two leads has it: 0 for offices and media."""
        return _weigh_unshared(self.forms)


# A name is weighed again with each text that its own is compared with.
@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def weigh_shared_forms(forms: frozenset[str]) -> float:
    """Return how much the name with these forms says when two texts have it."""
    common = _load_common_names()
    if forms & common["media"]:
        return 0.0
    is_common = any(forms & common[group] for group in ("offices", "places", "leaders"))
    return COMMON_NAME_WEIGHT if is_common else _weigh_by_length(forms)


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def _weigh_unshared(forms: frozenset[str]) -> float:
    common = _load_common_names()
    if forms & (common["media"] | common["offices"]):
        return 0.0
    is_place = forms & (common["places"] | common["leaders"])
    return UNSHARED_PLACE_WEIGHT if is_place else _weigh_by_length(forms)


def _weigh_by_length(forms: frozenset[str]) -> float:
    length = max(len(form.lstrip("~")) for form in forms)
    return WEIGHTS_BY_LENGTH.get(length, LONG_NAME_WEIGHT)


@cache
def _load_common_names() -> Mapping[str, frozenset[str]]:
    """Return the forms of the names that say little (`defaults/common_names.toml`), by group."""
    groups = load_default_toml("common_names.toml")
    return {
        group: frozenset(form for word in names.replace("-", " ").split() for form in make_skeletons(word))
        for group, names in groups.items()
    }


class EventFeatures:
    """What a text says of its event. Each feature is computed at its first use."""

    def __init__(self, text: SegmentedText, whole: EventFeatures | None = None) -> None:
        """`whole` has the features of a text with the same sentences and more, so that each is searched only once."""
        self.text = text
        self._whole = whole

    @cached_property
    def _sentence_positions(self) -> dict[FoldedSentence, int]:
        return {sentence: at for at, sentence in enumerate(self.text.sentences)}

    def _select_from_whole(self, name: str) -> list[Any] | None:
        """Return a feature of each sentence as the whole has it, or None if the whole lacks a sentence."""
        if self._whole is None:
            return None
        positions = list(map(self._whole._sentence_positions.get, self.text.sentences))
        if None in positions:
            return None
        values = getattr(self._whole, name)
        return [values[at] for at in positions]

    @cached_property
    def _plain_sentences(self) -> list[str]:
        """The sentences without web and mail addresses."""
        if (known := self._select_from_whole("_plain_sentences")) is not None:
            return known
        return [_remove_addresses(sentence.text) for sentence in self.text.sentences]

    @cached_property
    def _words(self) -> list[list[str]]:
        """The words of each sentence, as written."""
        if (known := self._select_from_whole("_words")) is not None:
            return known
        return [_WORD_PATTERN.findall(sentence) for sentence in self._plain_sentences]

    @cached_property
    def _places(self) -> list[tuple[frozenset[str], frozenset[int]]]:
        """The places of each sentence, and the positions of their words."""
        if (known := self._select_from_whole("_places")) is not None:
            return known
        chosen = list_sentences_with_places(self.text.data)
        return [find_places(words) if at in chosen else _NO_PLACES for at, words in enumerate(self._words)]

    @cached_property
    def places(self) -> frozenset[str]:
        """Countries ("PT"), and towns and provinces ("PT/lisbon"), independent of the language."""
        return frozenset(place for places, _ in self._places for place in places)

    @cached_property
    def foreign_countries(self) -> frozenset[str]:
        """The countries of the places, without Kazakhstan."""
        return select_foreign_countries(self.places)

    @cached_property
    def local_places(self) -> frozenset[str]:
        """The towns and provinces that may distinguish two events in one country."""
        return select_local_places(self.places)

    @cached_property
    def names(self) -> dict[str, EventName]:
        """The names by their first form, without those of `places`."""
        kazakh_sentences = sum(bool(KAZAKH_LETTER.search(sentence.text)) for sentence in self.text.sentences)
        is_kazakh = kazakh_sentences * 2 > len(self.text.sentences)
        marked = (word for capitalized in self._capitalized for word in capitalized)
        return _collect_names(marked, is_kazakh=is_kazakh)

    @cached_property
    def _capitalized(self) -> list[list[tuple[str, bool]]]:
        """The capitalised words of each sentence without places, and whether the capital says that they are names."""
        if (known := self._select_from_whole("_capitalized")) is not None:
            return known
        marked = zip(self._plain_sentences, self._words, self._places, strict=True)
        return [_list_capitalized(sentence, words, positions) for sentence, words, (_, positions) in marked]

    @cached_property
    def names_by_form(self) -> dict[str, list[EventName]]:
        """The names by each of their forms."""
        names: dict[str, list[EventName]] = {}
        for name in self.names.values():
            for form in name.forms:
                names.setdefault(form, []).append(name)
        return names

    @cached_property
    def forms(self) -> frozenset[str]:
        """Every form of every name."""
        return frozenset(self.names_by_form)

    @cached_property
    def certain_names(self) -> tuple[EventName, ...]:
        """The names of which a capital letter is sure to be a name's."""
        return tuple(name for name in self.names.values() if name.is_certain)

    @cached_property
    def certain_forms(self) -> frozenset[str]:
        """Every form of every certain name."""
        return frozenset(form for name in self.certain_names for form in name.forms)

    @cached_property
    def form_beginnings(self) -> frozenset[str]:
        """The forms and their beginnings from MIN_PREFIX_LETTERS letters on."""
        return frozenset(form[:end] for form in self.forms for end in range(MIN_PREFIX_LETTERS, len(form) + 1))

    @cached_property
    def numbers(self) -> frozenset[float]:
        """The values of the numbers, without years and dates."""
        in_digits = find_numbers_in_sentences(self._plain_sentences)
        return frozenset((*in_digits, *find_number_words("\n".join(self._plain_sentences))))

    @cached_property
    def figures(self) -> frozenset[float]:
        """The numbers that are large enough to be a figure."""
        return frozenset(number for number in self.numbers if number >= MIN_FIGURE)

    @cached_property
    def counts(self) -> dict[str, frozenset[float]]:
        """The numbers of each kind of thing that the text counts."""
        return find_counts(self._plain_sentences)

    @cached_property
    def plain_text(self) -> str:
        """All sentences in one line."""
        return " ".join(sentence.text for sentence in self.text.sentences)

    @cached_property
    def days(self) -> frozenset[tuple[int, int]]:
        """The dates with a month's name or with a year, as (month, day)."""
        return frozenset(find_days(self.plain_text)) | frozenset(find_numeric_days(self.plain_text))

    @cached_property
    def years(self) -> frozenset[str]:
        """The years that the text names."""
        return frozenset(_YEAR_PATTERN.findall(self.plain_text))

    @cached_property
    def concepts(self) -> frozenset[str]:
        """What the text is about, independent of its language."""
        return find_concepts(self.text.data)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The beginnings of the longer words."""
        return frozenset(word[:STEM_LETTERS] for word in self.text.words if len(word) >= STEM_LETTERS)

    @cached_property
    def language(self) -> str | None:
        """The language by the letters: en, ru, kk, another code or None."""
        return detect_language(self.plain_text)

    def is_translation_of(self, other: EventFeatures) -> bool:
        """Return whether the texts are in two languages, or in two scripts if one is too short to tell."""
        if self._is_latin is not other._is_latin:
            return True
        return None not in (self.language, other.language) and self.language != other.language

    @cached_property
    def _is_latin(self) -> bool:
        latin = sum(word[0] < LATIN_END for word in self.text.words)
        return latin * 2 > len(self.text.words)

    @cached_property
    def lead(self) -> EventFeatures:
        """The features of the first sentences, which say what happened and who did it."""
        count = 0
        sentences: list[FoldedSentence] = []
        for sentence in self.text.sentences:
            if sentences and count + len(sentence.words) > MAX_LEAD_WORDS:
                break
            sentences.append(sentence)
            count += len(sentence.words)
        return EventFeatures(SegmentedText(sentences), self)


def _remove_addresses(sentence: str) -> str:
    # The pattern takes 20 µs a sentence. An address has an @, a :// or a dot that is not the sentence's last character.
    can_have_address = "." in sentence[:-1] or "@" in sentence or "://" in sentence
    return _ADDRESS_PATTERN.sub(" ", sentence) if can_have_address else sentence


def _collect_names(capitalized: Iterable[tuple[str, bool]], *, is_kazakh: bool) -> dict[str, EventName]:
    """Return the names by their first form. One certain occurrence makes a name certain."""
    names: dict[str, EventName] = {}
    for word, is_certain in capitalized:
        key, forms = _make_forms(word, is_kazakh)
        if not forms:
            continue
        known = names.get(key)
        if known is None:
            names[key] = EventName(forms, is_certain)
        elif not (forms <= known.forms and known.is_certain >= is_certain):
            names[key] = EventName(forms | known.forms, is_certain or known.is_certain)
    return names


@lru_cache(maxsize=MAX_REMEMBERED_NAMES)
def _make_forms(word: str, is_kazakh: bool) -> tuple[str, frozenset[str]]:
    """Return the forms of a name after the shortest one, which is "" if there is none."""
    forms = make_skeletons(word, is_kazakh)
    return min(forms, key=lambda form: (len(form), form), default=""), forms


def _list_capitalized(sentence: str, words: Sequence[str], skipped: Collection[int]) -> list[tuple[str, bool]]:
    """Return the capitalised words of a sentence, and whether the capital says that they are names."""
    found = [at for at, word in enumerate(words) if word[0].isupper() and len(word) >= MIN_NAME_LETTERS]
    positions = [at for at in found if at not in skipped]
    if not any(positions) or _is_headline(words):  # the first word at most, whose capital says nothing
        return [(words[at], False) for at in positions]
    if not _INNER_END.search(sentence):
        return [(words[at], at > 0) for at in positions]
    starts = [match.start() for match in _WORD_PATTERN.finditer(sentence)]
    return [(words[at], at > 0 and not _is_after_end(sentence, starts[at])) for at in positions]


def _is_after_end(sentence: str, start: int) -> bool:
    return sentence[:start].rstrip()[-1:] in ".!?:"


def _is_headline(words: Sequence[str]) -> bool:
    """Return whether capitals say nothing here: an English headline, or a line in capitals."""
    long = [word for word in words if len(word) >= MIN_HEADLINE_WORD_LETTERS]
    if sum(map(str.isupper, long)) > MAX_UPPERCASE_SHARE * len(long):
        return True
    is_capitalized = measure_capital_share(long) > MAX_CAPITALIZED_SHARE
    return is_capitalized and all(word[0] < LATIN_END for word in long)
