"""Terms with typographic damage of every kind are found, in every language."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shipped_rules import get_shipped_matcher

MATCHER = get_shipped_matcher()

TERMS = {
    "en": "International Committee of the Red Cross",
    "ru": "Международного комитета Красного Креста",
    "kk": "Халықаралық Қызыл Крест комитетінің",
}
LOOK_ALIKES = {
    "en": str.maketrans("aeopc", "аеорс"),
    "ru": str.maketrans("аеорс", "aeopc"),
    "kk": str.maketrans("аеорс", "aeopc"),
}


def insert_in_words(mark: str) -> Callable[[str, str], str]:
    """The mark in the middle of every word."""
    return lambda term, _: " ".join(word[: len(word) // 2] + mark + word[len(word) // 2 :] for word in term.split())


def replace_spaces(mark: str) -> Callable[[str, str], str]:
    """The mark in place of every space."""
    return lambda term, _: term.replace(" ", mark)


DAMAGE: dict[str, Callable[[str, str], str]] = {
    "no-break space": replace_spaces("\u00a0"),
    "narrow and thin spaces": replace_spaces("\u202f\u2009"),
    "several spaces and tabs": replace_spaces("  \t "),
    "a line break": replace_spaces("\n"),
    "a carriage return": replace_spaces("\r\n"),
    "a hyphen for a space": replace_spaces("-"),
    "a no-break hyphen for a space": replace_spaces("\u2011"),
    "quotes between the words": replace_spaces("» «"),
    "straight quotes between the words": replace_spaces('" "'),
    "soft hyphens": insert_in_words("\u00ad"),
    "zero-width spaces": insert_in_words("\u200b"),
    "joiners and marks of byte order": insert_in_words("\u2060\ufeff"),
    "hyphens at line ends": insert_in_words("-\n"),
    "soft hyphens at line ends": insert_in_words("\u00ad\n"),
    "stress marks": insert_in_words("\u0301"),
    "capitals": lambda term, _: term.upper(),
    "look-alikes of the other script": lambda term, language: term.translate(LOOK_ALIKES[language]),
    "decomposed letters": lambda term, _: unicodedata.normalize("NFD", term),
    "entities left over": replace_spaces("&nbsp;"),
    "soft hyphen entities": insert_in_words("&shy;"),
    "asterisks and underscores of markup": lambda term, _: f"**_{term}_**",
    "a hash for every word": lambda term, _: term.replace(" ", " #"),
}


@pytest.mark.parametrize("language", TERMS)
@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_term_is_found(kind: str, language: str) -> None:
    written = DAMAGE[kind](TERMS[language], language)
    text = f"Астана: {written}, 2026."
    matches = MATCHER.find_matches({"body": text})
    assert [match.strength for match in matches] == ["strong"]
    assert text[matches[0].start : matches[0].end] == matches[0].surface
    assert matches[0].surface.strip("*_# ")[0] == written.strip("*_# ")[0]


NOISE = st.text(alphabet="аБвқ Red,.-–«»\u00a0\u00ad\u200b\n\u0301&;Zé½中'’", max_size=30)


@given(NOISE, st.sampled_from(sorted(DAMAGE)), st.sampled_from(sorted(TERMS)), NOISE)
def test_offsets_refer_to_the_original_text(before: str, kind: str, language: str, after: str) -> None:
    text = f"{before} . {DAMAGE[kind](TERMS[language], language)} . {after}"
    matches = MATCHER.find_matches({"title": text, "body": after + text})
    assert {match.field for match in matches} == {"title", "body"}
    for match in matches:
        original = text if match.field == "title" else after + text
        assert original[match.start : match.end] == match.surface
        assert match.surface in match.sentence or len(match.sentence) >= 500


@given(st.text(max_size=200))
def test_any_text_can_be_matched(text: str) -> None:
    for match in MATCHER.find_matches({"body": text + " Red Cross " + text}):
        assert (text + " Red Cross " + text)[match.start : match.end] == match.surface
