"""The pattern and the identity of articles' addresses, from examples as sites write them."""

from __future__ import annotations

import pytest

from crawler.config.address_pattern import AddressPattern, find_rule_problem
from crawler.discovery.address_shapes import infer_address_shape

HOST = "https://news.example"
SHAPES: dict[str, tuple[list[str], list[str], str]] = {
    "WordPress": (["/2026/11/snow-in-the-hills/", "/2025/01/the-bridge-is-open/"], ["/{year}/{month}/*-*/"], "path"),
    "a day in the path": (["/2026/11/05/snow-fell", "/2026/11/30/ice-came"], ["/{year}/{month}/{day}/*-*"], "path"),
    "numbered nodes": (["/node/4711", "/node/4712"], ["/node/{number}"], "{number}"),
    "number first": (
        ["/ru/news/123-sneg.html", "/kz/news/124-qar.html"],
        ["/{language}/news/{number}-*.html"],
        "{number}",
    ),
    "number last": (["/politics/sneg-v-gorah-5512", "/economy/zerno-5513"], ["/{section}/*-{number}"], "{number}"),
    "a parameter": (["/news/detail.php?ID=77&lang=ru", "/news/detail.php?ID=78&lang=ru"], [], "{number}"),
    "named number": (["/a/news1201/", "/a/news1202/"], ["/a/news{number}/"], "{number}"),
    "Cyrillic words": (["/новости/снег-в-горах", "/новости/лед-на-реке"], ["/новости/*-*"], "path"),
    "tracking": (["/n/11?utm_source=rss", "/n/12?utm_source=rss"], ["/n/{number}"], "{number}"),
    "one example": (["/story/snow"], ["/story/{slug}"], "path"),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_shape_of_addresses(kind: str) -> None:
    paths, patterns, identity = SHAPES[kind]
    urls = [HOST + path for path in paths]
    found = infer_address_shape(urls)
    assert found.identity == identity
    assert not patterns or list(found.patterns) == patterns
    compiled = tuple(map(AddressPattern, found.patterns))
    assert find_rule_problem(found.identity, compiled) is None
    assert all(any(pattern.match(url) for pattern in compiled) for url in urls)


def test_parameters_that_tell_articles_apart() -> None:
    urls = [f"{HOST}/news/detail.php?ID={number}&lang=ru&utm_medium=feed" for number in (77, 78)]
    assert infer_address_shape(urls).patterns == ("/news/detail.php?ID={number}&lang=ru",)


def test_numbers_that_repeat_are_no_identity() -> None:
    urls = [f"{HOST}/a/12/snow", f"{HOST}/a/12/ice", f"{HOST}/a/13/rain"]
    assert infer_address_shape(urls).identity == "path"


def test_pages_of_the_same_shape_are_excluded() -> None:
    articles = [f"{HOST}/news/snow-in-the-hills", f"{HOST}/news/ice-on-the-river"]
    found = infer_address_shape(articles, [f"{HOST}/news/about-us", f"{HOST}/contacts", f"{HOST}/", *articles])
    assert (found.patterns, found.exclude) == (("/news/*-*",), ("/news/about-us",))


def test_rare_shape_is_left_out() -> None:
    articles = [f"{HOST}/news/{number}" for number in range(100, 120)]
    assert infer_address_shape([*articles, f"{HOST}/shop/a/b/c"]).patterns == ("/news/{number}",)


@pytest.mark.parametrize("part", ["news%0A", "n" * 400])
def test_addresses_that_no_pattern_can_describe_have_no_shape(part: str) -> None:
    shape = infer_address_shape([f"https://a.example/{part}/{number}" for number in range(10, 20)])
    assert (shape.patterns, shape.identity) == ((), "path")


def test_parameters_with_encoded_names_match_their_pattern() -> None:
    articles = [f"https://a.example/n.php?t=%D0%B4%20%D1%8F&a[id]={number}" for number in range(10, 20)]
    (pattern,) = infer_address_shape(articles).patterns
    assert all(AddressPattern(pattern).match(url) for url in articles)


def test_no_examples() -> None:
    assert infer_address_shape([]).patterns == ()
