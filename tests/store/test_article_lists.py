"""Contract tests of the lists for programs: articles, what is new, ended runs, and the actions of readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from support.newsroom_articles import make_story_article

from crawler.items import Health, Run, Verdict
from crawler.store import Store
from crawler.store.article_lists import ArticleFilter
from crawler.store.reader_actions import ActionKind, ArticleAtVersion
from crawler.store.reading_lists import ListPlace

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
Save = Callable[..., int]


def list_ids(store: Store, **wanted: object) -> list[str]:
    return [each.id for each in store.article_lists.list_newest(ArticleFilter(**wanted), 50)]  # type: ignore[arg-type]


def test_articles_are_listed_newest_first_by_filters(store: Store, save: Save) -> None:
    save(make_story_article("1", published_at=NOON))
    save(make_story_article("2", source="ktkz", language="kk", rule="ihl", published_at=NOON + HOUR))
    save(make_story_article("3", "Погода хорошая.", published_at=NOON + 2 * HOUR))
    assert list_ids(store) == ["mfa:3:ru", "ktkz:2:kk", "mfa:1:ru"]
    assert list_ids(store, matched=True) == ["ktkz:2:kk", "mfa:1:ru"]
    assert list_ids(store, matched=False) == ["mfa:3:ru"]
    assert list_ids(store, rule="ihl") == list_ids(store, source="ktkz") == ["ktkz:2:kk"]
    assert list_ids(store, language="kk") == list_ids(store, since=NOON + HOUR, matched=True) == ["ktkz:2:kk"]
    assert list_ids(store, until=NOON + HOUR) == ["mfa:1:ru"]
    assert list_ids(store, verdict=Verdict.REVISED) == []


def test_list_continues_behind_a_place(store: Store, save: Save) -> None:
    for name in "123":
        save(make_story_article(name, published_at=NOON))
    first = store.article_lists.list_newest(ArticleFilter(), 2)
    rest = store.article_lists.list_newest(ArticleFilter(), 2, behind=ListPlace(first[-1].dated_at, first[-1].id))
    assert [each.id for each in (*first, *rest)] == ["mfa:3:ru", "mfa:2:ru", "mfa:1:ru"]


def test_listed_article_has_what_its_card_has(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    save(make_story_article("2", "Погода хорошая."))
    by_id = {each.id: each for each in store.article_lists.list_newest(ArticleFilter(), 9)}
    assert (by_id["mfa:1:ru"].headline, by_id["mfa:1:ru"].rules) == ("Заголовок 1", ("red-cross-movement",))
    assert (by_id["mfa:2:ru"].headline, by_id["mfa:2:ru"].rules) == (None, ())


def test_new_versions_follow_a_place(store: Store, save: Save) -> None:
    lists = store.article_lists
    assert lists.get_last_event_id() == 0
    save(make_story_article("1"))
    place, mark = lists.get_last_event_id(), lists.get_news_mark()
    assert lists.get_news_mark() == mark
    save(make_story_article("2"))
    assert lists.get_news_mark() != mark
    (found,) = lists.list_new_versions(place, 9)
    assert (found.article_id, found.version, found.verdict, found.headline) == (
        "mfa:2:ru",
        1,
        Verdict.NEW,
        "Заголовок 2",
    )
    assert [each.article_id for each in lists.list_new_versions(0, 1)] == ["mfa:1:ru"]


def test_suppressed_event_is_no_news(store: Store) -> None:
    article = make_story_article("1")
    store.articles.save(article, content_hash="1", run_id=None, seen_at=NOON, suppressed_because="baseline")
    assert store.article_lists.list_new_versions(0, 9) == []


def test_ended_runs_follow_a_time(store: Store) -> None:
    early = store.runs.record_start(Run(source="mfa", started_at=NOON))
    late = store.runs.record_start(Run(source="ktkz", started_at=NOON))
    store.runs.record_start(Run(source="qazmonitor", started_at=NOON))
    replayed = store.runs.record_start(Run(source="qazmonitor", mode="replay", started_at=NOON))
    mark = store.article_lists.get_news_mark()
    store.runs.record_end(replace(late, finished_at=NOON + HOUR, health=Health.HEALTHY))
    store.runs.record_end(replace(early, finished_at=NOON + 2 * HOUR, health=Health.BLOCKED, reason="403"))
    store.runs.record_end(replace(replayed, finished_at=NOON + 3 * HOUR, health=Health.HEALTHY))
    assert store.article_lists.get_news_mark() != mark
    found = store.article_lists.list_ended_runs(NOON)
    assert [(each.source, each.health) for each in found] == [("ktkz", Health.HEALTHY), ("mfa", Health.BLOCKED)]
    assert [each.id for each in store.article_lists.list_ended_runs(NOON + HOUR)] == [early.id]
    assert store.runs.get(early.id or 0) is not None
    assert store.runs.get(99) is None


def test_run_that_is_stored_after_one_that_ended_later_is_new(store: Store) -> None:
    early, late = (store.runs.record_start(Run(source=name, started_at=NOON)) for name in ("mfa", "ktkz"))
    store.runs.record_end(replace(late, finished_at=NOON + 2 * HOUR, health=Health.HEALTHY))
    mark = store.article_lists.get_news_mark()
    store.runs.record_end(replace(early, finished_at=NOON + HOUR, health=Health.BLOCKED))
    assert store.article_lists.get_news_mark() != mark


def test_actions_are_listed_newest_first_without_what_others_have_seen(store: Store, save: Save) -> None:
    save(make_story_article("1"))
    save(make_story_article("2"))
    actions = store.reader_actions
    one, other = ArticleAtVersion("mfa:1:ru", 1), ArticleAtVersion("mfa:2:ru", 1)
    actions.record([one, other], ActionKind.NOTE, by="anna", at=NOON, note="x")
    actions.record([one], ActionKind.SEEN, by="anna", at=NOON)
    actions.record([one], ActionKind.SEEN, by="olga", at=NOON)
    undone = actions.record([one], ActionKind.IMPORTANT, by="anna", at=NOON)
    actions.undo(undone or 0, at=NOON)
    found = actions.list_newest(9, reader="anna")
    assert [(each.kind, each.made_by) for each in found] == [("seen", "anna"), ("note", "anna"), ("note", "anna")]
    assert actions.list_newest(9, reader="anna", before=found[0].id) == found[1:]
    assert [each.kind for each in actions.list_newest(9, reader="olga", kind=ActionKind.SEEN)] == ["seen"]
    assert len(actions.list_newest(9, reader="olga", article_id="mfa:2:ru")) == 1
