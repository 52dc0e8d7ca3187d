"""How far the MFA's lists are read: --since, --limit, the page limit, languages; and how created_date is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import Sandbox, get_expected_articles

pytestmark = pytest.mark.slow

DAILY = timedelta(hours=24)


@pytest.fixture(scope="module")
def gov() -> Iterator[GovSite]:
    """Fifty articles, one a day; every seventh exists in Russian only."""
    with GovSite(50, every=DAILY) as site:
        yield site


def pages(site: GovSite) -> dict[str, int]:
    """Return the last page requested of each language, and forget the requests."""
    asked = [json.loads(each.body)["variables"] for each in site.list_requests("/graphql")]
    site.requests.clear()
    return {each["lang"]: max(e["page"] for e in asked if e["lang"] == each["lang"]) for each in asked}


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory, gov: GovSite) -> tuple[Sandbox, list[dict[str, int]], set[str]]:
    """Make a run limited to one page, a plain one, and one with --since. Return the pages that each requested."""
    place = Sandbox(tmp_path_factory.mktemp("capped"), {"mfa": gov}, {"CRAWLER_SOURCES__MFA__PAGES": "1"})
    gov.requests.clear()
    seen = []
    for words in ((), (), ("--since", "30d")):
        assert place.run_crawler("crawl", "mfa", *words).code == 0
        seen.append(pages(gov))
        if not words:
            newest = set(place.get_articles())
    return place, seen, newest


def test_the_cap_and_known_articles_end_paging(capped: tuple[Sandbox, list[dict[str, int]], set[str]]) -> None:
    _, seen, newest = capped
    assert seen[:2] == [{"ru": 1, "kk": 1, "en": 1}] * 2
    assert len(newest) == 54  # twenty articles in three languages, three of them in Russian alone


def test_since_reads_back_beyond_the_cap_and_known_articles(
    capped: tuple[Sandbox, list[dict[str, int]], set[str]], gov: GovSite
) -> None:
    place, seen, newest = capped
    assert seen[2] == {"ru": 2, "kk": 2, "en": 2}
    wanted = {key for key, a in get_expected_articles("mfa", gov).items() if a.number > 20}
    assert newest < place.get_articles().keys() == wanted


def test_a_missing_translation_is_kept_under_the_language_of_its_text(
    capped: tuple[Sandbox, list[dict[str, int]], set[str]], gov: GovSite
) -> None:
    place, _, _ = capped
    alone = next(a for a in gov.articles if list(a.texts) == ["ru"])
    found = [article for key, article in place.get_articles().items() if f":{alone.id}:" in key]
    assert [(a.language, a.url.rpartition("?")[2], a.version) for a in found] == [("ru", "lang=ru", 1)]


def test_a_run_since_an_hour_hides_nothing_from_the_next(tmp_path: Path) -> None:
    """After a pause, a run for the newest articles must not end the next run's paging."""
    with GovSite(4, every=timedelta(hours=2)) as gov:
        place = Sandbox(tmp_path, {"mfa": gov}, {"CRAWLER_SOURCES__MFA__PAGE_SIZE": "4"})
        assert place.run_crawler("crawl", "mfa").code == 0
        gov.add_articles(12)
        since = gov.articles[2].published_at.isoformat()
        assert place.run_crawler("crawl", "mfa", "--since", since).code == 0
        assert len(place.get_articles()) < len(get_expected_articles("mfa", gov)) - 9
        assert place.run_crawler("crawl", "mfa").code == 0
        assert place.get_articles().keys() == get_expected_articles("mfa", gov).keys()


def test_limit_takes_the_newest_and_asks_for_no_more(tmp_path: Path, gov: GovSite) -> None:
    with QazMonitorSite(24) as qaz:
        place = Sandbox(tmp_path, {"mfa": gov, "qazmonitor": qaz})
        gov.requests.clear()
        assert place.run_crawler("crawl", "mfa", "qazmonitor", "--limit", "5").code == 0
        assert pages(gov) == {"ru": 1, "kk": 1, "en": 1}
        assert len(place.get_articles("mfa")) == 5
        assert place.get_articles("qazmonitor").keys() == {f"qazmonitor:{a.id}:en" for a in qaz.articles[:5]}
        assert len(qaz.requests) == 2 + 5


def test_created_date_is_checked_against_the_answer_and_told(tmp_path: Path) -> None:
    with GovSite(3, every=timedelta(minutes=30)) as wall:
        done = Sandbox(tmp_path / "wall", {"mfa": wall}).run_crawler("crawl", "mfa", "-v")
        assert done.code == 0
        assert "created_date is Astana wall time (as set): mfa:" in done.out
        assert "DOWNLOADER" not in done.out.upper()  # nothing of Scrapy's own list of parts
        done = Sandbox(tmp_path / "told", {"mfa": wall}).run_crawler(
            "crawl", "mfa", "-v", CRAWLER_SOURCES__MFA__CREATED_DATE="utc"
        )
        assert done.code == 0, "times ahead are left empty and flagged, the articles are stored"
        assert "but the setting created_date says 'utc'" in done.out
    with GovSite(3, created_as="utc", every=timedelta(hours=10)) as utc:
        place = Sandbox(tmp_path / "utc", {"mfa": utc}, {"CRAWLER_SOURCES__MFA__CREATED_DATE": "utc"})
        done = place.run_crawler("crawl", "mfa", "-v")
        assert done.code == 0
        assert "wall time" not in done.out
        for article in place.get_articles().values():
            local = utc.get_article(article.id.split(":")[1])
            assert article.published_at == local.published_at
