"""Fixtures of the web pages: a store with a few stories, and the pages over it on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from support.newsroom_articles import NOW, TEXT, SaveArticle, make_story_article
from support.newsroom_server import run_newsroom

from crawler.config import Config
from crawler.items import Article, Verdict
from crawler.store import Store
from crawler.web.newsroom import Newsroom


@pytest.fixture
def save(store: Store) -> SaveArticle:
    """A function that makes and saves an article."""

    def save_article(*args: object, seen_at: datetime = NOW, **values: object) -> Article:
        article = make_story_article(*args, **values)  # type: ignore[arg-type]
        store.articles.save(
            article, content_hash=f"{hash((article.title, article.body))}", run_id=None, seen_at=seen_at
        )
        return article

    return save_article


@pytest.fixture
def newsroom(store: Store, tmp_path: Path) -> Newsroom:
    return Newsroom(config=Config(data_dir=tmp_path), store=store)


@pytest.fixture
def address(newsroom: Newsroom) -> Iterator[str]:
    """The address of the running pages."""
    with run_newsroom(newsroom) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    options = {"headers": {"accept-language": "en"}, "timeout": 20, "verify": False}
    with httpx.Client(base_url=address, **options) as opened:
        yield opened


@pytest.fixture
def revised(save: SaveArticle) -> Article:
    """An article whose second version names another city."""
    first = save("1", seen_at=NOW - timedelta(hours=3))
    return save("1", TEXT.replace("Астану", "Алматы"), version=2, verdict=Verdict.REVISED, title=first.title)
