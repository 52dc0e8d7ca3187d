"""Contract tests of the cards that lists show, and of the lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert
from support.newsroom_articles import make_story_article
from support.releases import unpack_release

from crawler.config import load_config
from crawler.items import Article, Health, Precision, Run, Verdict
from crawler.revisions.kinds import Severity
from crawler.store import Store, open_store
from crawler.store.article_cards import MAX_EXCERPT_LENGTH, TimeKind
from crawler.store.reading_lists import ListPlace, RecentChanges, RestoredText, StoryFilter, StoryStatus
from crawler.store.reading_schema import article_cards, unwritten_cards

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
Save = Callable[..., int]


def make_matched(
    native_id: str, body: str = "Делегация МККК прибыла в Астану. Встреча прошла.", **values: object
) -> Article:
    term = "МККК" if "МККК" in body else "Red Cross"
    return make_story_article(native_id, body, term=term, **{"rule": "red-cross", **values})


def list_ids(store: Store, **wanted: object) -> list[str]:
    return [each.card.article_id for each in store.reading_lists.list_stories(StoryFilter(**wanted), 50)]


def test_card_has_the_sentence_with_its_match(store: Store, save: Save) -> None:
    save(make_matched("1", published_at=NOON - HOUR / 2))
    (story,) = store.reading_lists.list_stories(StoryFilter(), 10)
    (excerpt,) = story.card.excerpts
    assert excerpt.text == "Делегация МККК прибыла в Астану."
    assert [excerpt.text[start:end] for start, end in excerpt.marks] == ["МККК"]
    assert (story.card.headline, story.card.rules, story.id) == ("Заголовок 1", ("red-cross",), None)
    assert (story.card.active_at, story.card.time_kind) == (NOON - HOUR / 2, TimeKind.PUBLISHED)


def test_article_without_a_match_has_no_card(store: Store, save: Save) -> None:
    unmatched = make_matched("1", matches=())
    save(unmatched)
    save(replace(unmatched, version=2, body="Другое.", verdict=Verdict.REVISED))
    assert list_ids(store) == []


@pytest.mark.parametrize(
    ("published", "precision", "suppressed", "expected"),
    [
        (None, None, None, (NOON, TimeKind.SEEN)),
        (NOON - 3 * HOUR, Precision.MINUTE, None, (NOON, TimeKind.SEEN)),
        (NOON - 3 * HOUR, Precision.MINUTE, "baseline", (NOON - 3 * HOUR, TimeKind.PUBLISHED)),
        (NOON - 12 * HOUR, Precision.DAY, None, (NOON - 12 * HOUR, TimeKind.DAY)),
        (NOON + 240 * HOUR, Precision.MINUTE, "baseline", (NOON, TimeKind.SEEN)),
    ],
)
def test_time_of_a_new_article(
    store: Store,
    save: Save,
    published: datetime | None,
    precision: Precision | None,
    suppressed: str | None,
    expected: tuple[datetime, TimeKind],
) -> None:
    article = make_matched("1", published_at=published, published_precision=precision)
    save(article, suppressed_because=suppressed)
    card = store.cards.get(article.id)
    assert card is not None
    assert (card.active_at, card.time_kind) == expected


def test_revision_moves_the_story_up_and_shows_its_change(store: Store, save: Save) -> None:
    first, second = make_matched("1"), make_matched("2")
    save(first)
    save(second, seen_at=NOON + HOUR)
    later = make_matched("1", "Делегация МККК прибыла в Алматы. Встреча прошла.", version=2, verdict=Verdict.REVISED)
    save(later, seen_at=NOON + 2 * HOUR)
    assert list_ids(store) == [first.id, second.id]
    card = store.cards.get(first.id)
    assert card is not None
    assert (card.version, card.severity, card.time_kind) == (2, Severity.SUBSTANTIVE, TimeKind.CHANGED)
    assert {text for mark, text in card.change if mark == "removed"} == {"Астану"}
    assert {text for mark, text in card.change if mark == "added"} == {"Алматы"}
    assert list_ids(store, status=StoryStatus.REVISED) == [first.id]
    assert list_ids(store, status=StoryStatus.NEW) == [second.id]


def test_article_that_lost_its_match_stays_listed(store: Store, save: Save) -> None:
    save(make_matched("1"))
    save(make_matched("1", "МККК.", matches=(), version=2, verdict=Verdict.REVISED))
    (story,) = store.reading_lists.list_stories(StoryFilter(), 10)
    assert (story.card.rules, story.card.excerpts, story.card.is_strong) == ((), (), True)


def test_weak_matches_have_a_list_of_their_own(store: Store, save: Save) -> None:
    save(make_matched("1", strength="weak"))
    save(make_matched("2"))
    assert list_ids(store) == ["mfa:2:ru"]
    assert list_ids(store, status=StoryStatus.WEAK) == ["mfa:1:ru"]


def test_filters_and_counts_agree(store: Store, save: Save) -> None:
    save(make_matched("1"))
    save(make_matched("2", "The Red Cross came.", language="en", rule="ihl"))
    save(make_matched("3", source="ktkz"))
    for wanted, expected in (
        ({"source": "ktkz"}, ["ktkz:3:ru"]),
        ({"language": "en"}, ["mfa:2:en"]),
        ({"rule": "red-cross"}, ["mfa:1:ru", "ktkz:3:ru"]),
        ({"rule": "red-cross", "source": "mfa"}, ["mfa:1:ru"]),
        ({"rule": "ihl", "language": "ru"}, []),
    ):
        assert list_ids(store, **wanted) == expected
        assert store.reading_lists.count_stories(StoryFilter(**wanted)) == len(expected)


def test_story_is_listed_once_at_its_newest_selected_article(store: Store, save: Save) -> None:
    body = "Делегация МККК прибыла в Астану. Стороны обсудили подготовку врачей, помощь больницам и новый учебный курс."
    save(make_matched("1", body))
    save(make_matched("1", body, source="ktkz"), seen_at=NOON + HOUR)
    save(make_matched("9", "О погоде: МККК закупил зонты для 17 сотрудников склада."))
    store.clusters.assign_pending(UTC)
    stories = store.reading_lists.list_stories(StoryFilter(), 10)
    assert [each.card.article_id for each in stories] == ["ktkz:1:ru", "mfa:9:ru"]
    assert {each.article_id for each in stories[0].articles} == {"ktkz:1:ru", "mfa:1:ru"}
    assert stories[0].id is not None
    assert list_ids(store, source="mfa") == ["mfa:9:ru", "mfa:1:ru"]
    assert store.reading_lists.count_stories(StoryFilter()) == 2


def test_list_continues_behind_a_place(store: Store, save: Save) -> None:
    for number in range(7):
        save(make_matched(str(number)), seen_at=NOON + number // 2 * HOUR)
    seen, place = [], None
    while page := store.reading_lists.list_stories(StoryFilter(), 3, behind=place):
        seen += [each.card.article_id for each in page]
        place = ListPlace(page[-1].card.active_at, page[-1].card.article_id)
    assert seen == list_ids(store)
    assert len(seen) == len(set(seen)) == 7


def test_rematch_rewrites_or_deletes_the_card(store: Store, save: Save) -> None:
    article = make_matched("1")
    save(article)
    other = replace(article, matches=(replace(article.matches[0], rule="ihl"),))
    store.rematches.save_matches(other, article.matches, rules_digest="x", at=NOON)
    card = store.cards.get(article.id)
    assert card is not None
    assert card.rules == ("ihl",)
    store.rematches.save_matches(replace(article, matches=()), other.matches, rules_digest="y", at=NOON)
    assert store.cards.get(article.id) is None


def test_page_that_was_read_anew_is_no_news(store: Store, save: Save) -> None:
    save(make_matched("1"))
    before = store.cards.get("mfa:1:ru")
    assert before is not None
    anew = make_matched("1", "Делегация МККК прибыла в Шымкент.", rule="ihl", version=2, verdict=Verdict.REPROCESSED)
    save(anew, seen_at=NOON + 24 * HOUR)
    card = store.cards.get("mfa:1:ru")
    assert card is not None
    assert card.excerpts[0].text == "Делегация МККК прибыла в Шымкент."
    assert (card.active_at, card.version, card.verdict) == (before.active_at, 1, Verdict.NEW)
    assert list_ids(store, rule="ihl") == ["mfa:1:ru"]
    assert list_ids(store, rule="red-cross") == []
    save(make_matched("2", matches=(), published_at=NOON - HOUR))
    found = make_matched("2", version=2, verdict=Verdict.REPROCESSED, published_at=NOON - HOUR)
    save(found, seen_at=NOON + 24 * HOUR)
    second = store.cards.get("mfa:2:ru")
    assert second is not None
    assert (second.active_at, second.version) == (NOON - HOUR, 2)


def test_missing_cards_of_an_older_store_are_written_once(store: Store, save: Save) -> None:
    article = make_matched("1")
    save(article, suppressed_because="baseline")
    before = store.cards.get(article.id)
    with store.database.transaction() as connection:
        connection.execute(delete(article_cards))
        connection.execute(insert(unwritten_cards), [{"article_id": article.id}])
    assert (store.cards.write_missing(), store.cards.write_missing()) == (1, 0)
    assert store.cards.get(article.id) == before


def test_matched_articles_of_an_older_release_are_listed(tmp_path: Path) -> None:
    config = load_config(unpack_release("0004", tmp_path / "release"))
    with open_store(config.database_url, backup=False) as store:
        matched = {each.id for each in store.articles.iter_newest() if each.matches}
        listed = store.reading_lists.list_stories(StoryFilter(), 50)
        assert {each.article_id for story in listed for each in story.articles if each.version} == matched
        assert all(each.card.excerpts for each in listed)


def test_excerpt_of_a_huge_text_is_bounded(store: Store, save: Save) -> None:
    body = "слово " * 20_000 + "МККК" + " слово" * 20_000
    article = make_matched("1", body, title="З" * 1_000_000)
    save(article, content_hash="huge")
    card = store.cards.get(article.id)
    assert card is not None
    (excerpt,) = card.excerpts
    assert len(excerpt.text) <= MAX_EXCERPT_LENGTH
    assert [excerpt.text[start:end] for start, end in excerpt.marks] == ["МККК"]
    assert len(card.headline) <= 300


def test_broken_characters_are_stored(store: Store, save: Save) -> None:
    article = make_matched("1", "МККК \ud800 \0 конец.", title="\ud800 \0")
    save(article, content_hash="broken")
    assert store.cards.get(article.id) is not None


def test_versions_without_their_texts(store: Store, save: Save) -> None:
    save(make_matched("1"))
    for version in range(2, 6):
        save(make_matched("1", f"МККК, выпуск {version}.", version=version, verdict=Verdict.REVISED))
    listed = store.reading_lists.list_versions("mfa:1:ru", 3)
    assert [each.version for each in listed] == [5, 4, 3]
    assert listed[0].severity is not None
    rest = store.reading_lists.list_versions("mfa:1:ru", 3, before=3)
    assert [(each.version, each.severity) for each in rest][-1] == (1, None)


def test_changes_of_a_day_are_counted_together(store: Store, save: Save) -> None:
    first = make_matched("1")
    edited = replace(first, body="МККК, выпуск 2.", version=2, verdict=Verdict.REVISED)
    save(first, seen_at=NOON - 50 * HOUR)
    save(edited, seen_at=NOON - 30 * HOUR)
    assert store.reading_lists.get_recent_changes([first.id, "mfa:none:ru"]) == {first.id: RecentChanges(1, None)}
    save(replace(edited, body="МККК, выпуск 3.", version=3), seen_at=NOON - HOUR)
    save(replace(first, version=4, verdict=Verdict.REVISED), seen_at=NOON)
    assert store.reading_lists.get_recent_changes([first.id]) == {
        first.id: RecentChanges(2, RestoredText(1, NOON - 50 * HOUR, 2, NOON - 30 * HOUR, is_undone=False))
    }
    assert store.reading_lists.get_recent_changes([]) == {}
    save(replace(edited, version=5), seen_at=NOON + HOUR)
    save(replace(first, version=6, verdict=Verdict.REVISED), seen_at=NOON + 2 * HOUR)
    assert store.reading_lists.get_recent_changes([first.id])[first.id].restored == RestoredText(
        4, NOON, 5, NOON + HOUR, is_undone=True
    )


def test_articles_of_a_day_and_runs_are_counted(store: Store, save: Save) -> None:
    save(make_matched("1", published_at=NOON, matches=()))
    assert store.reading_lists.count_read(NOON, NOON + HOUR) == 1
    assert store.reading_lists.count_read(NOON - HOUR, NOON) == 0
    run = store.runs.record_start(Run(source="mfa", started_at=NOON))
    assert store.reading_lists.list_good_runs(NOON, NOON + HOUR) == []
    assert store.reading_lists.get_last_run_time() is None
    store.runs.record_end(replace(run, finished_at=NOON + HOUR, health=Health.HEALTHY, counts={"pages": 2}))
    assert store.reading_lists.list_good_runs(NOON, NOON + HOUR) == [("mfa", NOON)]
    (listed,) = store.reading_lists.list_runs(5)
    assert (listed.health, listed.counts, listed.problem_count) == (Health.HEALTHY, {"pages": 2}, 0)
    assert store.reading_lists.list_runs(5, before=listed.id) == []
    assert store.reading_lists.get_first_run_time() == NOON
    assert store.reading_lists.get_last_run_time() == NOON + HOUR
