"""Names are blacked out: by overlapping patterns, across lines, in addresses, in matched words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from support.factories import make_article

from crawler.items import Article, Match
from crawler.publish.redaction import redact_article, redact_diff, redact_id, redact_text
from crawler.revisions.changes import diff_articles


def make_short_article(body: str = "Встреча прошла в Астане.", **values: object) -> Article:
    return make_article(source="ktkz", body=body, **values)


@pytest.mark.parametrize("patterns", [["Айдос", "Айдос Бекович"], ["Айдос Бекович", "Айдос"], ["с Б", "Айдос Бекович"]])
def test_overlapping_patterns_black_out_the_whole_name(patterns: list[str]) -> None:
    assert redact_text("Айдос Бекович сказал", patterns) == "█████ ███████ сказал"


@pytest.mark.parametrize("pattern", ["Айдос Бекович", r"Айдос\ Бекович", "Айдос[ -]?Бекович|Айдос Бекович"])
def test_a_name_across_two_lines_is_blacked_out(pattern: str) -> None:
    assert redact_text("Сказал Айдос\nБекович.", [pattern]) == "Сказал █████\n███████."


@pytest.mark.parametrize("pattern", ["Айдос[ ]Бекович", r"(?x) Айдос \ Бекович", "Айдос {1,2}Бекович", "[]] ?Айдос"])
def test_a_verbose_pattern_keeps_its_meaning(pattern: str) -> None:
    assert "Айдос" not in redact_text("] Айдос Бекович", [pattern])


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_both_unicode_forms_of_a_letter_match(forms: tuple[str, str]) -> None:
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
def test_an_address_with_a_name_in_any_spelling_is_replaced(path: str) -> None:
    shown = redact_article(make_short_article(url=f"https://www.kt.kz/rus/{path}"), ["Айдос", "Aidos Bekovich"])
    assert shown.url == "https://www.kt.kz/"


def test_an_address_without_a_name_stays() -> None:
    assert redact_article(make_short_article(), ["Айдос"]).url == make_short_article().url


@pytest.mark.parametrize(
    ("native_id", "path"),
    [("rus/aidos-bekovich", "rus/aidos-bekovich"), ("rus/aidos-bekovich", "new"), ("17", "aidos-bekovich_17.html")],
    ids=["both", "the id of an article that moved", "the address"],
)
def test_an_id_is_a_hash_where_it_or_the_address_has_a_name(native_id: str, path: str) -> None:
    article = make_short_article(id=f"ktkz:{native_id}:ru", url=f"https://www.kt.kz/{path}")
    shown = redact_id(article, ["Aidos Bekovich"])
    assert re.fullmatch(r"ktkz:[0-9a-f]{12}:ru", shown)
    assert shown == redact_id(replace(article, version=2, title="Other"), ["Aidos"])
    assert redact_id(article, ["Айдос"]) == redact_id(article, []) == article.id


def test_a_matched_word_within_a_name_is_blacked_out() -> None:
    body = "Об этом сообщил Айдос Крест в Астане."
    at = body.index("Крест")
    found = Match(rule="r", term="крест", surface="Крест", field="body", start=at, end=at + 5, sentence=body)
    (shown,) = redact_article(make_short_article(body, matches=(found,)), ["Айдос Крест"]).matches
    assert shown.surface == "█████"


@pytest.mark.parametrize("pattern", ["Айдос Бекович", r"ИИН \d+", "Вчера", "в город.\nАйдос"])
def test_a_diff_has_the_blocks_of_the_redacted_texts(pattern: str) -> None:
    old = make_short_article("Вчера Айдос Бекович приехал в город.\nАйдос Бекович, ИИН 123, сказал 5 слов.")
    new = make_short_article("Айдос Бекович приехал в город.\nАйдос Ерланович, ИИН 456, сказал 7 слов. Конец.")
    changes = diff_articles(old, new)
    hidden = [redact_article(each, [pattern]) for each in (old, new)]
    found = redact_diff(changes, *hidden)
    body = [each.sentence for each in found.sentences if each.field == "body"]
    for article, sides in ((hidden[0], [each.old for each in body]), (hidden[1], [each.new for each in body])):
        # A word that both versions have is hidden if one of them hides it.
        assert all(one in (other, "█") for one, other in zip("".join(sides), article.body, strict=True))
        assert "".join(sides).count("█") >= article.body.count("█")
    assert [each.severity for each in found.sentences] == [each.severity for each in changes.sentences]


def test_a_blacked_out_sentence_claims_nothing() -> None:
    old, new = (
        make_short_article(f"Айдос Бекович, ИИН {number}, сказал 5 слов. Пришли {number} гостя.") for number in "23"
    )
    found = redact_diff(diff_articles(old, new), *(redact_article(each, [r"ИИН \d"]) for each in (old, new)))
    assert [[claim.new for claim in each.claims] for each in found.changed] == [[], ["3"]]
