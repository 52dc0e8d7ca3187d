"""The parts of the judge: addresses, skeletons, numbers, signatures, stories."""

from __future__ import annotations

import random
import struct

import pytest
from dedupe.edited_texts import dropped, release
from hypothesis import given
from hypothesis import strategies as st

from crawler.dedupe.identity import canonical, story_of
from crawler.dedupe.judge import document
from crawler.dedupe.numbers import days, numbers
from crawler.dedupe.shingles import cut, jaccard
from crawler.dedupe.skeleton import skeletons
from crawler.dedupe.stories import Link, Overrule, group
from crawler.dedupe.trace import alike, trace

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
    assert canonical(url) == CLOTHES[0]


def test_what_tells_articles_apart_stays_in_the_address() -> None:
    assert canonical("https://example.kz/?b=2&a=1&utm_id=3") == "https://example.kz/?a=1&b=2"
    assert canonical("https://пример.рф/новость") == canonical(
        "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"
    )


@given(st.sampled_from(CLOTHES), st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=8))
def test_a_canonical_address_stays_as_it_is(url: str, more: str) -> None:
    assert canonical(canonical(url + more)) == canonical(url + more)


def test_language_versions_share_a_story() -> None:
    base = "https://www.gov.kz/memleket/entities/mfa/press/news/details/1237812"
    assert story_of(f"{base}?lang=ru") == story_of(f"{base}?lang=kk") == "gov.kz/1237812"
    assert story_of("https://example.kz/a?lang=ru") == story_of("https://example.kz/a?lang=en")
    assert story_of("https://example.kz/a") != story_of("https://example.kz/b")
    assert [story_of(url) for url in (None, "seed:7", "https://example.kz/")] == [None, None, None]


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
    assert skeletons(one) & skeletons(other, kazakh=other.endswith("мен"))


def test_names_that_differ_have_nothing_in_common() -> None:
    assert not skeletons("Милошевич") & skeletons("Сполярич")


def test_numbers_are_values() -> None:
    text = "1 млн; 10 мыңға жуық; 20\u00a0000; 2,5 тыс.; 471 days; шесть; 27 ноября 2023 года; 06.03.2026, 14:00"
    assert list(numbers(text)) == [1e6, 10_000, 20_000, 2500, 471, 6]
    assert list(days("27 қараша, March 6")) == [(11, 27), (3, 6)]


def test_signatures_estimate_how_alike_texts_are() -> None:
    rng = random.Random(3)
    for share in (0.1, 0.3, 0.5):
        text = release(rng, 30)
        a, b = document(text), document(dropped(share)(text, rng))
        assert abs(alike(trace(a).signature, trace(b).signature) - jaccard(a.text.shingles, b.text.shingles)) < 0.15
        assert set(trace(a).bands) & set(trace(b).bands)
    assert not set(trace(document(release(rng, 9))).bands) & set(trace(document(release(rng, 9))).bands)
    assert trace(document("")).bands == ()


VALUE = st.sampled_from([0, 1, 2, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1])


@given(st.lists(st.tuples(VALUE, VALUE), min_size=128, max_size=128))
def test_alike_counts_equal_values(pairs: list[tuple[int, int]]) -> None:
    one, other = (struct.pack("<128I", *values) for values in zip(*pairs, strict=True))
    assert alike(one, other) == sum(a == b for a, b in pairs) / 128


def test_a_signature_never_changes_with_a_library() -> None:
    assert trace(document("Одна короткая новость о пасеке.")).signature[:8].hex() == "8d491ada1631ead8"


def test_an_initial_ends_no_sentence() -> None:
    assert [sentence.text for sentence in cut("Принял Е. Ашикбаев. Конец!\nДа").sentences] == [
        "Принял Е. Ашикбаев.",
        "Конец!",
        "Да",
    ]


NAMES = "abcdefg"
LINKS = st.builds(
    Link,
    a=st.sampled_from(NAMES),
    b=st.sampled_from(NAMES),
    score=st.sampled_from([1.0, 2.0, 3.0]),
    sure=st.booleans(),
)
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(LINKS, max_size=12), st.lists(PAIRS, max_size=4), st.randoms())
def test_stories_do_not_depend_on_an_order(links: list[Link], apart: list[tuple[str, str]], rng: random.Random) -> None:
    found = group(NAMES, links, apart)
    shuffled, turned = list(links), [(b, a) for a, b in apart]
    rng.shuffle(shuffled)
    assert group(reversed(NAMES), shuffled, turned) == found
    assert sorted(name for members in found for name in members) == list(NAMES)


def test_what_the_judge_sets_apart_is_not_joined_by_a_third() -> None:
    links = [Link(a="a", b="b", score=5), Link(a="b", b="c", score=4)]
    assert group("abc", links, [("a", "c")]) == [["a", "b"], ["c"]]


def test_a_person_outranks_the_judge_and_the_later_word_the_earlier() -> None:
    sure = [Link(a="a", b="b", sure=True)]
    apart = Overrule(a="a", b="b", together=False)
    assert group("ab", sure, (), [apart]) == [["a"], ["b"]]
    assert group("ab", [], [("a", "b")], [apart, Overrule(a="b", b="a", together=True)]) == [["a", "b"]]
