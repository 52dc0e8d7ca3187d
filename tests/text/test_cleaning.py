"""Clean lines: decoded entities, no invisible characters, single spaces."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.text.characters import UNSEEN_CHARACTERS, make_character_class
from crawler.text.cleaning import clean_line, clean_line_or_none, decode_entities


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Между\u00adна\u00adродного Комитета", "Международного Комитета"),
        ("11\u00a0июня\u00a0\u00a02026", "11 июня 2026"),
        ("  two \t words\n", "two words"),
        ("thin\u2009narrow\u202ffigure\u2007space", "thin narrow figure space"),
        ("zero\u200bwidth\u2060joined\ufeff", "zerowidthjoined"),
        ("con\u0000tr\u0001ol\u001b\u007f", "control"),
        ("c1 \u009b31m\u0085next", "c1 31m next"),
        ("exe\u202etxt\u2066 isolate\u2069 \u200emark", "exetxt isolate mark"),
        ("heart \u2764\ufe0f\U000e0100, family\u200d", "heart \u2764, family"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("fil\u3164l\u115f\u1160\uffa0e\u17b4r\U0001d173\u2065\ufff0", "filler"),
        ("half \ud83d emoji", "half emoji"),
        ("form\u000cfeed", "form feed"),
        ("a \u00ad b", "a b"),
        ("«Жетіген»", "«Жетіген»"),
        ("", ""),
        ("\u00a0\u00ad ", ""),
    ],
)
def test_clean_line(raw: str, clean: str) -> None:
    assert clean_line(raw) == clean


def test_no_control_and_no_format_character_is_kept_but_those_that_have_a_sign() -> None:
    """Marks of Arabic, Syriac, Kaithi and Egyptian are of the category of format characters, and are seen."""
    visible = [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)]
    unseen = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs")]
    assert clean_line("".join(set(unseen) - set(map(chr, visible)))) == ""


@given(st.text())
def test_clean_line_stays_the_same(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)


@given(
    st.text(
        alphabet=st.sampled_from("aб \t\n\u00a0\u00ad\u200b\u2060\ufeff\u2009\u2028\u009b\u202e\u2066\ufe0f\U000e0041")
    )
)
def test_line_has_no_double_or_outer_space(text: str) -> None:
    found = clean_line(text)
    assert "  " not in found
    assert found == found.strip()
    assert not set(found) - set("aб ")


@given(st.lists(st.text(alphabet="aбв", min_size=1)))
def test_line_keeps_every_word(words: list[str]) -> None:
    assert clean_line(" \u00a0".join(words)) == " ".join(words)


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u00a0", "\u00ad\n"])
def test_empty_text_is_none(nothing: str | None) -> None:
    assert clean_line_or_none(nothing) is None


def test_text_is_its_clean_line() -> None:
    assert clean_line_or_none(" one  line ") == "one line"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Visa &amp; passport", "Visa & passport"),
        ("&laquo;Жетіген&raquo;", "«Жетіген»"),
        ("&amp;laquo;Жетіген&amp;raquo;", "«Жетіген»"),
        ("для&nbsp;военных", "для\u00a0военных"),
        ("&#171;a&#xbb;", "«a»"),
        ("R&D in Q&A", "R&D in Q&A"),
        ("AT&T; and more", "AT&T; and more"),
        ("no entity", "no entity"),
        (f"a &#{'1' * 5_000}; b&amp;c", "a \ufffd b&c"),
    ],
)
def test_entities_are_decoded_also_when_encoded_twice(raw: str, text: str) -> None:
    assert decode_entities(raw) == text


@given(st.text(alphabet=st.characters(exclude_characters="&")))
def test_text_without_entities_stays(text: str) -> None:
    assert decode_entities(text) == text


def test_character_class_has_exactly_its_characters() -> None:
    pattern = re.compile(make_character_class(UNSEEN_CHARACTERS))
    every = "".join(map(chr, range(0x110000)))
    assert set(pattern.findall(every)) == set(UNSEEN_CHARACTERS)
    assert re.findall(make_character_class("]a^-b\\"), "^]a-b\\c") == list("^]a-b\\")
