"""Feeds: every field but the link is optional. A page that is no feed, or that could fill the memory, is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler import spiders
from crawler.config import Config
from crawler.errors import PageChanged
from crawler.pages.base import read_snapshot
from crawler.pages.feed import Feed, list_plain_links, repair_feed
from crawler.pages.site import Reading
from crawler.pages.snapshot import Snapshot

SITE = spiders.load_spider("qazmonitor").make_site(Config())
FEEDBURNER = "http://rssnamespace.org/feedburner/ext/1.0"
ONE = "https://qazmonitor.com/news/1392/kazakh-mfa"


def read_feed(
    body: str | bytes, headers: dict[str, str] | None = None, url: str = "https://qazmonitor.com/rss"
) -> Reading:
    raw = body.encode() if isinstance(body, str) else body
    return read_snapshot(Snapshot(url=url, body=raw, headers=headers or {"content-type": "application/rss+xml"}), SITE)


def make_rss(*items: str) -> str:
    entries = "".join(f"<item>{item}</item>" for item in items)
    return f"<rss version='2.0'><channel><title>x</title>{entries}</channel></rss>"


def test_link_alone_is_an_entry() -> None:
    found = read_feed(make_rss(f"<link>{ONE}</link>"))
    assert (found.page_class, found.links, found.entry_count, found.articles) == ("Feed", (ONE,), 1, ())


@pytest.mark.parametrize(
    "broken", ["&#99999999999;", "&#xD800;", "&#0;", "&#;", "&#x;", "&#x110000;", "&#55555;", "\0"]
)
def test_an_impossible_character_costs_no_entry(broken: str) -> None:
    feed = make_rss(f"<title>{broken}</title><link>https://qazmonitor.com/news/1393/x</link>", f"<link>{ONE}</link>")
    assert read_feed(feed).links == ("https://qazmonitor.com/news/1393/x", ONE)


@pytest.mark.parametrize("encoding", ["bogus", "utf-8\0", "utf-16", "\u202e", ""])
def test_a_wrong_encoding_in_the_declaration_costs_no_entry(encoding: str) -> None:
    feed = f"<?xml version='1.0' encoding='{encoding}'?>" + make_rss(f"<link>{ONE}</link>")
    assert read_feed(feed, {"content-type": "application/xml; charset=utf-8"}).links == (ONE,)


def test_a_reference_to_a_character_stays() -> None:
    assert repair_feed("<a>&#1103;&#x44F;&amp;&#38;</a>") == "<a>&#1103;&#x44F;&amp;&#38;</a>"


def test_links_of_plain_rss_are_found_without_feedparser() -> None:
    feed = make_rss(
        f"<link> {ONE} </link><guid>x</guid>", f"<title>a &amp; b</title><link><![CDATA[{ONE}?a=1&b]]></link>"
    )
    assert [link.strip() for link in list_plain_links(f"<?xml version='1.0' encoding='x'?>{feed}")] == [
        ONE,
        f"{ONE}?a=1&b",
    ]


@pytest.mark.parametrize(
    "feed",
    [
        make_rss("<guid>x</guid>"),
        make_rss(f"<link>{ONE}</link>", "<link>/news/1</link>"),
        make_rss(f"<link>{ONE};a</link>"),
        make_rss(f"<link>{ONE}<!-- x -->y</link>"),
        make_rss(f"<link>{ONE}</link><a:link xmlns:a='http://www.w3.org/2005/Atom' href='x'/>"),
        make_rss(f"<link>{ONE}</link><source><link>{ONE}</link></source>"),
        f"<!DOCTYPE rss>{make_rss(f'<link>{ONE}</link>')}",
        make_rss(f"<link>{ONE}</link>").removesuffix("</rss>"),
        make_rss(f"<link>{ONE}</link>").replace("rss", "RSS"),
        make_rss(f"<title>\ud800</title><link>{ONE}</link>"),
    ],
)
def test_any_other_feed_is_left_to_feedparser(feed: str) -> None:
    assert list_plain_links(feed) == []


def test_entries_come_once_in_the_order_of_the_feed() -> None:
    other = "https://qazmonitor.com/news/1393/x"
    assert read_feed(make_rss(f"<link>{other}</link>", f"<link>{ONE}</link>", f"<link>{other}</link>")).links == (
        other,
        ONE,
    )


@pytest.mark.parametrize(
    "entry",
    [
        f"<link>\n {ONE} \n</link>",
        f"<link><![CDATA[{ONE}]]></link>",
        f"<guid isPermaLink='false'>{ONE}</guid>",
        f"<guid>{ONE}</guid>",
        "<link>/news/1392/kazakh-mfa</link>",
        "<link>https://en.qazmonitor.com/news/1392/kazakh-mfa?utm_source=rss&amp;utm_medium=x#top</link>",
    ],
)
def test_any_form_of_a_link_is_the_canonical_address(entry: str) -> None:
    assert read_feed(make_rss(entry)).links == (ONE,)


@pytest.mark.parametrize(
    ("channel", "entry"),
    [
        ("<link>https://qazmonitor.com/</link>", "<link>news/1392/kazakh-mfa</link>"),
        ("<link>https://qazmonitor.com/news/</link>", "<link>1392/kazakh-mfa</link>"),
        ("<link>http://[x</link>", "<link>/news/1392/kazakh-mfa</link>"),
        ("", f"<link>https://qazmonitor.com/</link><guid isPermaLink='true'>{ONE}</guid>"),
        ("", f"<link>https://qazmonitor.com/</link><guid>{ONE}</guid>"),
        ("", f"<link>https://feeds.example/~r/1</link><f:origLink xmlns:f='{FEEDBURNER}'>{ONE}</f:origLink>"),
        ("", f"<link>http://[x</link><guid>{ONE}</guid>"),
        ("", f"<link>{ONE}</link><guid>https://qazmonitor.com/news/7/other</guid>"),
        ("", f"<link>{ONE}</link></item><item><link>http://[link here]/news/1</link>"),
        ("", f"<guid>http://[x</guid></item><item><link>{ONE.replace('https', 'HTTP')}</link>"),
        ("", f"<link>{ONE.replace('.com/', '.com.//')};jsessionid=7</link>"),
    ],
)
def test_address_is_found_and_a_malformed_one_costs_only_itself(channel: str, entry: str) -> None:
    body = make_rss(entry).replace("<title>x</title>", f"<title>x</title>{channel}")
    assert read_feed(body).links == (ONE,)


def test_base_of_the_xml_comes_before_the_channels_link() -> None:
    body = make_rss("<link>1392/kazakh-mfa</link>").replace("<rss ", "<rss xml:base='https://qazmonitor.com/news/' ")
    assert read_feed(body.replace("<title>", "<link>https://qazmonitor.com/culture/</link><title>")).links == (ONE,)


def test_relative_address_in_atom_is_relative_to_the_document() -> None:
    link = "<link href='https://qazmonitor.com/culture/'/><entry><link href='kazakh-mfa'/></entry>"
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title>{link}</feed>"
    assert read_feed(body, url="https://qazmonitor.com/news/1392/feed").links == (ONE,)


RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
    f"<channel rdf:about='x'><title>x</title></channel><item rdf:about='{ONE}'><link>{ONE}</link></item></rdf:RDF>"
)


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/octet-stream"])
@pytest.mark.parametrize(
    "body",
    [
        RDF,
        f"<?xml version='1.0'?>\n{RDF}",
        f"<!-- {'x' * 900} --><?xml-stylesheet href='x'?>\n<!DOCTYPE rss>{make_rss(f'<link>{ONE}</link>')}",
        make_rss(f"<link>{ONE}</link>").replace("rss", "RSS"),
        "\ufeff" + make_rss(f"<link>{ONE}</link>"),
    ],
)
def test_feed_of_another_content_type_is_a_feed(body: str, kind: str) -> None:
    assert read_feed(body, {"content-type": kind}).links == (ONE,)


@pytest.mark.parametrize(
    "body", [f"<html><body><a href='{ONE}'>about &lt;rss</a></body></html>", "<!-- <rss> --><p>x</p>", "<!--" * 50_000]
)
def test_page_that_mentions_feeds_is_no_feed(body: str) -> None:
    assert not Feed.can_read(Snapshot(url=ONE, body=body.encode(), headers={"content-type": "text/html"}), SITE)


@pytest.mark.parametrize(
    "entry",
    [f"<link href='{ONE}'/><id>x</id>", f"<id>{ONE}</id>", "<link rel='alternate' href='/news/1392/kazakh-mfa'/>"],
)
def test_atom(entry: str) -> None:
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title><entry>{entry}</entry></feed>"
    assert read_feed(body, {"content-type": "application/atom+xml"}).links == (ONE,)


def test_feed_served_as_html_is_a_feed() -> None:
    assert read_feed(make_rss(f"<link>{ONE}</link>"), {"content-type": "text/html"}).page_class == "Feed"


def test_other_encoding_is_read() -> None:
    body = "<?xml version='1.0' encoding='windows-1251'?>" + make_rss(f"<title>Мост</title><link>{ONE}</link>")
    assert read_feed(body.encode("cp1251")).links == (ONE,)


def test_feed_cut_short_gives_what_it_has() -> None:
    assert read_feed(make_rss(f"<link>{ONE}</link>").removesuffix("</channel></rss>") + "<item><tit").links == (ONE,)


@pytest.mark.parametrize(
    "body",
    [
        "<rss version='2.0'><channel><title>x</title></channel></rss>",
        "<rss",
        "<?xml version='1.0'?><menu><dish/></menu>",
        make_rss("<title>no link</title>"),
        make_rss("<link>https://qazmonitor.com/terms</link>", "<link>https://example.org/news/1/x</link>"),
    ],
)
def test_feed_without_an_article_is_changed(body: str) -> None:
    with pytest.raises(PageChanged) as caught:
        read_feed(body)
    assert caught.value.field == "links"


BOMB = f"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{"ha" * 99}"><!ENTITY b "&a;&a;&a;&a;">]>"""


@pytest.mark.parametrize("head", [BOMB, BOMB.replace("ENTITY", "entity"), f"<!--{' ' * 20_000}-->{BOMB}"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_feed_that_declares_entities_is_refused(head: str, encoding: str) -> None:
    with pytest.raises(PageChanged, match="<!ENTITY"):
        read_feed((head + make_rss(f"<title>&b;</title><link>{ONE}</link>")).encode(encoding))


def test_feed_that_writes_about_entities_is_read() -> None:
    assert read_feed(make_rss(f"<title><![CDATA[How <!ENTITY works]]></title><link>{ONE}</link>")).links == (ONE,)


@pytest.mark.parametrize("ending", ["", "\n"])
def test_body_that_is_the_name_of_a_file_is_not_opened(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "secret.xml"
    file.write_text(make_rss(f"<link>{ONE}</link>"), encoding="utf-8")
    with pytest.raises(PageChanged):
        read_feed(f"{file}{ending}")
