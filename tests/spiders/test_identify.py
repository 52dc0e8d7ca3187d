"""Every form of an article's address identifies the same article, any other address none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.article_addresses import ADDRESSES, Known

from crawler import spiders
from crawler.config import Config, SourceConfig
from crawler.text.urls import split_url

CASES = [(source, url, known) for source, table in ADDRESSES.items() for url, known in table.items()]


@pytest.mark.parametrize(("source", "url", "known"), CASES, ids=[f"{source}-{url.strip()}" for source, url, _ in CASES])
def test_address(source: str, url: str, known: Known | None) -> None:
    found = spiders.load_spider(source).identify(url)
    assert known == (found and (found.native_id, found.url, found.language))


@pytest.mark.parametrize(("source", "url"), [(source, known[1]) for source, _, known in CASES if known])
def test_canonical_address_is_its_own(source: str, url: str) -> None:
    found = spiders.load_spider(source).identify(url)
    assert found is not None
    assert found.url == url


def test_every_source_has_addresses() -> None:
    assert sorted(ADDRESSES) == spiders.list_names()


@pytest.mark.parametrize("source", spiders.list_names())
@given(url=st.one_of(st.text(), st.text().map("https://".__add__), st.text().map("https://www.gov.kz/".__add__)))
def test_any_text_is_an_address_or_none(source: str, url: str) -> None:
    assert spiders.load_spider(source).identify(url) is None


@pytest.mark.parametrize("source", ["qazmonitor", "ktkz"])
def test_address_on_a_copy_counts_as_the_public_one(source: str) -> None:
    spider = spiders.load_spider(source)
    canonical = next(known[1] for known in ADDRESSES[source].values() if known)
    config = Config(sources={source: SourceConfig(base_url="http://127.0.0.1:8000/copy/")})
    identify = spider.make_site(config).identify
    found = identify(canonical.replace(spider.origins[0], "http://127.0.0.1:8000/copy"))
    assert found is not None
    assert found.url == canonical
    assert identify(canonical) == found
    assert identify(canonical.replace(spider.origins[0], "http://127.0.0.1:8001/copy")) is None


@pytest.mark.parametrize("url", ["ftp://gov.kz/x", "//gov.kz/x", "x", "", "https://[::1", "https://gov.kz:x"])
def test_no_web_address_has_no_parts(url: str) -> None:
    assert split_url(url) == ("", "", "")
