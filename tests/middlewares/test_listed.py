"""The ministry's articles that vanish from its lists, and lists read back for those behind the first page."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from sites.crawl import Watched
from sites.gov import GovSite

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
SMALL = {"page_size": "5"}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """gov.kz with thirty articles, one each eight hours: a page of five reaches back a day and a half."""
    with GovSite(30, every=timedelta(hours=8)) as site:
        yield Watched("mfa", site, tmp_path)


def whole(watched: Watched, position: int) -> str:
    """The id of an article in all three languages, near a place in the list."""
    return next(article.id for article in watched.site.articles[position:] if len(article.texts) == 3)


def pages(watched: Watched) -> list[int]:
    """The pages of the Russian list that were asked for, in their order."""
    sent = [json.loads(request.body)["variables"] for request in watched.site.asked("/graphql")]
    return [variables["page"] for variables in sent if variables["lang"] == "ru"]


def test_an_article_missing_in_two_runs_is_unpublished_and_may_come_back(watched: Watched, tmp_path: Path) -> None:
    watched.crawl()
    gone = whole(watched, 1)
    article = watched.site.article(gone)
    watched.site.remove(gone)
    run = watched.crawl()
    assert (run["counts"]["gone_once"], run["health"]) == (3, "healthy")
    assert watched.verdicts(gone) == ["new"] * 3
    run = watched.crawl()
    assert (run["counts"]["articles/unpublished"], run["health"]) == (3, "healthy")
    version = watched.stored(gone)[-1]
    assert (version["verdict"], version["version"]) == ("unpublished", 2)
    first, second = version["provenance"]["verdict"].split(", ")
    assert first.startswith("not on the list (mfa/")
    assert second.startswith("not on the list (mfa/")
    assert first != second
    kept = tmp_path / "evidence.zip"
    assert watched.command("evidence", f"mfa:{gone}:ru", "-o", str(kept)).returncode == 0
    with ZipFile(kept) as zipped, gzip.open(zipped.open("records.warc.gz")) as records:
        assert records.read().count(b'"lang": "ru", "page": 1') == 3  # where it stood, and twice where it did not
    assert "articles/unpublished" not in watched.crawl()["counts"]
    watched.site._keep(article)
    assert watched.crawl()["counts"]["articles/republished"] == 3


def test_one_language_taken_away_leaves_the_others(watched: Watched) -> None:
    watched.site.untranslated = "absent"  # type: ignore[attr-defined]
    watched.crawl()
    gone = whole(watched, 1)
    article = watched.site.article(gone)
    del article.texts["en"]  # type: ignore[attr-defined]
    watched.crawl()
    watched.crawl()
    found = {version["language"]: version["verdict"] for version in watched.stored(gone)}
    assert found == {"ru": "new", "kk": "new", "en": "unpublished"}


def test_missing_once_and_back_is_nothing(watched: Watched) -> None:
    watched.crawl()
    gone = whole(watched, 1)
    article = watched.site.article(gone)
    for _ in range(2):
        watched.site.remove(gone)
        assert watched.crawl()["counts"]["gone_once"] == 3
        watched.site._keep(article)
        assert "articles/unpublished" not in watched.crawl()["counts"]
    assert watched.verdicts(gone) == ["new"] * 3


def test_once_a_day_the_list_is_read_back_for_what_changed_behind_its_first_page(watched: Watched) -> None:
    watched.crawl(**SMALL)
    watched.site.requests.clear()
    run = watched.crawl(**SMALL)
    assert pages(watched) == [1]
    assert "read_back" not in run["counts"]

    edited, gone = whole(watched, 8), whole(watched, 14)
    watched.site.edit(edited, "ru")
    watched.site.remove(gone)
    watched.pass_time(DAY + timedelta(hours=1))
    watched.site.requests.clear()
    run = watched.crawl(**SMALL)
    assert pages(watched) == [1, 2, 3, 4, 5, 6]
    assert (run["counts"]["read_back"], run["counts"]["articles/revised"], run["counts"]["gone_once"]) == (1, 1, 3)
    watched.site.requests.clear()
    run = watched.crawl(**SMALL)  # not further than the article that was missing
    assert pages(watched) == [1, 2, 3, 4]
    assert (run["counts"]["articles/unpublished"], run["health"]) == (3, "healthy")
    watched.site.requests.clear()
    watched.crawl(**SMALL)
    assert pages(watched) == [1]


def test_the_depth_is_the_longest_age_and_none_is_none(watched: Watched) -> None:
    watched.crawl(**SMALL)
    watched.pass_time(2 * DAY)
    watched.site.requests.clear()
    watched.crawl(**SMALL, revisits='["1h", "3d"]')
    assert pages(watched) == [1, 2]
    watched.pass_time(2 * DAY)
    watched.site.requests.clear()
    watched.crawl(**SMALL, revisits="[]")
    assert pages(watched) == [1]


def test_a_watched_article_is_read_in_each_run(watched: Watched) -> None:
    watched.crawl(**SMALL)
    one = whole(watched, 8)
    watched.site.edit(one, "kk")
    watched.site.requests.clear()
    assert watched.crawl(**SMALL, watched=f'["{one}"]')["counts"]["articles/revised"] == 1
    assert pages(watched) == [1, 2, 3]


def test_many_missing_at_once_are_a_list_that_changed(watched: Watched) -> None:
    watched.crawl()
    for article in watched.site.articles[1:18]:
        watched.site.remove(article.id)
    for _ in range(2):
        run = watched.crawl()
        assert (run["health"], run["exit_code"]) == ("changed", 12)
        assert "known articles on the list" in run["reason"]
        assert "gone_once" not in run["counts"]


def test_a_list_out_of_order_says_nothing_of_what_is_missing(watched: Watched) -> None:
    watched.crawl()
    gone = whole(watched, 1)
    watched.site.remove(gone)
    oldest = watched.site.articles[-1]
    watched.site.pinned = oldest.id  # type: ignore[attr-defined]
    for _ in range(2):
        assert "gone_once" not in watched.crawl()["counts"]
    assert watched.verdicts(gone) == ["new"] * 3


def test_a_part_of_the_lists_says_nothing_of_what_is_missing(watched: Watched) -> None:
    watched.crawl()
    gone = whole(watched, 1)
    watched.site.remove(gone)
    for _ in range(2):
        assert "gone_once" not in watched.crawl("--since", "36h")["counts"]
        assert "gone_once" not in watched.crawl("--limit", "4")["counts"]
        watched.crawl("--dry-run")
    assert watched.crawl()["counts"]["gone_once"] == 3
    assert watched.verdicts(gone) == ["new"] * 3
