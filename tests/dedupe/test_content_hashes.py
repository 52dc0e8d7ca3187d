"""Hashes of a text: every letter counts for a revision, only words count for a copy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.dedupe.content import SHORT, copy_hash, revision_hash
from crawler.items import Article

ARTICLE = Article(
    id="mfa:1:ru", source="mfa", url="https://example.org/1", title="Мост", lead="Коротко", body="Мост открыт."
)
LONG = "Мост через реку открыт, он самый длинный в области. " * 6
TEXTS = st.text(alphabet="абвгд xyzАБ0129,.-", min_size=1, max_size=60)


def of(body: str, **changes: object) -> Article:
    return replace(ARTICLE, body=body, **changes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("«Мост» открыт", '"Мост" открыт'),
        ("“Мост” открыт", "„Мост‟ открыт"),
        ("Мост – это", "Мост - это"),
        ("Мост — это", "Мост − это"),
        ("the bridge’s arch", "the bridge's arch"),
        ("Кафе\u0301", "Кафе\u0301"),
        ("й", "и\u0306"),
        ("ﬁrst № 5", "first No 5"),
    ],
)
def test_typography_is_no_revision(one: str, other: str) -> None:
    assert revision_hash(of(one)) == revision_hash(of(other))
    assert copy_hash(of(one)) == copy_hash(of(other))


@given(TEXTS, st.integers(0, 60), st.sampled_from("жЖq7"))
def test_any_changed_letter_is_a_revision(text: str, at: int, letter: str) -> None:
    place = at % len(text)
    changed = text[:place] + letter + text[place + 1 :]
    assert revision_hash(of(changed)) != revision_hash(of(text))


@given(TEXTS, st.integers(0, 60), st.sampled_from("жq7,!"))
def test_any_added_sign_is_a_revision(text: str, at: int, sign: str) -> None:
    place = at % len(text)
    assert revision_hash(of(text[:place] + sign + text[place:])) != revision_hash(of(text))


def test_case_and_paragraphs_are_revisions_but_no_other_text() -> None:
    for other in (LONG.upper(), LONG.replace(". ", ".\n"), LONG.replace(",", "")):
        assert revision_hash(of(other)) != revision_hash(of(LONG))
        assert copy_hash(of(other)) == copy_hash(of(LONG))


def test_fields_do_not_run_into_each_other() -> None:
    assert revision_hash(of("б", title="а", lead=None)) != revision_hash(of("б", title=None, lead="а"))
    assert revision_hash(of("аб", title=None)) != revision_hash(of("б", title="а"))


@pytest.mark.parametrize("change", [{"title": "Другой"}, {"lead": "Другой"}, {"title": None}, {"lead": None}])
def test_title_and_lead_are_part_of_a_revision(change: dict[str, str | None]) -> None:
    assert revision_hash(replace(ARTICLE, **change)) != revision_hash(ARTICLE)


@pytest.mark.parametrize(
    "change",
    [{"url": "https://example.org/2"}, {"section": "x"}, {"place": "x"}, {"source": "ktkz"}, {"language": "en"}],
)
def test_what_is_no_text_is_no_revision(change: dict[str, str]) -> None:
    assert revision_hash(replace(ARTICLE, **change)) == revision_hash(ARTICLE)


def test_copy_is_known_whatever_its_title_and_source() -> None:
    assert copy_hash(of(LONG, title="Другой", source="ktkz", lead=None)) == copy_hash(of(LONG))


def test_short_text_needs_its_title_to_be_a_copy() -> None:
    assert copy_hash(of("Подробности позже.", title="Мост")) != copy_hash(of("Подробности позже.", title="Рынок"))
    assert copy_hash(of("Подробности позже.")) == copy_hash(of("Подробности  позже!"))


@pytest.mark.parametrize("length", [SHORT - 1, SHORT])
def test_length_from_which_a_text_speaks_for_itself(length: int) -> None:
    body = "а" * length
    same = copy_hash(of(body, title="Один")) == copy_hash(of(body, title="Два"))
    assert same == (length >= SHORT)


@given(
    st.lists(st.text(alphabet="абвxyz", min_size=1), min_size=1), st.sampled_from([" ", "  ", "\n", ", ", " – ", ".\n"])
)
def test_copy_hash_sees_words_alone(words: list[str], between: str) -> None:
    assert copy_hash(of(between.join(words))) == copy_hash(of(" ".join(words).title()))


@given(st.lists(st.text(alphabet="абвxyz", min_size=1), min_size=1), st.text(alphabet="абвxyz", min_size=1))
def test_another_word_is_another_text(words: list[str], word: str) -> None:
    assert copy_hash(of(" ".join([*words, word]))) != copy_hash(of(" ".join(words)))
