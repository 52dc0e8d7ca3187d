"""What feeds, exports and press reviews show of an article whose page was only read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from support.day_of_news import BEGIN, END, HOUR, NOON, make_flood, make_later_version, save_article

from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.digest import Digest, make_digest
from crawler.publish.entries import Entry
from crawler.publish.export_columns import make_row
from crawler.publish.feeds.feed import FeedHead, make_items
from crawler.publish.query import ArticleQuery
from crawler.revisions.kinds import Severity
from crawler.store import ReprocessedArticle, Store, TextIndex

CONFIG = Config()
FEED = FeedHead(id="urn:feed", title="News", home="https://example.org/", made_at=NOON, by_story=False)


def reprocess(store: Store, former: Article, **changes: Any) -> Article:
    """Store another reading of an article's current version, and return it."""
    former = store.articles.get(former.id) or former
    reread = replace(former, **changes)
    assert store.articles.save_reprocessed([ReprocessedArticle(reread, former, TextIndex("new", "new"))]) == 1
    found = store.articles.get(former.id)
    assert found is not None
    return found


def build_entry(store: Store, article: Article) -> Entry:
    (entry,) = EntryBuilder(CONFIG, store).build([EntryRequest(article=article, with_severity=True)])
    return entry


def make_review(store: Store, begin: datetime = BEGIN, severity: Severity = Severity.COSMETIC) -> Digest:
    query = ArticleQuery()
    return make_digest(EntryBuilder(CONFIG, store), store, CONFIG, query, begin, END, min_severity=severity)


def save_edited_flood(store: Store) -> tuple[Article, Article]:
    first, edited = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(store, edited, NOON)
    return first, edited


def test_feed_item_keeps_its_id_and_times(store: Store) -> None:
    _, edited = save_edited_flood(store)
    (before,) = make_items(FEED, [build_entry(store, edited)])
    (after,) = make_items(FEED, [build_entry(store, reprocess(store, edited, author="A. Author"))])
    assert (after.id, after.updated, after.published, after.verdict) == (
        before.id,
        before.updated,
        before.published,
        Verdict.REVISED,
    )
    assert after.author == "A. Author"


def test_new_article_that_was_read_again_is_not_updated_in_feeds(store: Store) -> None:
    first, _ = make_flood()
    save_article(store, first, BEGIN + HOUR)
    (before,) = make_items(FEED, [build_entry(store, first)])
    (after,) = make_items(FEED, [build_entry(store, reprocess(store, first, title="Другой заголовок"))])
    assert (after.updated, after.verdict) == (before.updated, Verdict.NEW)
    assert after.title == "Другой заголовок"


def test_export_says_reprocessed_and_what_the_site_did(store: Store) -> None:
    _, edited = save_edited_flood(store)
    row = make_row(build_entry(store, reprocess(store, edited, author="A. Author")))
    assert (row["verdict"], row["site_verdict"]) == ("reprocessed", "revised")
    assert (row["severity"], row["change_kinds"]) == ("none", ["reprocessed"])
    assert make_row(build_entry(store, edited))["site_verdict"] is None


def test_press_review_shows_the_edit_of_the_site_alone(store: Store) -> None:
    _, edited = save_edited_flood(store)
    (before,) = make_review(store).stories
    again = reprocess(store, edited, body=edited.body.replace("Уральске", "Атырау"), title="Другой заголовок")
    (after,) = make_review(store).stories
    assert before.entry.edits
    assert (after.entry.edits, after.entry.severity) == (before.entry.edits, before.entry.severity)
    assert after.entry.diff_command == before.entry.diff_command == f"crawler diff {edited.id} --to 2"
    assert after.entry.verdict is Verdict.REVISED
    later = make_later_version(again, Verdict.REVISED, body=again.body.replace("трёх", "пяти"))
    save_article(store, replace(later, site_verdict=None), END - HOUR)
    (last,) = make_review(store, END - 2 * HOUR).stories
    assert [(edit.field, "пяти" in (edit.new or "")) for edit in last.entry.edits] == [("body", True)]


def test_article_that_was_only_read_again_is_in_no_later_review(store: Store) -> None:
    first, _ = make_flood()
    save_article(store, first, BEGIN - HOUR)
    reprocess(store, first, title="Другой заголовок")
    assert make_review(store).is_empty


@pytest.mark.parametrize("is_edited", [False, True])
def test_match_that_todays_rules_lack_was_not_removed_by_the_site(store: Store, *, is_edited: bool) -> None:
    first, edited = make_flood()
    save_article(store, first, BEGIN - HOUR if is_edited else NOON)
    if is_edited:
        save_article(store, edited, NOON)
    reprocess(store, first, matches=())
    assert make_review(store).is_empty


def test_match_that_comes_puts_the_article_where_it_was_first_seen(store: Store) -> None:
    first, _ = make_flood()
    save_article(store, replace(first, matches=()), NOON)
    assert make_review(store).is_empty
    reprocess(store, first, matches=first.matches)
    (story,) = make_review(store).stories
    assert (story.entry.verdict, story.entry.edits) == (Verdict.NEW, ())


def test_unpublished_article_stays_among_those_that_are_gone(store: Store) -> None:
    first, _ = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(store, make_later_version(first, Verdict.UNPUBLISHED), NOON)
    (before,) = make_review(store).gone
    again = reprocess(store, first, title="Другой заголовок")
    (after,) = make_review(store).gone
    assert (after.entry.verdict, after.entry.changed_at) == (Verdict.UNPUBLISHED, before.entry.changed_at)
    (item,) = make_items(FEED, [build_entry(store, again)])
    assert item.verdict is Verdict.UNPUBLISHED
