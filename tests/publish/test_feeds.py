"""Atom, JSON Feed and RSS: their specifications, a strict reader, permanent ids, correct times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from support.feed_validation import find_atom_errors, find_json_errors, find_rss_errors
from support.sample_entries import ENTRIES, HEAD, NOON, OTHERS, make_entry

from crawler.items import ArticleFlag
from crawler.publish.entries import Entry
from crawler.publish.feeds.feed import make_urn
from crawler.publish.output_registry import FEED_FORMATS
from crawler.rights import Excerpt, Piece

GOLDEN = Path(__file__).parent / "golden"
BROKEN = {"atom": find_atom_errors, "rss": find_rss_errors, "json": find_json_errors}


def format_feed(kind: str, entries: Sequence[Entry] = ENTRIES, **head: Any) -> bytes:
    return FEED_FORMATS[kind](replace(HEAD, **head), entries)


def parse_feed(kind: str, entries: Sequence[Entry] = ENTRIES, **head: Any) -> Any:
    found = feedparser.parse(format_feed(kind, entries, **head))
    assert found.bozo == 0, found.get("bozo_exception")
    return found


def list_json_items(*entries: Entry, **head: Any) -> list[dict[str, Any]]:
    return list(json.loads(format_feed("json", entries, **head))["items"])


@pytest.mark.parametrize("kind", FEED_FORMATS)
def test_a_feed_equals_the_golden_file(kind: str) -> None:
    path = GOLDEN / f"feed.{kind}"
    if not path.is_file():
        path.write_bytes(format_feed(kind))
        pytest.fail(f"{path} is new: read it, and keep it when it is right")
    assert format_feed(kind).decode() == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", FEED_FORMATS)
@pytest.mark.parametrize("entries", [ENTRIES, ()], ids=["full", "empty"])
def test_a_feed_follows_its_specification(kind: str, entries: Sequence[Entry]) -> None:
    assert BROKEN[kind](format_feed(kind, entries)) == []
    assert BROKEN[kind](format_feed(kind, entries, address=None, language=None)) == []


def test_checks_find_what_is_broken() -> None:
    once = format_feed("atom").decode()
    assert find_atom_errors(once.replace("+00:00</updated>", "</updated>", 1).encode())
    assert find_atom_errors(once.replace("<title>Revised</title>", "").encode())
    twice = (ENTRIES[0], ENTRIES[0])
    assert [BROKEN[kind](format_feed(kind, twice)) != [] for kind in FEED_FORMATS] == [True, True, True]


@pytest.mark.parametrize("kind", ["atom", "rss"])
def test_feedparser_reads_everything(kind: str) -> None:
    found = parse_feed(kind)
    assert found.version == {"atom": "atom10", "rss": "rss20"}[kind]
    assert found.feed.title == HEAD.title
    first, revised, gone, untitled, bare = found.entries
    assert first.title.startswith('ICRC opens an "office" in Astana')
    assert first.link == "https://qazmonitor.com/news/1/x?a=1&b=2"
    assert first.author == "A. Serik"
    assert "… The <strong>ICRC</strong> &lt;came&gt; &amp; stayed. …" in first.summary
    assert first.published_parsed[:5] == (2026, 3, 6, 7, 0)
    assert revised.updated_parsed[:5] == (2026, 3, 7, 7, 0)
    assert gone.title == "Снято с публикации: Снятый текст"
    assert "со ссылкой на kazakhstan today" in gone.summary.lower()
    assert [tag.term for tag in gone.tags] == ["red-cross", "ihl"]
    assert untitled.title == "‹Тақырыпсыз мәтін…›"
    assert bare.updated_parsed[:3] == (2026, 3, 7)
    assert [link.href for link in first.links if link.rel == "related"] == [other.url for other in OTHERS]


def test_each_entry_has_its_language() -> None:
    name = "{http://www.w3.org/XML/1998/namespace}lang"
    atom, rss = etree.fromstring(format_feed("atom")), etree.fromstring(format_feed("rss"))
    assert [entry.get(name) for entry in atom.iter("{*}entry")] == ["en", "en", "ru", "kk", None]
    assert [item.get(name) for item in rss.iter("item")] == ["en", "en", "ru", "kk", None]
    assert [item.get("language") for item in list_json_items(*ENTRIES)] == ["en", "en", "ru", "kk", None]


def test_words_around_an_entry_are_in_its_language() -> None:
    english, kazakh = list_json_items(ENTRIES[0], ENTRIES[3])
    assert "Read the whole text" in english["content_html"]
    assert "Толық мәтінін оқу" in kazakh["content_html"]


def test_doubts_are_in_the_words_of_the_entry() -> None:
    flags = (ArticleFlag.BOILERPLATE_REMOVED, ArticleFlag.UNDECODABLE_CHARACTERS, ArticleFlag.FUTURE_DATE)
    english, russian, sound = list_json_items(
        make_entry("1", flags=flags, published_at=None),
        make_entry("2", flags=flags[2:], language="ru"),
        make_entry("3"),
    )
    assert (
        "<em>Some characters could not be decoded; the site&#39;s date lies in the future.</em>"
        in (english["content_html"])
    )
    assert "<em>Дата, указанная на сайте, ещё не наступила.</em>" in russian["content_html"]
    assert english["_crawler"]["flags"] == [flag.value for flag in flags]
    assert "<em>" not in sound["content_html"]
    assert "flags" not in sound["_crawler"]


def test_a_lead_with_a_match_is_shown_and_marked() -> None:
    (gone,) = list_json_items(ENTRIES[2])
    assert "<p>О <strong>Красном Кресте</strong> и МККК.</p><p>Весь текст.</p>" in gone["content_html"]
    (body,) = list_json_items(make_entry(lead="Nothing of it here."))
    assert "Nothing of it" not in body["content_html"]


def test_ids_do_not_depend_on_story_numbers_titles_and_addresses() -> None:
    (first,) = list_json_items(ENTRIES[0])
    (later,) = list_json_items(replace(ENTRIES[0], story=9, url="https://new.example/", headline="New", version=4))
    assert first["id"] == later["id"] == make_urn("story", "mfa:7:ru")
    (alone,) = list_json_items(make_entry("7", id="mfa:7:ru"))
    assert alone["id"] == first["id"]  # before any other site had it
    (article,) = list_json_items(ENTRIES[0], by_story=False)
    assert article["id"] == make_urn("article", "qazmonitor:1:en")


def test_the_name_space_of_ids_never_changes() -> None:
    assert make_urn("story", "mfa:7:ru") == "urn:uuid:f1c4de96-5327-5dbf-86f4-bfe5cff445e0"


def test_times_of_a_feed_are_those_of_its_entries() -> None:
    (revised,) = list_json_items(ENTRIES[1])
    assert (revised["date_published"], revised["date_modified"]) == (
        "2026-03-06T07:00:00+00:00",
        "2026-03-07T07:00:00+00:00",
    )
    assert parse_feed("atom", ENTRIES[:1]).feed.updated == "2026-03-06T07:00:00+00:00"
    assert parse_feed("atom", (), made_at=datetime(2026, 5, 1, tzinfo=UTC)).feed.updated == "2026-05-01T00:00:00+00:00"


def test_the_same_entries_make_the_same_bytes_later() -> None:
    dated = ENTRIES[:4]
    for kind in FEED_FORMATS:
        assert format_feed(kind, dated) == format_feed(kind, dated, made_at=NOON + timedelta(days=99))


ANY = st.text(st.characters(codec=None), max_size=30)


@given(ANY, ANY, ANY)
def test_no_character_breaks_a_feed(headline: str, text: str, name: str) -> None:
    entry = make_entry(
        headline=headline, lead=name, excerpt=Excerpt(pieces=(Piece(text=text),)), source_title=name, matches=()
    )
    for kind in FEED_FORMATS:
        raw = format_feed(kind, (replace(entry, others=(replace(OTHERS[0], headline=headline),)),))
        assert "[" in raw.decode("utf-8") or etree.fromstring(raw) is not None
        assert json.loads(raw) if kind == "json" else etree.fromstring(raw).tag
