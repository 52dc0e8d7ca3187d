"""Digests: every version is in exactly one period, a story is listed once, outages are reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from support.day_of_news import (
    ALMATY,
    BEGIN,
    END,
    HOUR,
    NOON,
    add_run,
    make_article,
    make_flood,
    make_later_version,
    make_talks,
    save_article,
)

from crawler.config import Config
from crawler.items import Article, Health, Verdict
from crawler.publish.builder import EntryBuilder
from crawler.publish.composed_review import StoryMove, compose_digest, move_story
from crawler.publish.digest import Digest, make_digest, make_digest_of
from crawler.publish.digest_view import DigestView
from crawler.publish.outages import MAX_RUNS_EXAMINED
from crawler.publish.phrases import Phrases
from crawler.publish.query import ArticleQuery
from crawler.revisions.kinds import Severity
from crawler.store import Alarm, Store
from crawler.store.schedules import ScheduleState

RED_CROSS, LAW = "red-cross-movement", "ihl"
CONFIG = Config()
DAY = 24 * HOUR


def make_day_digest(
    store: Store,
    begin: datetime = BEGIN,
    end: datetime = END,
    *,
    wanted: ArticleQuery | None = None,
    language: str = "en",
    revisions: Severity = Severity.EDITORIAL,
) -> Digest:
    maker = EntryBuilder(CONFIG, store, language=language)
    return make_digest(
        maker, store, CONFIG, wanted or ArticleQuery(), begin, end, language=language, min_severity=revisions
    )


def make_digest_of_articles(store: Store, *articles: Article) -> Digest:
    return make_digest_of(EntryBuilder(CONFIG, store), store, CONFIG, ArticleQuery(), articles, BEGIN, END)


def list_entry_ids(found: Digest) -> list[str]:
    return [told.entry.id for told in found.stories]


def test_stories_are_by_rule_the_newest_first(day: Store) -> None:
    found = make_day_digest(day)
    assert [(group.rule, [told.entry.id for told in group.stories]) for group in found.groups] == [
        (RED_CROSS, ["mfa:1300001:ru", "ktkz:1378099001:ru", "qazmonitor:2001:en", "ktkz:1378100005:kk"]),
        (LAW, ["mfa:kt-1378100009:ru"]),
    ]
    assert [told.entry.id for told in found.gone] == ["mfa:1299500:en"]
    assert not found.is_empty


def test_a_story_of_several_rules_is_listed_once(day: Store) -> None:
    found = make_day_digest(day)
    assert found.groups[0].stories[0].rules == (RED_CROSS, LAW)
    assert found.titles[LAW] == "International humanitarian law"
    asked = make_day_digest(day, wanted=ArticleQuery(rules=(LAW,)))
    assert [group.rule for group in asked.groups] == [LAW]
    assert asked.groups[0].stories[0].rules == (LAW,)


def test_a_story_is_shown_in_the_readers_language(day: Store) -> None:
    entry = make_day_digest(day, language="kk").groups[0].stories[0].entry
    assert entry.id == "mfa:1300001:kk"
    assert [(other.id, other.is_copy) for other in entry.others] == [
        ("mfa:1300001:ru", False),
        ("ktkz:1378100001:ru", False),
    ]
    russian = make_day_digest(day, language="ru").groups[0].stories[0].entry
    assert ("ktkz:1378100001:ru", True) in [(other.id, other.is_copy) for other in russian.others]


def test_revised_article_says_what_changed(day: Store) -> None:
    told = make_day_digest(day).groups[0].stories[1]
    assert (told.entry.verdict, told.entry.severity) == (Verdict.REVISED, Severity.SUBSTANTIVE)
    assert any("60" in (edit.new or "") for edit in told.entry.edits)
    assert told.known_since is None


def test_periods_have_no_gap_or_overlap(day: Store) -> None:
    moments = [BEGIN + timedelta(minutes=77 * number) for number in range(20)]
    moments = [moment for moment in moments if moment < END] + [END]
    parts = [make_day_digest(day, first, last) for first, last in pairwise(moments)]
    for source, told, seen in (("ktkz", 3, 3), ("mfa", 4, 4), ("qazmonitor", 1, 2)):
        counts = [count for part in parts for count in part.counts if count.source == source]
        assert (sum(count.told for count in counts), sum(count.seen for count in counts)) == (told, seen)


def test_the_end_belongs_to_the_next_digest(store: Store) -> None:
    save_article(store, make_talks()[0], END)
    assert make_day_digest(store).is_empty
    assert list_entry_ids(make_day_digest(store, END, END + HOUR)) == ["mfa:1300001:ru"]


def test_story_known_before_says_since_when(store: Store) -> None:
    russian, _, reprint = make_talks()
    save_article(store, russian, BEGIN - HOUR)
    save_article(store, reprint, NOON)
    store.clusters.assign_pending(ALMATY)
    (told,) = make_day_digest(store).stories
    assert (told.entry.id, told.entry.verdict) == ("ktkz:1378100001:ru", Verdict.COPY)
    assert told.known_since == BEGIN - HOUR


def test_a_new_article_with_changed_facts_shows_what_changed(store: Store) -> None:
    first, edited = make_flood()
    save_article(store, first, NOON)
    save_article(store, edited, NOON + HOUR)
    (told,) = make_day_digest(store).stories
    assert (told.entry.version, told.entry.severity, told.known_since) == (2, Severity.SUBSTANTIVE, None)
    assert {edit.field for edit in told.entry.edits} == {"body"}


@pytest.mark.parametrize(
    ("revisions", "is_shown"), [(Severity.SUBSTANTIVE, False), (Severity.EDITORIAL, True), (Severity.COSMETIC, True)]
)
def test_a_new_article_shows_revisions_that_are_severe_enough(
    store: Store, revisions: Severity, is_shown: bool
) -> None:
    first, _ = make_flood()
    save_article(store, first, NOON)
    reworded = first.body.replace("подтопило", "затопило")
    save_article(store, make_later_version(first, Verdict.REVISED, body=reworded), NOON + HOUR)
    found = make_day_digest(store, revisions=revisions)
    (told,) = found.stories
    assert (told.entry.version, bool(told.entry.edits)) == (2, is_shown)
    assert told.entry.severity is (Severity.EDITORIAL if is_shown else None)
    assert found.left_out == ({} if is_shown else {Severity.EDITORIAL: 1})


def test_cosmetic_revisions_are_counted(store: Store) -> None:
    first, _ = make_flood()
    other = make_article("mfa:9:ru", "О погоде", "Дождь идёт второй день. " * 9, NOON, "https://www.gov.kz/9")
    for article in (first, other):  # the other one has no match
        save_article(store, article, BEGIN - HOUR)
        plain = make_later_version(article, Verdict.REVISED, body=article.body.replace("ё", "е"))
        save_article(store, plain, NOON)
        save_article(store, make_later_version(plain, Verdict.REVISED, body=f"{plain.body}…"), NOON + HOUR)
    found = make_day_digest(store)
    assert (found.is_empty, found.left_out) == (True, {Severity.COSMETIC: 2})
    assert DigestView(found, Phrases("en", ALMATY)).left_out == "Not shown: 2 cosmetic edits."
    told = make_day_digest(store, revisions=Severity.COSMETIC)
    assert (list_entry_ids(told), told.left_out) == ([first.id], {})


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_an_article_that_was_changed_and_put_back_is_named(store: Store, language: str) -> None:
    first, edited = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(store, edited, NOON)
    assert make_day_digest(store).put_back == ()
    save_article(store, make_later_version(edited, Verdict.REVISED, body=first.body), NOON + HOUR)
    found = make_day_digest(store)
    (story,) = found.put_back
    assert (found.is_empty, story.entry.headline) == (True, first.headline)
    note = DigestView(found, Phrases(language, ALMATY)).left_out
    assert note is not None
    assert first.headline in note


def test_composer_takes_in_an_article_that_was_put_back(store: Store) -> None:
    first, edited = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(store, edited, NOON)
    back = make_later_version(edited, Verdict.REVISED, body=first.body)
    save_article(store, back, NOON + HOUR)
    found = make_day_digest(store)
    composed = compose_digest(found, [first.id], {first.id: "Важно"})
    (story,) = composed.returned
    assert (composed.stories, composed.put_back, story.own_line) == ((story,), (), "Важно")
    assert (story.entry.severity, story.put_back_at) == (Severity.SUBSTANTIVE, NOON + HOUR)
    assert story.entry.edits  # what was changed, and undone since
    view = DigestView(composed, Phrases("en", ALMATY))
    assert any(note.startswith("The former text is back since") for note in view.notes(story))
    assert [section.title for section in view.sections] == ["Changed and put back"]
    assert sum(count.told for count in composed.counts) == 1
    assert [story.entry.id for story in compose_digest(composed, [], {}).put_back] == [first.id]
    assert move_story(found, [first.id], first.id, StoryMove.TOP) == [first.id]


def test_a_composed_review_counts_the_articles_of_its_stories(day: Store) -> None:
    found = make_day_digest(day)
    talks = found.stories[0]
    assert sorted(talks.sources) == ["ktkz", "mfa", "mfa"]
    by_chosen: dict[tuple[str, ...], dict[str, int]] = {
        (): {},
        (talks.entry.id,): {"ktkz": 1, "mfa": 2},
        tuple(list_entry_ids(found)): {count.source: count.told for count in found.counts},
    }
    for chosen, expected in by_chosen.items():
        composed = compose_digest(found, chosen, {})
        assert {count.source: count.told for count in composed.counts if count.told} == expected
        assert [count.seen for count in composed.counts] == [count.seen for count in found.counts]


def test_article_found_long_after_its_publication_is_not_called_new(store: Store) -> None:
    for number, days in (("1", 6), ("2", 8)):
        old = make_article(
            f"mfa:{number}:ru", "О МККК", f"МККК № {number}.", BEGIN - days * DAY, "https://www.gov.kz/1"
        )
        save_article(store, old, NOON)
    revised = make_article("mfa:3:ru", "О МККК", "МККК № 3. Их было 45.", BEGIN - 9 * DAY, "https://www.gov.kz/3")
    save_article(store, revised, BEGIN - 8 * DAY)
    save_article(store, make_later_version(revised, Verdict.REVISED, body="МККК № 3. Их было 46."), NOON)
    found = make_day_digest(store)
    view = DigestView(found, Phrases("en", ALMATY))
    labels = {story.entry.id: view.label(story.entry) for story in found.stories}
    assert labels == {"mfa:1:ru": "New", "mfa:2:ru": "Older, found now", "mfa:3:ru": "Revised (substantive)"}


def test_several_revisions_are_shown_as_one_change(store: Store) -> None:
    first, edited = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(store, edited, NOON)
    save_article(store, make_later_version(edited, Verdict.REVISED, title="Волонтёры помогают Уральску"), NOON + HOUR)
    (told,) = make_day_digest(store).stories
    assert {edit.field for edit in told.entry.edits} == {"title", "body"}


@pytest.mark.parametrize(("least", "number"), [(Severity.SUBSTANTIVE, 0), (Severity.EDITORIAL, 1)])
def test_less_severe_revisions_are_left_out(store: Store, least: Severity, number: int) -> None:
    first, _ = make_flood()
    save_article(store, first, BEGIN - HOUR)
    save_article(
        store, make_later_version(first, Verdict.REVISED, body=first.body.replace("подтопило", "затопило")), NOON
    )
    assert len(make_day_digest(store, revisions=least).stories) == number


def test_a_removed_mention_is_reported(store: Store) -> None:
    first, _ = make_flood()
    save_article(store, first, BEGIN - HOUR)
    without = make_later_version(
        first, Verdict.REVISED, body=first.body.replace("волонтёров Общества Красного Полумесяца", "жителей")
    )
    assert not without.matches
    save_article(store, without, NOON)
    (told,) = make_day_digest(store).stories
    assert (told.entry.id, told.rules) == (first.id, (RED_CROSS,))


def test_articles_are_shown_in_the_version_passed_in(day: Store) -> None:
    first, edited = make_flood()
    (told,) = make_digest_of_articles(day, edited).stories
    assert (told.entry.version, told.entry.severity) == (2, Severity.SUBSTANTIVE)
    (told,) = make_digest_of_articles(day, first).stories
    assert (told.entry.version, told.entry.severity) == (1, None)
    assert make_digest_of_articles(day).is_empty


def test_outages_have_a_start(day: Store) -> None:
    assert [(each.source, each.kind, each.since, each.until) for each in make_day_digest(day).troubles] == [
        ("ktkz", "blocked", NOON + 2 * HOUR, None),
        ("qazmonitor", "unread", NOON - 30 * HOUR, None),
    ]
    assert [each.source for each in make_day_digest(day, wanted=ArticleQuery(sources=("mfa",))).troubles] == []


def test_an_outage_that_is_over_has_an_end(store: Store) -> None:
    for hours, health, code in ((1, Health.BLOCKED, 11), (3, Health.HEALTHY, 0)):
        add_run(store, "ktkz", NOON + hours * HOUR, health, code)
    alarm = Alarm(
        source="ktkz",
        kind="blocked",
        severity="11",
        last_health="blocked",
        message="",
        opened_at=NOON + HOUR,
        last_seen_at=NOON + HOUR,
        closed_at=NOON + 3 * HOUR,
    )
    store.alarms.save(alarm)
    wanted = ArticleQuery(sources=("ktkz",))
    (trouble,) = make_day_digest(store, wanted=wanted).troubles
    assert (trouble.since, trouble.until) == (NOON + HOUR, NOON + 3 * HOUR)
    (trouble,) = make_day_digest(store, end=NOON + 2 * HOUR, wanted=wanted).troubles
    assert trouble.until is None


def test_a_momentary_failure_is_no_outage(store: Store) -> None:
    for hours, health, code in ((1, Health.UNREACHABLE, 10), (2, Health.HEALTHY, 0)):
        add_run(store, "ktkz", NOON + hours * HOUR, health, code)
    alarm = Alarm(source="ktkz", kind="unreachable", severity="10", last_health="unreachable", message="",
                  opened_at=NOON + HOUR, last_seen_at=NOON + HOUR, closed_at=NOON + 2 * HOUR)  # fmt: skip
    store.alarms.save(alarm)
    assert make_day_digest(store, wanted=ArticleQuery(sources=("ktkz",))).troubles == ()


def test_bad_runs_without_an_alarm_are_an_outage(store: Store) -> None:
    add_run(store, "mfa", NOON, Health.HEALTHY, 0)
    add_run(store, "mfa", NOON + HOUR, Health.DEGRADED, 14)
    add_run(store, "mfa", NOON + 2 * HOUR, Health.DEGRADED, 14)
    (trouble,) = make_day_digest(store, wanted=ArticleQuery(sources=("mfa",))).troubles
    assert (trouble.kind, trouble.since) == ("degraded", NOON + HOUR - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("next_due_at", "health", "is_paused", "kinds"),
    [
        (15, Health.HEALTHY, False, []),
        (14, Health.HEALTHY, False, []),
        (13, Health.HEALTHY, False, ["unread"]),
        (15, Health.DEGRADED, False, ["unread"]),
        (15, Health.HEALTHY, True, ["unread"]),
        (None, Health.HEALTHY, False, ["unread"]),
    ],
    ids=["due later", "due at the end", "was due", "bad run", "paused", "no plan"],
)
def test_a_source_that_was_not_due_is_no_outage(
    store: Store, next_due_at: int | None, health: Health, is_paused: bool, kinds: list[str]
) -> None:
    """It runs every three hours, the last time at noon. The digest is of the hour from one to two."""
    add_run(store, "mfa", NOON, health, 0)
    due_at = None if next_due_at is None else NOON.replace(hour=next_due_at)
    store.schedules.save(ScheduleState(source="mfa", cron="0 */3 * * *", paused=is_paused, next_due_at=due_at))
    begin, wanted = NOON.replace(hour=13), ArticleQuery(sources=("mfa",))
    assert [each.kind for each in make_day_digest(store, begin, begin + HOUR, wanted=wanted).troubles] == kinds


def test_a_period_between_two_runs_that_was_missed_stays_an_outage(store: Store) -> None:
    add_run(store, "mfa", NOON, Health.HEALTHY, 0)
    add_run(store, "mfa", NOON + 8 * HOUR, Health.HEALTHY, 0)
    store.schedules.save(ScheduleState(source="mfa", cron="0 * * * *", next_due_at=NOON + 9 * HOUR))
    begin, wanted = NOON + HOUR, ArticleQuery(sources=("mfa",))
    (trouble,) = make_day_digest(store, begin, begin + HOUR, wanted=wanted).troubles
    assert (trouble.kind, trouble.since) == ("unread", NOON)


def test_a_period_long_past_uses_the_runs_of_that_time(store: Store) -> None:
    add_run(store, "mfa", NOON, Health.HEALTHY, 0)
    for number in range(MAX_RUNS_EXAMINED + 1):
        add_run(store, "mfa", NOON + DAY + number * HOUR / 4, Health.HEALTHY, 0)
    assert make_day_digest(store, wanted=ArticleQuery(sources=("mfa",))).troubles == ()


def test_source_that_has_only_replays_is_judged_by_them(store: Store) -> None:
    wanted = ArticleQuery(sources=("mfa", "qazmonitor"))
    for source in wanted.sources:
        add_run(store, source, NOON, Health.HEALTHY, 0, mode="replay")
    add_run(store, "qazmonitor", NOON + HOUR, Health.BLOCKED, 11, mode="replay")
    (trouble,) = make_day_digest(store, wanted=wanted).troubles
    assert (trouble.source, trouble.kind) == ("qazmonitor", "blocked")
    # What was stored of an earlier day was read by the replays of today.
    assert make_day_digest(store, begin=BEGIN - DAY, end=BEGIN, wanted=wanted).troubles == ()
    later = make_day_digest(store, begin=BEGIN + DAY, end=BEGIN + 2 * DAY, wanted=wanted).troubles
    assert [(each.source, each.kind) for each in later] == [("mfa", "unread"), ("qazmonitor", "unread")]
    add_run(store, "mfa", BEGIN - DAY, Health.HEALTHY, 0)
    assert [each.source for each in make_day_digest(store, wanted=wanted).troubles] == ["mfa", "qazmonitor"]


def test_silent_source_says_when_it_published_last(store: Store) -> None:
    old = make_article(
        "mfa:1:ru", "Погода", "О погоде и ни о чём другом.", NOON - 9 * 24 * HOUR, "https://www.gov.kz/1"
    )
    save_article(store, old, NOON - 9 * 24 * HOUR)
    add_run(store, "mfa", NOON, Health.SILENT, 13)
    (trouble,) = make_day_digest(store, wanted=ArticleQuery(sources=("mfa",))).troubles
    assert (trouble.kind, trouble.since) == ("silent", NOON - 9 * 24 * HOUR)


def test_empty_digest_counts_what_was_read(store: Store) -> None:
    save_article(store, replace(make_article("mfa:1:ru", "Погода", "О погоде.", NOON, "https://www.gov.kz/1")), NOON)
    found = make_day_digest(store)
    assert found.is_empty
    assert [(count.source, count.told, count.seen) for count in found.counts] == [
        ("ktkz", 0, 0),
        ("mfa", 0, 1),
        ("qazmonitor", 0, 0),
    ]
    assert {each.kind for each in found.troubles} == {"unread"}
