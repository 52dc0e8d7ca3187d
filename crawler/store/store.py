"""The store itself: opened by address, made ready without being asked; its rooms and a batch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from crawler.errors import ConfigError
from crawler.store.alarms import AlarmRepository
from crawler.store.articles import ArticleRepository
from crawler.store.database import Database, format_database_error, is_in_memory, make_engine
from crawler.store.events import ChangeEventRepository
from crawler.store.http_cache import HttpCacheRepository
from crawler.store.leases import LeaseRepository
from crawler.store.outbox import MessageRepository
from crawler.store.rematches import RematchRepository
from crawler.store.runs import RunRepository
from crawler.store.schedules import ScheduleRepository
from crawler.store.stories import StoryRepository
from crawler.store.upgrade import upgrade_schema

DRIVERS_BY_SCHEME = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
URL_FORMS = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


class Store:
    """Everything the crawler remembers. Made by `open_store`, closed by `close()` or by the end of a `with`.

    Any thread may use it, each over a connection of its own; no child process may. What cannot be read or written
    (disk full, server gone, locked for 30 s) is a CrawlerError, and nothing of the transaction stays.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.articles = ArticleRepository(database)
        self.runs = RunRepository(database)
        self.http_cache = HttpCacheRepository(database)
        self.rematches = RematchRepository(database)
        self.schedules = ScheduleRepository(database)
        self.stories = StoryRepository(database)
        self.alarms = AlarmRepository(database)
        self.events = ChangeEventRepository(database)
        self.messages = MessageRepository(database)
        self.leases = LeaseRepository(database)

    @property
    def name(self) -> str:
        """The store's address without its password, for people."""
        return self._database.name

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Group what this thread writes in the block into one transaction: all of it is kept, or nothing.

        Others wait meanwhile, so gather the values first and save them in one short block.
        """
        with self._database.transaction(batch=True):
            yield

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(url: str, *, backup: bool = True) -> Store:
    """The store at a SQLAlchemy address, made or brought to today's schema first.

    A SQLite file's folder is made when missing; before an existing file is upgraded it is copied beside itself, to
    `<name>.before-<revision>.db`, unless `backup` is False. ConfigError when the address cannot be used, the
    database not be reached, or a newer version of this program wrote it.
    """
    address = _address(url)
    name = _without_password(address)
    file = _file(address)
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        engine = make_engine(address)
        try:
            upgrade_schema(engine, name, file, backup=backup)
        except BaseException:
            engine.dispose()
            raise
    except OSError as error:
        raise ConfigError(f"The store {name} cannot be opened: {error.strerror}: {error.filename}.") from error
    except DBAPIError as error:
        why = _silenced(format_database_error(error), address)
        hint = "Check `database` and `data_dir`" + (", and whether the disk is full." if "disk" in why else ".")
        raise ConfigError(f"The store {name} cannot be opened: {why}. {hint}") from error
    return Store(Database(engine, name))


def redact_url(url: str) -> str:
    """A store's address without its password, for people; nothing is opened."""
    return _without_password(_address(url))


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise ConfigError(f"`database` is not a database address: write {URL_FORMS}.") from error
    if address.drivername not in DRIVERS_BY_SCHEME:
        raise ConfigError(f"`database` asks for {address.drivername!r}, which is not supported: write {URL_FORMS}.")
    return address.set(drivername=DRIVERS_BY_SCHEME[address.drivername])


def _file(address: URL) -> Path | None:
    if address.get_backend_name() != "sqlite" or is_in_memory(address):
        return None
    return Path(str(address.database))


def _without_password(address: URL) -> str:
    if address.get_backend_name() == "sqlite":
        return address.database or ":memory:"
    return URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database
    ).render_as_string()


def _silenced(message: str, address: URL) -> str:
    secrets = (address.password, address.query.get("password"))
    for secret in secrets:
        if isinstance(secret, str) and secret:
            message = message.replace(secret, "***")
    return message
