"""A Chromium over the pages of a store with two stories. Every page that a test opens is watched.

A script error, a message on the console (such as a refusal by the Content-Security-Policy) or a request to another host
fails the test that caused it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.newsroom_articles import NOW, TEXT, make_story_article
from support.newsroom_server import OpenPage, run_newsroom

from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.store import Store, open_store
from crawler.web.newsroom import Newsroom

KAZAKH = "ХҚКК делегациясы Астанаға келді. Тараптар дәрігерлерді даярлауды талқылады."


def find_chromium() -> str:
    """Return the path of Debian's Chromium. It is a part of CI's machine: there a missing one is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail("Chromium is missing: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a story in two languages, whose Russian text was revised, and with another article."""
    url = "https://www.gov.kz/memleket/entities/mfa/press/news/details/77"

    def save(article: Article, hours: float) -> None:
        hashed = f"{article.title} {article.body}"
        store.articles.save(article, content_hash=hashed, run_id=None, seen_at=NOW - timedelta(hours=hours))

    save(make_story_article("77", url=f"{url}?lang=ru", title="Делегация МККК в Казахстане"), 5)
    kazakh = make_story_article(
        "77", KAZAKH, term="ХҚКК", language="kk", url=f"{url}?lang=kk", title="ХҚКК Қазақстанда"
    )
    save(kazakh, 4)
    save(make_story_article("9", "The Red Cross opened an office.", term="Red Cross", language="en", source="ktkz"), 3)
    later = TEXT.replace("Астану", "Алматы")
    revised = make_story_article(
        "77", later, url=f"{url}?lang=ru", title="Делегация МККК в Казахстане", version=2, verdict=Verdict.REVISED
    )
    save(revised, 1)
    store.clusters.assign_pending(NOW.tzinfo)
    return store


@pytest.fixture
def address(filled: Store, tmp_path: Path) -> Iterator[str]:
    with run_newsroom(Newsroom(config=Config(data_dir=tmp_path), store=filled)) as found:
        yield found


@pytest.fixture
def empty_address(tmp_path: Path) -> Iterator[str]:
    with (
        open_store(f"sqlite:///{tmp_path / 'empty.db'}") as store,
        run_newsroom(Newsroom(config=Config(data_dir=tmp_path), store=store)) as found,
    ):
        yield found


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """A function that opens an address in a browser of its own. Options are those of a browser's context.

    Chromium writes a message for an answer with another status than 200: `statuses` are those that the test causes,
    and `others` the hosts that it may ask beside the address's own.
    """
    contexts, complaints = [], []

    def open_watched(
        url: str, *, statuses: tuple[int, ...] = (), others: tuple[str, ...] = (), **options: object
    ) -> Any:
        hosts = {urlsplit(url).netloc, *others}
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                None
                if any(f"with a status of {status} " in message.text for status in statuses)
                else complaints.append(f"console: {message.text}")
            ),
        )
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                None if urlsplit(request.url).netloc in hosts else complaints.append(f"foreign request: {request.url}")
            ),
        )
        # A browser that leaves a page gives up what it still loads: the page did nothing wrong.
        page.on(
            "requestfailed",
            lambda request: (
                complaints.append(f"failed: {request.url}: {request.failure}")
                if request.failure != "net::ERR_ABORTED"
                else None
            ),
        )
        page.goto(url)
        return page

    yield open_watched
    for context in contexts:
        context.close()
    assert complaints == []
