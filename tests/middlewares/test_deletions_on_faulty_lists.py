"""Lists with the faults of databases, caches and owners: no false deletion, and no read-back without end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from support.misbehaving_gov_site import find_translated_id, get_site, pop_requested_pages
from support.watched_source import WatchedSource

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SMALL = {"page_size": "5"}


def test_a_time_set_back_in_view_is_no_end(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    one = find_translated_id(gov, 0)
    get_site(gov).set_back = {one: timedelta(hours=30)}
    gov.crawl(**SMALL)
    gov.site.add_articles(3)  # with these it leaves the first page
    assert "gone_once" not in gov.crawl(**SMALL)["counts"]
    assert gov.list_verdicts(one) == ["new"] * 3


def test_a_time_set_back_out_of_view_is_no_end(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    one = find_translated_id(gov, 0)
    get_site(gov).set_back = {one: timedelta(days=6)}
    assert gov.crawl(**SMALL)["counts"]["gone_once"] == 3
    for _ in range(2):
        gov.pass_time(HOUR)
        assert not {"gone_once", "articles/unpublished"} & gov.crawl(**SMALL)["counts"].keys()
    assert gov.list_verdicts(one) == ["new"] * 3


def test_entries_of_one_time_where_two_pages_meet_are_not_judged(gov: WatchedSource) -> None:
    gov.site.untranslated = "absent"  # type: ignore[attr-defined]
    upper, lower = gov.site.articles[4:6]
    get_site(gov).set_back = {upper.id: upper.published_at - lower.published_at}
    gov.crawl(**SMALL)
    get_site(gov).unstable = True
    for _ in range(2):
        gov.pass_time(DAY + HOUR)
        counts = gov.crawl(**SMALL)["counts"]
        assert "articles/unpublished" not in counts
    assert {*gov.list_verdicts(upper.id), *gov.list_verdicts(lower.id)} == {"new"}


@pytest.mark.parametrize("shown", [slice(None, None, 6), slice(-1, None)])
def test_one_list_that_broke_is_told_beside_others_that_are_well(gov: WatchedSource, shown: slice) -> None:
    gov.crawl()
    get_site(gov).only = {"en": shown}
    for _ in range(2):
        run = gov.crawl()
        assert (run["health"], run["exit_code"]) == ("changed", 12)
        assert "known articles on the list in en" in run["reason"]
        gov.pass_time(HOUR)
    assert "articles/unpublished" not in run["counts"]


def test_a_text_that_stands_on_another_list_is_there(gov: WatchedSource) -> None:
    gov.crawl()
    one = find_translated_id(gov, 1)
    gov.site.mixed[one] = "alone"  # type: ignore[attr-defined]
    for _ in range(2):
        gov.crawl()
        gov.pass_time(HOUR)
    found = {version["language"]: version["verdict"] for version in gov.list_versions(one)}
    assert found["ru"] == "new"


def test_what_is_asked_of_a_language_that_is_read_no_more_is_dropped(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    gov.site.remove_article(find_translated_id(gov, 1))
    gov.crawl(**SMALL)
    for _ in range(2):
        gov.pass_time(HOUR)
        gov.crawl(**SMALL, languages='["ru", "ru"]')
    pop_requested_pages(gov)
    gov.pass_time(HOUR)
    gov.site.add_articles(5)
    gov.crawl(**SMALL, languages='["ru"]')
    assert pop_requested_pages(gov) == [1, 2]
    with closing(sqlite3.connect(gov.data / "crawler.db")) as database:
        assert database.execute("SELECT count(*) FROM failures").fetchone() == (0,)


def test_what_was_left_of_a_killed_run_is_dropped(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    gov.site.remove_article(find_translated_id(gov, 1))
    gov.crawl(**SMALL)
    with closing(sqlite3.connect(gov.data / "crawler.db")) as database:
        rows = database.execute("SELECT * FROM failures").fetchall()
        gov.pass_time(HOUR)
        gov.crawl(**SMALL)
        database.executemany(f"INSERT INTO failures VALUES ({', '.join('?' * len(rows[0]))})", rows)
        database.commit()
        pop_requested_pages(gov)
        gov.crawl(**SMALL)
        assert pop_requested_pages(gov) == [1]
        assert database.execute("SELECT count(*) FROM failures").fetchone() == (0,)


def test_a_fault_far_back_is_no_fault_of_the_run(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    get_site(gov).fails_from = 3
    gov.pass_time(DAY + HOUR)
    pop_requested_pages(gov)
    run = gov.crawl(**SMALL)
    assert (run["health"], run["counts"]["read_back_failed"]) == ("healthy", 3)
    assert pop_requested_pages(gov) == [1, 2, 3]
    gov.crawl(**SMALL)
    assert pop_requested_pages(gov) == [1]


def test_what_lies_behind_the_first_run_is_kept_and_told_to_nobody(gov: WatchedSource) -> None:
    gov.crawl(**SMALL, pages="2")
    depths = []
    for _ in range(2):
        gov.pass_time(DAY + HOUR)
        pop_requested_pages(gov)
        run = gov.crawl(**SMALL, pages="2")
        depths.append(pop_requested_pages(gov)[-1])
        assert run["counts"]["articles/new"] > 0
        assert "stopped_early" not in run["counts"]
    assert depths == [3, 4]  # a page without anything known is the last
    with closing(sqlite3.connect(gov.data / "crawler.db")) as database:
        quiet = {row[0] for row in database.execute("SELECT quiet FROM news")}
    assert quiet == {"baseline", "backfill"}
