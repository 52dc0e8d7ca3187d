"""The canary's judgement: what an edit explains, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crawler import spiders
from crawler.archive.folder import read_file
from crawler.config import Config
from crawler.extract.page import read
from crawler.items import Article, Image
from crawler.replay.canary import Finding, Known, Word, changed, edited, judge
from crawler.snapshot import Snapshot

SNAPSHOTS = Path(__file__).parents[2] / "snapshots" / "qazmonitor"
SITE = spiders.load("qazmonitor").site_of(Config())


def stored(name: str) -> Snapshot:
    (page,) = read_file(SNAPSHOTS / name)
    return page.snapshot


@pytest.fixture
def then() -> Article:
    (article,) = read(stored("article_1405.html"), SITE).articles
    return article


def look(page: Snapshot, known: str = "article_1405.html", *, page_class: str = "QazArticle") -> Finding:
    before = stored(known)
    article = next(iter(read(before, SITE).articles), None)
    return judge(Known(page_class=page_class, url=before.url, name=known, article=article), page, SITE)


def swapped(page: Snapshot, old: str, new: str) -> Snapshot:
    assert old in page.text
    return replace(page, body=page.text.replace(old, new).encode())


def test_a_page_as_it_was_is_as_expected() -> None:
    finding = look(stored("article_1405.html"))
    assert (finding.word, finding.exit_code) == (Word.EXPECTED, 0)


def test_an_edited_text_makes_the_fixture_old(then: Article) -> None:
    sentence = then.body.split("\n")[0][:40]
    finding = look(swapped(stored("article_1405.html"), sentence, "Somebody else"))
    assert (finding.word, finding.exit_code) == (Word.OLD, 0)
    assert "body differ" in finding.why


def test_a_page_that_is_gone_makes_the_fixture_old() -> None:
    finding = look(replace(stored("article_1405.html"), status=404))
    assert (finding.word, finding.gone) == (Word.OLD, True)


@pytest.mark.parametrize("old", ["Only 30%", "•"])
def test_a_page_of_another_shape_is_a_changed_site(old: str) -> None:
    finding = look(swapped(stored("article_1405.html"), old, "?"))
    assert (finding.word, finding.exit_code) == (Word.CHANGED, 12)


@pytest.mark.parametrize(
    ("name", "word", "code"), [("challenge_200.html", Word.BLOCKED, 11), ("down_502.html", Word.UNREACHABLE, 10)]
)
def test_what_is_no_page_is_named(name: str, word: Word, code: int) -> None:
    finding = look(stored(name))
    assert (finding.word, finding.exit_code) == (word, code)


def test_a_list_that_another_class_reads_is_a_changed_site() -> None:
    assert look(stored("rss.xml"), "rss.xml", page_class="Feed").word is Word.EXPECTED
    finding = look(stored("section_news.html"), "rss.xml", page_class="Feed")
    assert (finding.word, "QazSection" in finding.why) == (Word.CHANGED, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "qazmonitor:9:en"),
        ("lead", None),
        ("section", None),
        ("body", "Menu\nSearch\nSubscribe"),
    ],
)
def test_what_no_edit_changes_is_a_changed_site(then: Article, field: str, value: str | None) -> None:
    before = replace(then, lead=then.lead or "A lead", section=then.section or "News")
    assert changed(before, before) is None
    assert changed(before, replace(before, **{field: value})) is not None  # type: ignore[arg-type]


def test_the_day_of_publication_and_pictures_last(then: Article) -> None:
    assert then.published_at is not None
    assert changed(then, replace(then, published_at=then.published_at + timedelta(days=1))) is not None
    pictured = replace(then, images=(Image(url="https://qazmonitor.com/a.jpg", caption=None),))
    assert changed(pictured, replace(pictured, images=())) is not None


def test_a_text_grows_by_an_edit_but_not_by_the_whole_page(then: Article) -> None:
    assert changed(then, replace(then, body=f"{then.body}\nOne more paragraph.")) is None
    assert changed(then, replace(then, body="\n".join([then.body] * 4))) is not None


def test_words_of_the_page_around_the_article_are_a_changed_site(then: Article) -> None:
    assert then.fetched_at is not None
    why = changed(then, replace(then, body=f"{then.body}\nQazMonitor Logo"))
    assert why is not None
    assert "without the page's own words" in why


def test_what_was_worded_anew_is_named(then: Article) -> None:
    now = replace(then, title="A better title", body=f"{then.body} More.")
    assert changed(then, now) is None
    assert edited(then, now) == ["title", "body"]
