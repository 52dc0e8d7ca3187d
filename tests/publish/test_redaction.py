"""Names blacked out: however many patterns fit, over lines, in addresses, in matched words."""

from __future__ import annotations

import unicodedata

import pytest

from crawler.items import Article, Match
from crawler.publish.redaction import redact_article, redact_text


def article(body: str = "Встреча прошла в Астане.", **values: object) -> Article:
    given = {"id": "ktkz:1:ru", "source": "ktkz", "url": "https://www.kt.kz/rus/x_1.html", "body": body}
    return Article(**{**given, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("patterns", [["Айдос", "Айдос Бекович"], ["Айдос Бекович", "Айдос"], ["с Б", "Айдос Бекович"]])
def test_patterns_that_overlap_leave_nothing_of_a_name(patterns: list[str]) -> None:
    assert redact_text("Айдос Бекович сказал", patterns) == "█████ ███████ сказал"


@pytest.mark.parametrize("pattern", ["Айдос Бекович", r"Айдос\ Бекович", "Айдос[ -]?Бекович|Айдос Бекович"])
def test_a_name_over_the_end_of_a_line_is_blacked_out(pattern: str) -> None:
    assert redact_text("Сказал Айдос\nБекович.", [pattern]) == "Сказал █████\n███████."


@pytest.mark.parametrize("pattern", ["Айдос[ ]Бекович", r"(?x) Айдос \ Бекович", "Айдос {1,2}Бекович", "[]] ?Айдос"])
def test_a_pattern_with_spaces_of_its_own_still_means_what_it_says(pattern: str) -> None:
    assert "Айдос" not in redact_text("] Айдос Бекович", [pattern])


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_letter_written_as_two_signs_is_the_same_letter(forms: tuple[str, str]) -> None:
    text, pattern = (unicodedata.normalize(form, "Сергей") for form in forms)
    assert set(redact_text(text, [pattern])) == {"█"}


@pytest.mark.parametrize("written", ["ӘЛИЯ ҚАЙРАТҚЫЗЫ", "Әлия Қайратқызы", "әлия қайратқызының"])
def test_kazakh_letters_of_either_case(written: str) -> None:
    assert set(redact_text(written, [r"әлия қайратқызы\w*"])) == {"█", " "}


@pytest.mark.parametrize(
    "path",
    [
        "%D0%90%D0%B9%D0%B4%D0%BE%D1%81_1.html",
        "aidos-bekovich-speaks_1.html",
        "aidos_bekovich/1",
        "?q=Aidos+Bekovich",
        "aidos%20bekovich",
    ],
)
def test_an_address_in_which_a_name_stands_in_any_writing_is_not_shown(path: str) -> None:
    shown = redact_article(article(url=f"https://www.kt.kz/rus/{path}"), ["Айдос", "Aidos Bekovich"])
    assert shown.url == "https://www.kt.kz/"


def test_an_address_without_a_name_stays() -> None:
    assert redact_article(article(), ["Айдос"]).url == "https://www.kt.kz/rus/x_1.html"


def test_a_matched_word_that_is_a_part_of_a_name_is_not_named() -> None:
    body = "Об этом сообщил Айдос Крест в Астане."
    at = body.index("Крест")
    found = Match(rule="r", term="крест", surface="Крест", field="body", start=at, end=at + 5, sentence=body)
    (shown,) = redact_article(article(body, matches=(found,)), ["Айдос Крест"]).matches
    assert shown.surface == "█████"
