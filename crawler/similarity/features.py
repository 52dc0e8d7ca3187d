"""What a text says of its event, read off without knowing any other: names, numbers, dates, concepts, stems."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from crawler.similarity import common_names as commonplace
from crawler.similarity import concepts
from crawler.similarity.shingles import FoldedSentence, SegmentedText
from crawler.text.language import detect_language
from crawler.text.numbers import find_days, find_numbers
from crawler.text.transliteration import KAZAKH_LETTER, make_skeletons

_WORD_PATTERN = re.compile(r"(?<![\w@])[^\W\d_]+(?:['’ʼ][^\W\d_]+)?")
_ADDRESS_PATTERN = re.compile(
    r"(?:https?://|www\.|@)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:kz|ru|com|org|net|info|tv|uz|kg)\b\S*", re.I
)
MAX_LEAD_WORDS = 40
STEM_LETTERS = 5
"""Letters by which the words of one language are compared, past their endings."""


@dataclass(frozen=True, slots=True)
class EventName:
    """A name: its forms, and whether it is written like one where a plain word would not be."""

    forms: frozenset[str]
    is_certain: bool

    @property
    def shared_weight(self) -> float:
        """What it says when another text has it too."""
        return commonplace.get_shared_weight(self.forms)

    @property
    def unshared_weight(self) -> float:
        """What it says when another text does not have it."""
        return commonplace.get_unshared_weight(self.forms)


class EventFeatures:
    """What a text says of its event."""

    def __init__(self, text: SegmentedText) -> None:
        self.text = text

    @cached_property
    def names(self) -> dict[str, EventName]:
        """The names by their first form; one that stands anywhere inside a sentence is sure."""
        return find_names(self.text)

    @cached_property
    def names_by_form(self) -> dict[str, list[EventName]]:
        """The names by each of their forms."""
        found: dict[str, list[EventName]] = {}
        for name in self.names.values():
            for form in name.forms:
                found.setdefault(form, []).append(name)
        return found

    @cached_property
    def forms(self) -> frozenset[str]:
        """Every form of every name, sure or not."""
        return frozenset(self.names_by_form)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Values of the numbers; years and dates are left out."""
        return frozenset(
            value for sentence in self.text.sentences for value in find_numbers(_remove_addresses(sentence.text))
        )

    @cached_property
    def days(self) -> frozenset[tuple[int, int]]:
        """The (month, day) dates named in words."""
        return frozenset(day for sentence in self.text.sentences for day in find_days(sentence.text))

    @cached_property
    def concepts(self) -> frozenset[str]:
        """What the text is about, in whatever language."""
        return concepts.find_concepts(self.text.words)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Beginnings of the longer words."""
        return frozenset(word[:STEM_LETTERS] for word in self.text.words if len(word) >= STEM_LETTERS)

    @cached_property
    def language(self) -> str | None:
        """en, ru, kk or None, by the letters."""
        return detect_language(" ".join(sentence.text for sentence in self.text.sentences))

    @cached_property
    def lead(self) -> EventFeatures:
        """The first sentences alone: what happened, and who did it."""
        count = 0
        kept: list[FoldedSentence] = []
        for sentence in self.text.sentences:
            if kept and count + len(sentence.words) > MAX_LEAD_WORDS:
                break
            kept.append(sentence)
            count += len(sentence.words)
        return EventFeatures(SegmentedText(kept))


def find_names(text: SegmentedText) -> dict[str, EventName]:
    """The names of a text by their first form."""
    found: dict[str, EventName] = {}
    kazakh = sum(bool(KAZAKH_LETTER.search(sentence.text)) for sentence in text.sentences) * 2 > len(text.sentences)
    for sentence in text.sentences:
        for word, sure in _find_capitalized(_remove_addresses(sentence.text)):
            forms = make_skeletons(word, kazakh)
            if not forms:
                continue
            key = min(forms, key=lambda form: (len(form), form))
            known = found.get(key, EventName(frozenset(), False))
            found[key] = EventName(forms | known.forms, sure or known.is_certain)
    return found


def _remove_addresses(sentence: str) -> str:
    return _ADDRESS_PATTERN.sub(" ", sentence)


def _find_capitalized(sentence: str) -> list[tuple[str, bool]]:
    """The capitalised words, and whether the capital says that they are names."""
    listed = list(_WORD_PATTERN.finditer(sentence))
    titled = _is_headline([word[0] for word in listed])
    found = []
    for position, word in enumerate(listed):
        if len(word[0]) < 3 or not word[0][0].isupper():
            continue
        begins = position == 0 or sentence[: word.start()].rstrip()[-1:] in ".!?:"
        found.append((word[0], not begins and not titled))
    return found


def _is_headline(of: list[str]) -> bool:
    """Whether capitals say nothing here: an English headline, or a line in capitals."""
    long = [word for word in of if len(word) > 3]
    if sum(word.isupper() for word in long) > 0.6 * len(long):
        return True
    return all(word[0] < "\u0250" for word in long) and sum(word[0].isupper() for word in long) > 0.8 * len(long)
