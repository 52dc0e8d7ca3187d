"""Bytes become text in their own encoding, whatever a header says."""

from __future__ import annotations

import pytest

from crawler.text.decoding import decode_text, find_damaged_spans, guess_readable_text, is_damaged_as_a_whole
from crawler.text.language import detect_language

RUSSIAN = "Министр принял посла и рассказал о мосте через реку, который открыли в марте."
KAZAKH = "Министр елшіні қабылдап, өзен үстіндегі көпір туралы айтты. Құрылысқа ұзақ уақыт кетті, ғимарат ашылды."
ENGLISH = "The minister didn’t speak – “no comment”."
HEADERS = (None, "text/html", "text/html; charset=utf-8", "text/html; charset=windows-1251", "text/html; charset=x")


def make_page(text: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, encoding) for text in (RUSSIAN, KAZAKH, ENGLISH) for encoding in ("utf-8", "utf-8-sig", "utf-16")),
        *((RUSSIAN, encoding) for encoding in ("cp1251", "kz1048", "koi8-r", "cp866", "iso-8859-5")),
        (KAZAKH, "kz1048"),
    ],
)
def test_encoding_is_found_whatever_the_header_says(text: str, encoding: str, header: str | None) -> None:
    assert decode_text(make_page(text).encode(encoding), header) == make_page(text)


@pytest.mark.parametrize("header", [None, "text/html; charset=utf-8", "text/html; charset=iso-8859-1"])
def test_markup_names_the_encoding_where_the_header_is_wrong(header: str | None) -> None:
    page = make_page("Жақында", '<meta charset="kz1048">')
    assert decode_text(page.encode("kz1048"), header) == page


def test_named_encoding_is_used_where_it_fits() -> None:
    page = make_page("Élève à Besançon, “quotes”")
    assert decode_text(page.encode("cp1252"), "text/html; charset=iso-8859-1") == page
    assert decode_text(page.encode("utf-16-le"), "text/html; charset=utf-16le") == page


def test_few_broken_bytes_cost_only_themselves() -> None:
    for header in HEADERS:
        assert decode_text(RUSSIAN.encode() + b"\xff" + ENGLISH.encode(), header) == f"{RUSSIAN}\ufffd{ENGLISH}"
    assert decode_text(b"bridge \x92 open") == "bridge \ufffd open"
    assert decode_text(b"bri\0dge \xd0\x9c") == "bri\0dge М"
    assert decode_text(b"") == ""


def test_where_damage_is() -> None:
    assert find_damaged_spans(f"{RUSSIAN} {KAZAKH} {ENGLISH} Élève naïve СССР, РСФСР, ТУ-154, É, ÑÑ") == ()
    assert find_damaged_spans("мост \ufffd\ufffd и \ufffd") == ((5, 7), (10, 11))
    assert find_damaged_spans("ab ÐœÐ¾Ñ\u0081Ñ‚ cd Ìèíèñòð") == ((3, 11), (15, 22))
    assert is_damaged_as_a_whole("\ufffd" * 4 + " мост")
    assert not is_damaged_as_a_whole("\ufffd" + " мост" * 4)


@pytest.mark.parametrize(("text", "language"), [(RUSSIAN, "ru"), (KAZAKH, "kk")])
@pytest.mark.parametrize(("right", "wrong"), [("utf-8", "cp1251"), ("utf-8", "cp1252"), ("utf-8", "latin-1")])
def test_language_of_a_damaged_text_is_known(text: str, language: str, right: str, wrong: str) -> None:
    damaged = text.encode(right).decode(wrong, "replace")
    assert is_damaged_as_a_whole(damaged)
    assert detect_language(guess_readable_text(damaged)) == language


def test_nothing_is_guessed_of_lost_characters() -> None:
    assert guess_readable_text("\ufffd" * 40 + " 12") == ""
    assert detect_language(guess_readable_text(RUSSIAN.encode("cp1251").decode("cp1252"))) == "ru"
