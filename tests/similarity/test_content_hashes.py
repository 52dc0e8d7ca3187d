"""Test the hashes of an article's text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.items import Article
from crawler.similarity.content_hashes import MIN_BODY_CHARACTERS, hash_body, hash_revision

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
def test_typography_does_not_change_the_revision_hash(one: str, other: str) -> None:
    assert hash_revision(of(one)) == hash_revision(of(other))
    assert hash_body(of(one)) == hash_body(of(other))


@given(TEXTS, st.integers(0, 60), st.sampled_from("жЖq7"))
def test_changed_letter_changes_the_revision_hash(text: str, at: int, letter: str) -> None:
    place = at % len(text)
    changed = text[:place] + letter + text[place + 1 :]
    assert hash_revision(of(changed)) != hash_revision(of(text))


@given(TEXTS, st.integers(0, 60), st.sampled_from("жq7,!"))
def test_added_sign_changes_the_revision_hash(text: str, at: int, sign: str) -> None:
    place = at % len(text)
    assert hash_revision(of(text[:place] + sign + text[place:])) != hash_revision(of(text))


def test_case_and_paragraphs_change_only_the_revision_hash() -> None:
    for other in (LONG.upper(), LONG.replace(". ", ".\n"), LONG.replace(",", "")):
        assert hash_revision(of(other)) != hash_revision(of(LONG))
        assert hash_body(of(other)) == hash_body(of(LONG))


def test_fields_are_hashed_separately() -> None:
    assert hash_revision(of("б", title="а", lead=None)) != hash_revision(of("б", title=None, lead="а"))
    assert hash_revision(of("аб", title=None)) != hash_revision(of("б", title="а"))


@pytest.mark.parametrize("change", [{"title": "Другой"}, {"lead": "Другой"}, {"title": None}, {"lead": None}])
def test_title_and_lead_change_the_revision_hash(change: dict[str, str | None]) -> None:
    assert hash_revision(replace(ARTICLE, **change)) != hash_revision(ARTICLE)


@pytest.mark.parametrize(
    "change",
    [{"url": "https://example.org/2"}, {"section": "x"}, {"place": "x"}, {"source": "ktkz"}, {"language": "en"}],
)
def test_other_fields_do_not_change_the_revision_hash(change: dict[str, str]) -> None:
    assert hash_revision(replace(ARTICLE, **change)) == hash_revision(ARTICLE)


def test_title_and_source_do_not_change_the_body_hash() -> None:
    assert hash_body(of(LONG, title="Другой", source="ktkz", lead=None)) == hash_body(of(LONG))


def test_body_hash_of_a_short_text_includes_its_title() -> None:
    assert hash_body(of("Подробности позже.", title="Мост")) != hash_body(of("Подробности позже.", title="Рынок"))
    assert hash_body(of("Подробности позже.")) == hash_body(of("Подробности  позже!"))


@pytest.mark.parametrize("length", [MIN_BODY_CHARACTERS - 1, MIN_BODY_CHARACTERS])
def test_length_from_which_the_title_is_not_hashed(length: int) -> None:
    body = "а" * length
    same = hash_body(of(body, title="Один")) == hash_body(of(body, title="Два"))
    assert same == (length >= MIN_BODY_CHARACTERS)


@given(
    st.lists(st.text(alphabet="абвxyz", min_size=1), min_size=1), st.sampled_from([" ", "  ", "\n", ", ", " – ", ".\n"])
)
def test_body_hash_depends_on_words_only(words: list[str], between: str) -> None:
    assert hash_body(of(between.join(words))) == hash_body(of(" ".join(words).title()))


@given(st.lists(st.text(alphabet="абвxyz", min_size=1), min_size=1), st.text(alphabet="абвxyz", min_size=1))
def test_another_word_changes_the_body_hash(words: list[str], word: str) -> None:
    assert hash_body(of(" ".join([*words, word]))) != hash_body(of(" ".join(words)))
