"""The parts of the judge: addresses, skeletons, numbers, signatures, stories."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.edited_texts import drop_sentences, make_release

from crawler.similarity.comparison import make_document
from crawler.similarity.fingerprint import estimate_jaccard, make_fingerprint
from crawler.similarity.shingles import compute_jaccard, segment_text
from crawler.similarity.stories import StoryLink, StoryOverride, group_stories
from crawler.similarity.url_identity import find_release_id, normalize_url
from crawler.text.numbers import find_days, find_numbers
from crawler.text.transliteration import make_skeletons

CLOTHES = [
    "https://example.kz/news/7",
    "http://www.example.kz/news/7/",
    "https://EXAMPLE.kz:443/news/7/amp",
    "https://m.example.kz/amp/news/7?utm_source=tg&utm_medium=x",
    "https://example.kz/news/7/amp/?fbclid=1#comments",
    "https://example.kz//news/7?yclid=5",
]


@pytest.mark.parametrize("url", CLOTHES)
def test_an_address_in_other_clothes_is_the_same(url: str) -> None:
    assert normalize_url(url) == CLOTHES[0]


def test_what_tells_articles_apart_stays_in_the_address() -> None:
    assert normalize_url("https://example.kz/?b=2&a=1&utm_id=3") == "https://example.kz/?a=1&b=2"
    assert normalize_url("https://пример.рф/новость") == normalize_url(
        "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"
    )


@given(st.sampled_from(CLOTHES), st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8))
def test_a_canonical_address_stays_as_it_is(url: str, more: str) -> None:
    assert normalize_url(normalize_url(url + more)) == normalize_url(url + more)


def test_language_versions_share_a_story() -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/1237812"
    assert find_release_id(f"{base}?lang=ru") == find_release_id(f"{base}?lang=kk") == "gov.kz/1237812"
    assert find_release_id("https://example.kz/a?lang=ru") == find_release_id("https://example.kz/a?lang=en")
    assert find_release_id("https://example.kz/a") != find_release_id("https://example.kz/b")
    assert [find_release_id(url) for url in (None, "seed:7", "https://example.kz/")] == [None, None, None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tokayev", "Тоқаевтың"),
        ("Spoljaric", "Споляричем"),
        ("Milosevic", "Милошевич"),
        ("Tleuberdi", "Тлеуберди"),
        ("Abdrakhmanov", "Әбдірахманов"),
        ("Утемуратова", "Өтемұратов"),
        ("Rocca", "Роккамен"),
    ],
)
def test_a_name_is_the_same_in_other_letters(one: str, other: str) -> None:
    assert make_skeletons(one) & make_skeletons(other, kazakh=other.endswith("мен"))


def test_names_that_differ_have_nothing_in_common() -> None:
    assert not make_skeletons("Милошевич") & make_skeletons("Сполярич")


def test_numbers_are_values() -> None:
    text = "1 млн; 10 мыңға жуық; 20\u00a0000; 2,5 тыс.; 471 days; шесть; 27 ноября 2023 года; 06.03.2026, 14:00"
    assert list(find_numbers(text)) == [1e6, 10_000, 20_000, 2500, 471, 6]
    assert list(find_days("27 қараша, March 6")) == [(11, 27), (3, 6)]


def test_signatures_estimate_how_alike_texts_are() -> None:
    rng = random.Random(3)
    for share in (0.1, 0.3, 0.5):
        text = make_release(rng, 30)
        a, b = make_document(text), make_document(drop_sentences(share)(text, rng))
        assert (
            abs(
                estimate_jaccard(make_fingerprint(a).signature, make_fingerprint(b).signature)
                - compute_jaccard(a.text.shingles, b.text.shingles)
            )
            < 0.15
        )
        assert set(make_fingerprint(a).bands) & set(make_fingerprint(b).bands)
    assert not set(make_fingerprint(make_document(make_release(rng, 9))).bands) & set(
        make_fingerprint(make_document(make_release(rng, 9))).bands
    )
    assert make_fingerprint(make_document("")).bands == ()


VALUE = st.sampled_from([0, 1, 2, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1])


@given(st.lists(st.tuples(VALUE, VALUE), min_size=128, max_size=128))
def test_alike_counts_equal_values(pairs: list[tuple[int, int]]) -> None:
    one, other = (struct.pack("<128I", *values) for values in zip(*pairs, strict=True))
    assert estimate_jaccard(one, other) == sum(a == b for a, b in pairs) / 128


def test_a_signature_never_changes_with_a_library() -> None:
    assert make_fingerprint(make_document("Одна короткая новость о пасеке.")).signature[:8].hex() == "8d491ada1631ead8"


def test_an_initial_ends_no_sentence() -> None:
    assert [sentence.text for sentence in segment_text("Принял Е. Ашикбаев. Конец!\nДа").sentences] == [
        "Принял Е. Ашикбаев.",
        "Конец!",
        "Да",
    ]


NAMES = "abcdefg"
LINKS = st.builds(
    StoryLink,
    a=st.sampled_from(NAMES),
    b=st.sampled_from(NAMES),
    score=st.sampled_from([1.0, 2.0, 3.0]),
    sure=st.booleans(),
)
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(LINKS, max_size=12), st.lists(PAIRS, max_size=4), st.randoms())
def test_stories_do_not_depend_on_an_order(
    links: list[StoryLink], apart: list[tuple[str, str]], rng: random.Random
) -> None:
    found = group_stories(NAMES, links, apart)
    shuffled, turned = list(links), [(b, a) for a, b in apart]
    rng.shuffle(shuffled)
    assert group_stories(reversed(NAMES), shuffled, turned) == found
    assert sorted(name for members in found for name in members) == list(NAMES)


def test_what_the_judge_sets_apart_is_not_joined_by_a_third() -> None:
    links = [StoryLink(a="a", b="b", score=5), StoryLink(a="b", b="c", score=4)]
    assert group_stories("abc", links, [("a", "c")]) == [["a", "b"], ["c"]]


def test_a_person_outranks_the_judge_and_the_later_word_the_earlier() -> None:
    sure = [StoryLink(a="a", b="b", is_certain=True)]
    apart = StoryOverride(a="a", b="b", is_together=False)
    assert group_stories("ab", sure, (), [apart]) == [["a"], ["b"]]
    assert group_stories("ab", [], [("a", "b")], [apart, StoryOverride(a="b", b="a", is_together=True)]) == [["a", "b"]]
