"""The loopback copies, tested over real sockets."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from support.gov_site import NEWS, GovSite
from support.ktkz_site import KtkzSite
from support.local_site import ALMATY, LocalSite
from support.qazmonitor_site import QazMonitorSite
from support.site_client import fetch, query_graphql

# -- what all copies share --------------------------------------------------------------------------------------------


def test_texts_and_ids_are_the_same_each_time() -> None:
    first, second = (QazMonitorSite(6, newest=datetime(2026, 7, 1, tzinfo=UTC)) for _ in range(2))
    assert first.articles == second.articles
    assert len({article.texts["en"].body for article in first.articles}) == 6


@pytest.mark.parametrize("kind", [GovSite, QazMonitorSite, KtkzSite])
def test_newest_article_comes_first_in_local_time(kind: type[LocalSite]) -> None:
    site = kind(5, newest=datetime(2024, 2, 29, 20, 0, tzinfo=UTC), every=timedelta(hours=12))
    times = [article.published_at for article in site.articles]
    assert all(later > earlier for later, earlier in pairwise(times))
    assert [t.utcoffset() for t in times[:2]] == [timedelta(hours=5), timedelta(hours=6)]


@pytest.mark.parametrize("kind", [GovSite, QazMonitorSite, KtkzSite])
def test_one_article_in_five_is_on_topic(kind: type[LocalSite]) -> None:
    names = ("Red Cross", "Красного Креста", "Қызыл Крест")
    for article in kind(20).articles:
        for text in article.texts.values():
            assert any(name in text.body for name in names) == article.on_topic == (article.number % 5 == 0)


def test_unchanged_page_is_304_and_edited_page_is_not(qazmonitor_site: QazMonitorSite) -> None:
    article = qazmonitor_site.articles[3]
    url = f"{qazmonitor_site.url}/news/{article.id}/any-slug"
    status, headers, page = fetch(url)
    assert status == 200
    assert 20_000 <= len(page) <= 30_000
    assert fetch(url, If_None_Match=headers["ETag"])[0] == 304
    assert fetch(url, If_Modified_Since=headers["Last-Modified"])[::2] == (304, b"")
    qazmonitor_site.edit_article(article.id, title="Another Title")
    status, changed, page = fetch(url, If_None_Match=headers["ETag"])
    assert (status, b"<h1>Another Title</h1>" in page) == (200, True)
    assert changed["ETag"] != headers["ETag"]
    assert fetch(url, If_Modified_Since=headers["Last-Modified"])[0] == 200


def test_gzip_only_where_accepted(ktkz_site: KtkzSite) -> None:
    url = ktkz_site.url + ktkz_site.path(ktkz_site.articles[0])
    plain = fetch(url)
    packed = fetch(url, Accept_Encoding="gzip, deflate")
    assert plain[1]["Content-Encoding"] is None
    assert packed[1]["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == plain[2]


def test_requests_are_logged_with_headers(qazmonitor_site: QazMonitorSite) -> None:
    fetch(qazmonitor_site.url + "/news?page=2", User_Agent="a crawler")
    (asked,) = qazmonitor_site.list_requests("/news")
    assert (asked.query, asked.headers["user-agent"], asked.at.tzinfo) == ({"page": "2"}, "a crawler", UTC)


def test_connections_stay_open(qazmonitor_site: QazMonitorSite) -> None:
    connection = http.client.HTTPConnection(qazmonitor_site.url.removeprefix("http://"), timeout=120)
    statuses = []
    for path in ("/rss", "/terms", "/nowhere/at/all"):
        connection.request("GET", path)
        answer = connection.getresponse()
        statuses.append((answer.status, answer.will_close, bool(answer.read())))
    connection.close()
    assert statuses == [(200, False, True), (200, False, True), (404, False, True)]


def test_added_articles_come_first_and_removed_ones_are_gone(qazmonitor_site: QazMonitorSite) -> None:
    (new,) = qazmonitor_site.add_articles()
    old = qazmonitor_site.articles[1]
    qazmonitor_site.remove_article(old.id)
    links = re.findall(r"<link>(.*?)</link>", fetch(qazmonitor_site.url + "/rss")[2].decode())[1:]
    assert links[0] == qazmonitor_site.make_path(new)
    assert qazmonitor_site.make_path(old) not in links
    assert fetch(f"{qazmonitor_site.url}/news/{old.id}/x")[0] == 404


# -- gov.kz -----------------------------------------------------------------------------------------------------------


def test_graphql_pages_end_with_a_short_or_empty_one(gov_site: GovSite) -> None:
    pages = [query_graphql(gov_site, page=page)["data"]["news"] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [10, 10, 4, 0]
    assert [record["id"] for page in pages for record in page] == [article.id for article in gov_site.articles]


def test_graphql_filters_by_language_and_project(gov_site: GovSite) -> None:
    article = next(a for a in gov_site.articles if len(a.texts) == 3)
    for language in ("ru", "kk", "en"):
        records = {r["id"]: r for r in query_graphql(gov_site, lang=language, size=50)["data"]["news"]}
        assert records[article.id]["title"].replace("  ", " ") == article.texts[language].title
        assert len(records) == 24
    assert query_graphql(gov_site, lang="kz")["data"]["news"] == []
    everyone = query_graphql(gov_site, projects=None, size=50)["data"]["news"]
    assert {record["projects"] for record in everyone} == {"mfa", "mz", "mvd", "mti"}
    assert len(everyone) == 30


def test_graphql_answers_the_requested_fields(gov_site: GovSite) -> None:
    query = "query N($lang: String) { news(_lang: $lang) { id title } _total_count { news } }"
    data = query_graphql(gov_site, query)["data"]
    assert set(data["news"][0]) == {"id", "title"}
    assert data["_total_count"] == {"news": 24}
    assert set(query_graphql(gov_site)["data"]["news"][0]) >= {"body", "created_date", "directions", "heropic", "slug"}


def test_missing_translation_comes_in_russian_or_not_at_all() -> None:
    for setting, count in (("russian", 7), ("absent", 6)):
        with GovSite(7, untranslated=setting) as site:
            records = {r["id"]: r for r in query_graphql(site, lang="kk")["data"]["news"]}
            lonely = next(a for a in site.articles if set(a.texts) == {"ru"})
        assert len(records) == count
        assert (lonely.id in records) == (setting == "russian")
        assert setting == "absent" or "сообщение" in records[lonely.id]["title"].lower()


def test_created_date_is_local_time_labelled_z_unless_set() -> None:
    newest = datetime(2026, 7, 1, 15, 30, tzinfo=ALMATY)
    for setting, shown in (("local", "2026-07-01T15:30:00Z"), ("utc", "2026-07-01T10:30:00Z")):
        with GovSite(1, newest=newest, created_as=setting) as site:
            assert query_graphql(site)["data"]["news"][0]["created_date"] == shown


def test_bodies_come_bare_and_as_documents_with_entities(gov_site: GovSite) -> None:
    bodies = [record["body"] for record in query_graphql(gov_site, size=20)["data"]["news"]]
    whole = [body for body in bodies if body.startswith("<!DOCTYPE html>")]
    assert len(whole) == 10
    assert all("&shy;" in body and "&nbsp;&ndash;" in body and '<img src="/uploads/' in body for body in whole)
    assert all(body.startswith("<p>") for body in bodies if body not in whole)


def test_graphql_refuses_other_requests(gov_site: GovSite) -> None:
    assert fetch(gov_site.url + "/graphql")[0] == 400
    assert fetch(gov_site.url + "/graphql", b"{", Content_Type="application/json")[0] == 400
    assert fetch(gov_site.url + "/graphql", b"{}", Content_Type="text/plain")[0] == 500


def test_rest_is_gated_unless_open() -> None:
    path = "/api/v1/public/content-manager/news?sort-by=created_date:DESC&projects=eq:mfa&page={}&size=20"
    with GovSite(3) as site:
        status, _, body = fetch(site.url + path.format(1))
        assert (status, json.loads(body)["message"]) == (400, "notAllowed")
    with GovSite(3, rest_open=True) as site:
        records = json.loads(fetch(site.url + path.format(1))[2])
        assert [r["id"] for r in records] == [a.id for a in site.articles]
        assert all(r["created_date"].endswith(":00.000+00:00") for r in records)
        assert json.loads(fetch(site.url + path.format(2))[2]) == []


def test_plain_pages_are_shells_unless_rendered() -> None:
    with GovSite(12) as site:
        shell = fetch(site.url + NEWS + "/1?lang=ru")[2].decode()
        assert "You need to enable JavaScript" in shell
        assert "card-news-list__item" not in shell
    with GovSite(12, rendered=True) as site:
        cards = re.findall(r'card-news-list__item"><a href="(.*?)"', fetch(site.url + NEWS + "/1?lang=ru")[2].decode())
        assert len(cards) == 10
        page = fetch(site.url + cards[0])[2].decode()
    order = [
        "You need to enable",
        "<h1>",
        "1 / 1.",
        "Количество просмотров",
        "Астана, ",
        "Направления",
        "Читайте также",
    ]
    places = [page.index(part) for part in [*order, "Все новости", "Разработано в"]]
    assert places == sorted(places)
    assert len(re.findall(r"<span>\d+ \w+ \d{4}</span>", page)) == 5


@pytest.mark.parametrize(("how", "missing"), [("markup", "title"), ("no_title", "title"), ("no_date", "created_date")])
def test_broken_record_lacks_its_field(gov_site: GovSite, how: str, missing: str) -> None:
    broken = gov_site.articles[2]
    gov_site.break_page(broken.id, how)
    records = {r["id"]: r for r in query_graphql(gov_site, size=50)["data"]["news"]}
    assert len(records) == 24
    assert [id for id, record in records.items() if missing not in record] == [broken.id]


# -- QazMonitor -------------------------------------------------------------------------------------------------------


def test_feed_is_capped_and_sections_page_to_an_end(qazmonitor_site: QazMonitorSite) -> None:
    links = re.findall(r"<link>(.*?)</link>", fetch(qazmonitor_site.url + "/rss")[2].decode())[1:]
    assert links == [qazmonitor_site.make_path(a) for a in qazmonitor_site.articles[:20]]
    assert all(link.startswith("https://qazmonitor.com/") for link in links)
    found: set[str] = set()
    path: str | None = "/"
    while path:
        page = fetch(qazmonitor_site.url + path)[2].decode()
        found |= set(re.findall(r'href="(https://qazmonitor\.com/\w+/\d+/.*?)"', page))
        more = re.search(r'href="([^"]*)">More<', page)
        path = more[1] if more else None
    assert found == {qazmonitor_site.make_path(a) for a in qazmonitor_site.articles}


def test_links_may_name_the_loopback_or_the_old_host() -> None:
    with QazMonitorSite(2, loopback_links=True) as site:
        assert f"<link>{site.url}/" in fetch(site.url + "/rss")[2].decode()
    with QazMonitorSite(2, old_host=True, bare_feed=True) as site:
        feed = fetch(site.url + "/rss")[2].decode()
    assert "<link>https://en.qazmonitor.com/" in feed
    assert "pubDate" not in feed


@pytest.mark.parametrize("metadata", [True, False])
def test_article_has_the_text_order_of_the_site(metadata: bool) -> None:
    with QazMonitorSite(4, metadata=metadata) as site:
        article = next(a for a in site.articles if a.number == 1)
        page = fetch(site.url + f"/{article.section.lower()}/{article.id}/x")[2].decode()
    text = article.texts["en"]
    order = ["Discover Qazaqstan", "QazMonitor Logo", "Facebook Qazmonitor icon", "Main Page", "Astana, Kazakhstan •"]
    order += ["min read", "<h1>", text.lead, *text.paragraphs, "Only 30% of an article"]
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert ("ld+json" in page) == metadata
    assert page.count("Press office 1") == page.count("Picture 1<") + 1 == 2


# -- kt.kz ------------------------------------------------------------------------------------------------------------


def test_each_language_has_a_feed_of_its_own(ktkz_site: KtkzSite) -> None:
    for folder, language, count in (("rus", "ru", 12), ("eng", "en", 6), ("kaz", "kk", 6)):
        links = re.findall(r"<link>(.*?)</link>", fetch(f"{ktkz_site.url}/{folder}/rss/")[2].decode())[1:]
        assert links == [ktkz_site.make_path(a) for a in ktkz_site.articles if language in a.texts]
        assert len(links) == count
    listed = fetch(ktkz_site.url + "/rus/press-materialy/")[2].decode()
    assert set(re.findall(r"kt\.kz/rus/([\w-]+)/", listed)) == {"press-materialy"}


def test_further_articles_follow_on_the_page(ktkz_site: KtkzSite) -> None:
    article = next(a for a in ktkz_site.articles if ktkz_site.is_from_ministry(a))
    page = fetch(ktkz_site.url + ktkz_site.path(article))[2].decode()
    assert page.count('<header class="page-heading">') == page.count('<div class="page-content"><div>') == 3
    assert (
        page.index(ktkz_site.make_title(article)) < page.index("KAZAKHSTAN TODAY - ") < page.index("Источник: МИД РК")
    )
    assert fetch(ktkz_site.url + f"/rus/state/x_{article.id}.html")[0] == 200
    assert fetch(ktkz_site.url + "/rus/state/x_1111111111.html")[0] == 404


@pytest.mark.parametrize("kind", [QazMonitorSite, KtkzSite])
def test_pages_break_as_requested(kind: type[LocalSite]) -> None:
    with kind(8) as site:
        ids = [a.id for a in site.articles[:4]]
        for id, how in zip(ids, ("markup", "empty", "no_title", "no_date"), strict=True):
            site.break_page(id, how)
        fetched = [
            fetch(f"{site.url}/news/{id}/x" if kind is QazMonitorSite else f"{site.url}/rus/state/x_{id}.html")
            for id in ids
        ]
        markup, empty, no_title, no_date = (page.decode() for _, _, page in fetched)
        article = site.get_article(ids[1])
        assert "<h1>" not in markup
        assert next(iter(article.texts.values())).paragraphs[2] not in empty
        assert next(iter(site.get_article(ids[2]).texts.values())).title not in re.sub(
            r"<title>.*?</title>", "", no_title
        )
        assert f"{site.get_article(ids[3]).published_at:%H:%M}</span>" not in no_date
        with pytest.raises(ValueError, match="no way"):
            site.break_page(ids[0], "sideways")
