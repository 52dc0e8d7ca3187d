"""The pages over a real store, as a browser gets them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from support.newsroom_articles import NOW, TEXT, SaveArticle

from crawler.items import Article, Health, Precision, Problem, Run, Verdict
from crawler.store import Decision, DeliveryState, Notification, Store
from crawler.store.retention import TextAges
from crawler.store.schema import change_events, notifications, unclustered
from crawler.web.newsroom import Newsroom
from crawler.web.pages import today

HOUR = timedelta(hours=1)


class LinkReader(HTMLParser):
    """Collects the addresses, ids and classes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if values.get("id"):
            self.ids.append(str(values["id"]))


def get(client: httpx.Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.text[:500]
    return response.text


def list_headlines(html: str) -> list[str]:
    return re.findall(r"<h3[^>]*>(?:<span.*?</span>)?<a [^>]*><bdi>(.*?)</bdi>", html)


def list_counts(html: str) -> dict[str, tuple[str, int]]:
    """Return address and count of each choice of the filters, by its words."""
    found = re.findall(r'<li><a href="([^"]*)"[^>]*><span>(.*?)</span><span>(\d+)</span>', html)
    return {label: (address.replace("&amp;", "&"), int(count)) for address, label, count in found}


def test_empty_store_explains_what_to_do(client: httpx.Client) -> None:
    html = get(client, "/")
    assert "crawler crawl" in html
    assert "No source was read so far" in html


def test_today_lists_stories_with_their_sentence(client: httpx.Client, save: SaveArticle) -> None:
    save("1", published_at=NOW - HOUR / 3)
    html = get(client, "/")
    assert list_headlines(html) == ["Заголовок 1"]
    assert "Делегация <mark>МККК</mark> прибыла в Астану." in html
    assert "Red Cross" in html
    assert "1 article checked" in html
    assert re.search(r'<time datetime="[^"]+\+05:00" title="\d{4}-\d\d-\d\d \d\d:\d\d UTC">\d\d:\d\d</time>', html)


@pytest.mark.slow
def test_counts_are_those_of_the_lists_behind_them(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    save("2", source="ktkz")
    save("3", "The Red Cross helps.", term="Red Cross", language="en", rule="ihl")
    save("4", strength="weak")
    counts = list_counts(get(client, "/"))
    assert len(counts) >= 10
    for label, (address, count) in counts.items():
        assert len(list_headlines(get(client, address))) == count, label
    assert counts["Weak matches only"][1] == 1
    assert counts["English"][1] == 1


def test_filters_combine_and_a_second_click_removes_one(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    save("2", source="ktkz")
    counts = list_counts(get(client, "/?source=ktkz"))
    assert counts["Russian"] == ("/?source=ktkz&language=ru", 1)
    assert counts["Kazakhstan Today"][0] == "/"
    html = get(client, "/?source=ktkz&language=kk")
    assert "No stored story has all of these properties" in html
    chips = re.findall(r'<a href="([^"]*)"><b>', html)
    assert chips == ["/?language=kk", "/?source=ktkz"]
    assert "Only:" not in get(client, "/")


def test_list_is_paged_without_gaps(client: httpx.Client, save: SaveArticle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(today, "STORIES_PER_PAGE", 4)
    for number in range(10):
        save(str(number), seen_at=NOW - number // 2 * HOUR)
    seen, path = [], "/"
    while path:
        html = get(client, path)
        seen += list_headlines(html)
        older = re.search(r'<a href="([^"]*)" rel="next">', html)
        path = older[1].replace("&amp;", "&") if older else ""
    assert sorted(seen) == sorted(f"Заголовок {number}" for number in range(10))


def test_days_without_a_match_say_what_was_read(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1", seen_at=NOW)
    save("2", seen_at=NOW - 10 * 24 * HOUR)
    save("3", "Погода.", published_at=NOW - 5 * 24 * HOUR)
    run = store.runs.record_start(Run(source="mfa", started_at=NOW - 5 * 24 * HOUR))
    store.runs.record_end(replace(run, finished_at=run.started_at + HOUR, health=Health.HEALTHY))
    html = get(client, "/")
    assert html.count("<b>Earlier</b>") == 1
    assert "No story today." not in html
    assert "1 article checked, nothing matched." in html
    assert "Not read in this time: Kazakhstan Today, QazMonitor." in html


def test_days_without_a_story_name_what_matched_and_is_listed_later(
    client: httpx.Client, save: SaveArticle, store: Store
) -> None:
    first = save("1", seen_at=NOW - 5 * 24 * HOUR)
    save("1", f"{TEXT} Рейс.", version=2, verdict=Verdict.REVISED, title=first.title, seen_at=NOW)
    save("2", published_at=NOW - 9 * 24 * HOUR, seen_at=NOW - 9 * 24 * HOUR)
    html = get(client, "/")
    assert "nothing matched" not in html
    assert "1 article checked; 1 that matched is listed on a later day." in " ".join(html.split())
    assert store.reading_lists.count_matched(NOW - 6 * 24 * HOUR, NOW) == 1
    assert store.reading_lists.get_origins([first.id])[first.id].first_seen_at == NOW - 5 * 24 * HOUR


def test_times_are_called_by_their_names(client: httpx.Client, newsroom: Newsroom, save: SaveArticle) -> None:
    first = save("1", seen_at=NOW - 5 * 24 * HOUR)
    assert "</time> first seen" in get(client, "/")
    assert "no date" in get(client, "/")
    save("1", f"{TEXT} Рейс.", version=2, verdict=Verdict.REVISED, title=first.title, seen_at=NOW)
    day, today_day = (f"{at.astimezone(newsroom.zone):%Y-%m-%d}" for at in (NOW - 5 * 24 * HOUR, NOW))
    assert f'change seen<span class="src">first seen <time datetime="{day}"' in get(client, "/")
    article = get(client, f"/articles/{first.id}")
    assert f'first seen <time datetime="{day}T' in article
    assert f'this version seen <time datetime="{today_day}T' in article


def test_article_on_the_site_of_another_source_names_who_published_it(client: httpx.Client, save: SaveArticle) -> None:
    saved = save("1", url="https://www.kt.kz/rus/press-materialy/a_1377987073.html", attribution="МИД РК")
    assert "published by Kazakhstan Today" in get(client, "/")
    article = get(client, f"/articles/{saved.id}")
    assert "published by Kazakhstan Today" in article
    assert "The page names as its source: МИД РК" in article


def test_article_on_a_site_that_sources_share_is_of_its_own_source(newsroom: Newsroom) -> None:
    ministry = replace(newsroom.profiles["mfa"], name="other-ministry")
    newsroom.profiles = {"other-ministry": ministry, **newsroom.profiles}
    address = f"{ministry.address}/memleket/entities/mfa/press/news/details/1"
    assert newsroom.find_publisher("mfa", address) is None
    assert newsroom.find_publisher("ktkz", address) == "other-ministry"
    assert newsroom.find_publisher("mfa", "file:///page.html") is None


def test_revised_story_shows_its_change(client: httpx.Client, revised: Article) -> None:
    html = get(client, "/?status=revised")
    assert "Revised: substantive" in html
    assert "<del>Астану</del>" in html
    assert "<ins>Алматы</ins>" in html


def test_story_that_was_changed_back_says_so(client: httpx.Client, save: SaveArticle, revised: Article) -> None:
    assert "within a day" not in get(client, "/")
    save("1", version=3, verdict=Verdict.REVISED, title=revised.title)
    html = get(client, "/")
    assert "Changed, then put back:" in html
    assert "Revised: as before again" in html
    note = html.partition("When read:")[2].partition("</p>")[0]
    assert re.findall(r"version=(\d)", note) == ["1", "2", "3"]
    assert note.count("<time") == 3
    article = get(client, f"/articles/{revised.id}")
    assert "Changed, then put back:" in article
    assert note in article
    assert "Changed, then put back:" not in get(client, f"/articles/{revised.id}?version=2")


def test_sentence_that_was_removed_and_put_back_is_on_the_card(client: httpx.Client, save: SaveArticle) -> None:
    first = save("1", f"{TEXT} Рейс отложен.", seen_at=NOW - 50 * 24 * HOUR)
    save("1", TEXT, version=2, verdict=Verdict.REVISED, title=first.title, seen_at=NOW - 2 * HOUR)
    save("1", first.body, version=3, verdict=Verdict.REVISED, title=first.title)
    html = get(client, "/")
    assert "Removed, then put back:" in html
    assert "<ins>Рейс отложен.</ins>" in html
    save("1", TEXT, version=4, verdict=Verdict.REVISED, title=first.title)
    assert "Added, then removed again:" in get(client, "/")


@pytest.mark.parametrize(
    "path",
    [
        "/?status=odd",
        "/?before=yesterday",
        "/?before=2026-01-01",
        "/?before=0001-01-01T00:00:00%2B05:00~x",
        "/?since=0001-01-01T00:00:00Z",
        "/?since=9999-12-31T23:59:59-05:00",
        "/runs?before=-1",
    ],
)
def test_address_that_no_page_wrote(client: httpx.Client, path: str) -> None:
    assert "This address does not work" in get(client, path, 400)


def test_article_page(client: httpx.Client, revised: Article) -> None:
    html = get(client, f"/articles/{revised.id}")
    assert "Version 2 of 2" in html
    assert '<mark id="m1">МККК</mark>' in html
    assert 'href="#m1"' in html
    assert "Substantive" in html
    assert "names" in html
    assert '<bdi lang="ru">Астану</bdi> → <bdi lang="ru">Алматы</bdi>' in html
    assert "2 sentences unchanged" in html
    assert "Page:h1" in html
    assert "At most" in html
    first = get(client, f"/articles/{revised.id}?version=1")
    assert "This is an earlier version." in first
    assert "What this version changed" not in first


def test_side_by_side_has_both_versions(client: httpx.Client, revised: Article) -> None:
    html = get(client, f"/articles/{revised.id}")
    before, now = html.split('<div class="sbs">')[1].split("<h3>Version 2</h3>")
    assert "<h3>Version 1</h3>" in before
    assert ("Астану" in before, "Алматы" in before) == (True, False)
    assert ("Астану" in now, "Алматы" in now) == (False, True)


def test_taken_down_article_keeps_its_text(client: httpx.Client, save: SaveArticle) -> None:
    article = save("1", seen_at=NOW - HOUR)
    save("1", version=2, verdict=Verdict.UNPUBLISHED, title=article.title)
    html = get(client, f"/articles/{article.id}")
    assert "The page was taken down." in html
    assert "Делегация" in html
    assert list_headlines(get(client, "/?status=unpublished")) == ["Заголовок 1"]


def test_missing_article_version_and_story(client: httpx.Client, revised: Article) -> None:
    for path in ("/articles/mfa:9:ru", f"/articles/{revised.id}?version=3", "/stories/9", "/stories/0", "/nothing"):
        assert "There is no such page" in get(client, path, 404)
    assert "This address does not work" in get(client, f"/articles/{revised.id}?version=x", 400)


def test_evidence_is_a_zip_with_both_versions(client: httpx.Client, revised: Article) -> None:
    response = client.get(f"/evidence/{revised.id}")
    assert response.headers["content-disposition"].startswith('attachment; filename="mfa-1-ru.zip"')
    names = zipfile.ZipFile(BytesIO(response.content)).namelist()
    assert {"versions/1.txt", "versions/2.txt", "changes/1-2.txt"} <= set(names)


def test_archived_page_that_is_not_kept(client: httpx.Client, revised: Article) -> None:
    assert "no record of this page" in get(client, f"/archive/{revised.id}")
    assert "There is no such page" in get(client, f"/archive-file/{revised.id}", 404)


def test_story_compares_its_languages(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    url = "https://www.gov.kz/memleket/entities/mfa/press/news/details/77"
    save("77", url=f"{url}?lang=ru", published_at=NOW - 3 * HOUR)
    kazakh = "ХҚКК делегациясы Астанаға келді. Тараптар дәрігерлерді даярлауды талқылады."
    save(
        "77", kazakh, term="ХҚКК", language="kk", url=f"{url}?lang=kk", title="Делегация келді", published_at=NOW - HOUR
    )
    store.clusters.assign_pending(NOW.tzinfo)
    number = store.stories.get_id_by_article("mfa:77:ru")
    assert number is not None
    html = get(client, f"/stories/{number}")
    assert "later by 2 hours" in html
    assert "not found so far" in html
    assert "30" in html
    assert "2 articles" in html
    listed = get(client, "/")
    assert f'href="/stories/{number}"' in listed
    assert "not in English" in listed


def test_sources_page_names_the_trouble(client: httpx.Client, store: Store) -> None:
    started = store.runs.record_start(Run(source="mfa", started_at=NOW - HOUR))
    problem = Problem(kind="Blocked", message="www.gov.kz answers 403.", exit_code=11)
    store.runs.record_end(
        replace(
            started,
            finished_at=NOW,
            health=Health.BLOCKED,
            reason="The site refuses us.",
            exit_code=11,
            problems=(problem,),
        )
    )
    html = get(client, "/sources")
    assert "Blocked" in html
    assert "www.gov.kz answers 403." in html
    folio = html.split('class="folio"')[1].split("</header>")[0]
    assert "Ministry of Foreign Affairs of Kazakhstan: blocked" in folio


def test_runs_page_and_its_filter(client: httpx.Client, store: Store) -> None:
    for source in ("mfa", "ktkz"):
        run = store.runs.record_start(Run(source=source, started_at=NOW - HOUR))
        counts = {"pages": 3, "articles/new": 2}
        store.runs.record_end(replace(run, finished_at=NOW, health=Health.HEALTHY, counts=counts, reason="Well."))
    html = get(client, "/runs")
    assert html.count("pages: 3; new: 2") == 2
    assert get(client, "/runs?source=ktkz").count("pages: 3") == 1


def test_messages_page_shows_failed_ones_first(client: httpx.Client, save: SaveArticle, store: Store) -> None:
    save("1")
    number = store.messages.add(
        key="k", subscription="press", kind="alert", channels=("desk",), created_at=NOW, due_at=NOW
    )
    (_, delivery), *_ = store.deliveries.list_newest()
    store.deliveries.save_result(
        delivery, replace(delivery, state=DeliveryState.DEAD, tries=3, failure="The mailbox is unknown.")
    )
    (event,) = store.events.list_by_article("mfa:1:ru")
    told = Notification(
        subscription="press",
        event_id=event.id,
        article_id=event.article_id,
        decision=Decision.ALERT,
        reason=None,
        message_id=number,
        decided_at=NOW,
    )
    store.events.save_decisions([event.id], [told], NOW)
    html = get(client, "/messages")
    assert "1 delivery failed." in html
    assert "The mailbox is unknown." in html
    assert "Заголовок 1" in html
    assert "Given up" in get(client, "/messages?state=failed")
    assert "No message has these properties" in get(client, "/messages?subscription=other")


def test_message_with_more_deliveries_than_a_page_hides_no_other(client: httpx.Client, store: Store) -> None:
    for number, channels in enumerate((("first",), tuple(f"c{number:03}" for number in range(60)))):
        store.messages.add(
            key=f"{number}", subscription="press", kind="alert", channels=channels, created_at=NOW, due_at=NOW
        )
    html = get(client, "/messages")
    assert ("press, c000" in html, "press, c059" in html, "press, first" in html) == (True, True, False)
    older = re.search(r'<a href="(/messages\?before=\d+)" rel="next">Earlier messages</a>', html)
    assert older is not None
    assert "press, first" in get(client, older[1])


def test_menu_has_every_page(client: httpx.Client) -> None:
    menu = get(client, "/runs").split('<nav class="nav"')[1].split("</nav>")[0]
    pages = ["/", "/search", "/sources", "/review", "/rules", "/messages", "/subscriptions", "/runs"]
    assert re.findall(r'<li><a href="([^"]+)"', menu) == pages


def test_nobody_is_subscribed(client: httpx.Client) -> None:
    assert "Nobody is subscribed" in get(client, "/messages")


def walk_links(client: httpx.Client) -> Iterator[tuple[str, httpx.Response]]:
    """Yield every page that links lead to."""
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop()
        response = client.get(path)
        yield path, response
        if response.headers.get("content-type", "").startswith("text/html"):
            for link in LinkReader(response.text).links:
                own = link.partition("#")[0]
                # Filters of filters are too many to try.
                is_filter_of_filter = own.startswith(("/?", "/search?")) and path != "/"
                is_filter_of_filter |= any(name in own for name in ("theme=", "shortcuts=", "hit="))
                if own.startswith("/") and own not in seen and "lang=" not in own and not is_filter_of_filter:
                    seen.add(own)
                    waiting.append(own)


@pytest.mark.slow
def test_no_link_is_dead(client: httpx.Client, revised: Article, save: SaveArticle) -> None:
    save("2", source="ktkz", published_precision=Precision.DAY, published_at=NOW - 30 * HOUR)
    pages = dict(walk_links(client))
    assert {"/sources", "/messages", "/runs"} <= set(pages)
    assert not {path: page.status_code for path, page in pages.items() if page.status_code != 200}
    for path, page in pages.items():
        if page.headers["content-type"].startswith("text/html"):
            ids = LinkReader(page.text).ids
            assert len(ids) == len(set(ids)), path
            targets = [link for link in LinkReader(page.text).links if link.startswith("#")]
            assert {target[1:] for target in targets} <= set(ids), path


def test_page_that_did_not_change_is_not_sent_again(client: httpx.Client, revised: Article) -> None:
    first = client.get("/")
    again = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert TEXT[:9] in first.text


def test_lost_store_is_one_page(client: httpx.Client, revised: Article, store: Store) -> None:
    get(client, "/")
    Path(store.name).unlink()
    html = get(client, "/", 503)
    # The detail is for readers who are known, and who reads is known only to a thread that has the deleted file open.
    assert "The store cannot be read" in html


def test_text_that_the_policy_removed_is_explained(store: Store, client: httpx.Client, revised: Article) -> None:
    removed_at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    with store.database.transaction() as connection:
        connection.execute(update(notifications).values(decision="not"))
        connection.execute(update(change_events).values(decided_at=removed_at))
        connection.execute(unclustered.delete())
    assert list(store.retention.remove_texts(TextAges(superseded=NOW + timedelta(days=1)), removed_at)) == [1]
    first = client.get(f"/articles/{revised.id}?version=1").text
    assert "The text of version 1 was removed by the retention policy on" in first
    compared = client.get(f"/articles/{revised.id}?version=2&against=1").text
    assert "The text of version 1 was removed by the retention policy on" in compared
    assert "too long to compare" not in compared
    assert "was removed by the retention policy" not in client.get(f"/articles/{revised.id}").text
    texts = [client.get(f"/api/v1/articles/{revised.id}/versions/{number}").json() for number in (1, 2)]
    assert [text["text_removed_at"] for text in texts] == ["2026-03-01T12:00:00Z", None]
    assert [bool(text["excerpt"]) for text in texts] == [False, True]
