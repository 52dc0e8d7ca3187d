"""The ministry's articles that disappear from its lists, also behind the first page."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from support.misbehaving_gov_site import find_translated_id, pop_requested_pages
from support.watched_source import WatchedSource

pytestmark = pytest.mark.slow

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SMALL = {"page_size": "5"}


def test_an_article_missing_in_two_runs_is_unpublished_and_may_come_back(gov: WatchedSource, tmp_path: Path) -> None:
    gov.crawl()
    gone = find_translated_id(gov, 1)
    article = gov.site.get_article(gone)
    gov.site.remove_article(gone)
    run = gov.crawl()
    assert (run["counts"]["gone_once"], run["health"]) == (3, "healthy")
    assert gov.list_verdicts(gone) == ["new"] * 3
    assert "articles/unpublished" not in gov.crawl()["counts"]  # so soon it may be an old answer
    gov.pass_time(HOUR)
    run = gov.crawl()
    assert (run["counts"]["articles/unpublished"], run["health"]) == (3, "healthy")
    version = gov.list_versions(gone)[-1]
    assert (version["verdict"], version["version"]) == ("unpublished", 2)
    first, second = version["provenance"]["verdict"].split(", ")
    assert first.startswith("not on the list (mfa/")
    assert second.startswith("not on the list (mfa/")
    assert first != second
    kept = tmp_path / "evidence.zip"
    assert gov.run_command("evidence", f"mfa:{gone}:ru", "-o", str(kept)).code == 0
    with ZipFile(kept) as zipped, gzip.open(zipped.open("records.warc.gz")) as records:
        assert records.read().count(b'"lang": "ru", "page": 1') == 3  # where it stood, and twice where it did not
    assert "articles/unpublished" not in gov.crawl()["counts"]
    gov.site._save_article(article)
    assert gov.crawl()["counts"]["articles/republished"] == 3


def test_one_language_taken_away_leaves_the_others(gov: WatchedSource) -> None:
    gov.site.untranslated = "absent"  # type: ignore[attr-defined]
    gov.crawl()
    gone = find_translated_id(gov, 1)
    article = gov.site.get_article(gone)
    del article.texts["en"]  # type: ignore[attr-defined]
    gov.crawl()
    gov.pass_time(HOUR)
    gov.crawl()
    found = {version["language"]: version["verdict"] for version in gov.list_versions(gone)}
    assert found == {"ru": "new", "kk": "new", "en": "unpublished"}


def test_missing_once_and_back_is_nothing(gov: WatchedSource) -> None:
    gov.crawl()
    gone = find_translated_id(gov, 1)
    article = gov.site.get_article(gone)
    for _ in range(2):
        gov.site.remove_article(gone)
        assert gov.crawl()["counts"]["gone_once"] == 3
        gov.pass_time(HOUR)
        gov.site._save_article(article)
        assert "articles/unpublished" not in gov.crawl()["counts"]
    assert gov.list_verdicts(gone) == ["new"] * 3


def test_once_a_day_the_list_is_read_back_for_what_changed_behind_its_first_page(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    pop_requested_pages(gov)
    run = gov.crawl(**SMALL)
    assert pop_requested_pages(gov) == [1]
    assert "read_back" not in run["counts"]

    edited, gone = find_translated_id(gov, 8), find_translated_id(gov, 14)
    gov.site.edit_article(edited, "ru")
    gov.site.remove_article(gone)
    gov.pass_time(DAY + timedelta(hours=1))
    pop_requested_pages(gov)
    run = gov.crawl(**SMALL)
    assert pop_requested_pages(gov) == [1, 2, 3, 4, 5, 6]
    assert (run["counts"]["read_back"], run["counts"]["articles/revised"], run["counts"]["gone_once"]) == (1, 1, 3)
    gov.pass_time(HOUR)
    run = gov.crawl(**SMALL)  # it may have been set back in time, so it is looked for everywhere
    assert pop_requested_pages(gov) == [1, 2, 3, 4, 5, 6]
    assert (run["counts"]["articles/unpublished"], run["health"]) == (3, "healthy")
    gov.crawl(**SMALL)
    assert pop_requested_pages(gov) == [1]


def test_the_depth_is_the_longest_age_and_none_is_none(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    gov.pass_time(2 * DAY)
    pop_requested_pages(gov)
    gov.crawl(**SMALL, revisits='["1h", "3d"]')
    assert pop_requested_pages(gov) == [1, 2]
    gov.pass_time(2 * DAY)
    gov.site.remove_article(find_translated_id(gov, 1))
    run = gov.crawl(**SMALL, revisits="[]")
    assert pop_requested_pages(gov) == [1]
    assert "gone_once" not in run["counts"]


def test_a_watched_article_is_read_in_each_run(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    one = find_translated_id(gov, 8)
    gov.site.edit_article(one, "kk")
    pop_requested_pages(gov)
    assert gov.crawl(**SMALL, watched=f'["{one}"]')["counts"]["articles/revised"] == 1
    assert pop_requested_pages(gov) == [1, 2, 3]


def test_many_missing_at_once_are_a_list_that_changed(gov: WatchedSource) -> None:
    gov.crawl()
    for article in gov.site.articles[1:18]:
        gov.site.remove_article(article.id)
    for _ in range(2):
        run = gov.crawl()
        assert (run["health"], run["exit_code"]) == ("changed", 12)
        assert "known articles on the list in " in run["reason"]
        gov.pass_time(HOUR)
        assert "gone_once" not in run["counts"]


def test_a_list_out_of_order_says_nothing_of_what_is_missing(gov: WatchedSource) -> None:
    gov.crawl()
    gone = find_translated_id(gov, 1)
    gov.site.remove_article(gone)
    oldest = gov.site.articles[-1]
    gov.site.pinned = oldest.id  # type: ignore[attr-defined]
    for _ in range(2):
        assert "gone_once" not in gov.crawl()["counts"]
        gov.pass_time(HOUR)
    assert gov.list_verdicts(gone) == ["new"] * 3


def test_an_entry_on_top_makes_no_run_look_back_again_and_again(gov: WatchedSource) -> None:
    gov.crawl(**SMALL)
    gov.site.pinned = gov.site.articles[25].id  # type: ignore[attr-defined]
    gov.pass_time(DAY + HOUR)
    pop_requested_pages(gov)
    looks = []
    for _ in range(3):
        gov.crawl(**SMALL)
        looks.append(len(pop_requested_pages(gov)) > 1)
    assert looks == [True, False, False]


def test_a_part_of_the_lists_says_nothing_of_what_is_missing(gov: WatchedSource) -> None:
    gov.crawl()
    gone = find_translated_id(gov, 1)
    gov.site.remove_article(gone)
    for _ in range(2):
        assert "gone_once" not in gov.crawl("--since", "36h")["counts"]
        assert "gone_once" not in gov.crawl("--limit", "4")["counts"]
        gov.crawl("--dry-run")
    assert gov.crawl()["counts"]["gone_once"] == 3
    assert gov.list_verdicts(gone) == ["new"] * 3
