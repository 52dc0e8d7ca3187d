"""Sitemaps: news fields, language versions, indexes, gzip files, and what is broken or hostile."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from crawler.pages.sitemap import is_sitemap, parse_sitemap
from crawler.pages.snapshot import Snapshot

NEWS = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:xhtml="http://www.w3.org/1999/xhtml">
<url><loc>https://a.example/n/1</loc><lastmod>2026-11-01</lastmod></url>
<url><loc> /n/2 </loc><xhtml:link rel="alternate" hreflang="KK" href="https://a.example/kk/n/2"/>
<news:news><news:publication><news:name>A</news:name><news:language>ru</news:language></news:publication>
<news:publication_date>2026-11-30T10:00:00+05:00</news:publication_date>
<news:title>Снег &amp; лёд</news:title></news:news>
</url><url><lastmod>2026-11-01</lastmod></url></urlset>"""


def make_snapshot(body: str | bytes) -> Snapshot:
    return Snapshot(url="https://a.example/sitemap.xml", body=body.encode() if isinstance(body, str) else body)


def test_prefix_that_is_not_declared_loses_nothing() -> None:
    undeclared = NEWS.replace(' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"', "")
    sitemap = parse_sitemap(make_snapshot(undeclared.replace("<url><lastmod>", "<a:b:c/><url><lastmod>")))
    assert sitemap.is_news
    assert {entry.title for entry in sitemap.entries} == {None, "Снег & лёд"}


@pytest.mark.parametrize(
    "body",
    [
        NEWS.encode(),
        gzip.compress(NEWS.encode()),
        gzip.compress(NEWS[:30].encode()) + gzip.compress(NEWS[30:].encode()),
        gzip.compress(NEWS.encode())[:-4],
    ],
    ids=["plain", "gzip", "members", "cut"],
)
def test_news_sitemap(body: bytes) -> None:
    snapshot = make_snapshot(body)
    assert is_sitemap(snapshot)
    sitemap = parse_sitemap(snapshot)
    newest, older = sitemap.list_newest()
    assert sitemap.is_news
    assert (newest.url, newest.title, newest.language) == ("https://a.example/n/2", "Снег & лёд", "ru")
    assert newest.published_at == datetime(2026, 11, 30, 5, tzinfo=UTC)
    assert newest.alternates == (("kk", "https://a.example/kk/n/2"),)
    assert (older.url, older.is_news) == ("https://a.example/n/1", False)


@pytest.mark.parametrize("declaration", ["", "xmlns:image='https://i.example' xmlns:video='https://v.example'"])
@pytest.mark.parametrize("namespace", ["", "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"])
def test_images_and_videos_are_no_fields_of_their_page(declaration: str, namespace: str) -> None:
    media = (
        "<image:image><image:loc>https://a.example/i.jpg</image:loc><image:title>A caption</image:title></image:image>"
        "<video:video><video:publication_date>2019-01-01</video:publication_date></video:video>"
        "<image:loc>https://a.example/i.jpg</image:loc>"
    )
    url = f"<url>{media}<loc>https://a.example/n/1</loc><lastmod>2026-11-30</lastmod></url>"
    (entry,) = parse_sitemap(make_snapshot(f"<urlset {namespace} {declaration}>{url}</urlset>")).entries
    assert (entry.url, entry.modified_at) == ("https://a.example/n/1", datetime(2026, 11, 30, tzinfo=UTC))
    assert not entry.is_news


@pytest.mark.parametrize("declaration", ["", "xmlns:sm='http://www.sitemaps.org/schemas/sitemap/0.9'"])
def test_the_sitemap_s_own_fields_may_have_a_prefix(declaration: str) -> None:
    body = f"<sm:urlset {declaration}><sm:url><sm:loc>https://a.example/n/1</sm:loc></sm:url></sm:urlset>"
    assert [entry.url for entry in parse_sitemap(make_snapshot(body)).entries] == ["https://a.example/n/1"]


def test_index() -> None:
    body = "<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>"
    sitemap = parse_sitemap(make_snapshot(body))
    assert [child.url for child in sitemap.children] == ["https://a.example/1.xml"]
    assert not sitemap.entries


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'


@pytest.mark.parametrize("body", ["", "<html></html>", "<urlset><url><loc>", b"\x1f\x8bnonsense", ENTITIES])
def test_broken_and_hostile_files_have_no_entry(body: str | bytes) -> None:
    assert not parse_sitemap(make_snapshot(body)).entries


@pytest.mark.slow
def test_bomb_is_unpacked_to_a_limit() -> None:
    body = gzip.compress(b"<urlset>" + b" " * 100_000_000)
    assert not parse_sitemap(make_snapshot(body)).entries
