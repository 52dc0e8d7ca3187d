"""The store: opened by URL, upgraded to the current schema, with one repository per aggregate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from crawler.errors import ConfigError
from crawler.private_files import close_file_to_others, make_private_file, make_private_folder
from crawler.store.database import Database, format_database_error, is_in_memory, make_engine
from crawler.store.schema import articles, runs
from crawler.store.upgrade import upgrade_schema

if TYPE_CHECKING:
    from crawler.store.alarms import AlarmRepository
    from crawler.store.article_cards import CardRepository
    from crawler.store.article_lists import ArticleListRepository
    from crawler.store.articles import ArticleRepository
    from crawler.store.audit import AuditRepository
    from crawler.store.backfills import BackfillRepository
    from crawler.store.credentials import ApiKeyRepository, SessionRepository
    from crawler.store.events import ChangeEventRepository, NotificationRepository
    from crawler.store.failures import FailureRepository
    from crawler.store.http_cache import HttpCacheRepository
    from crawler.store.integrity import IntegrityRepository
    from crawler.store.leases import LeaseRepository
    from crawler.store.outbox import DeliveryRepository, MessageRepository
    from crawler.store.reader_actions import ReaderActionRepository
    from crawler.store.reading_lists import ReadingListRepository
    from crawler.store.rematches import RematchRepository
    from crawler.store.retention import RetentionRepository
    from crawler.store.revision_diffs import RevisionDiffRepository
    from crawler.store.runs import RunRepository
    from crawler.store.schedules import ScheduleRepository
    from crawler.store.search import SearchRepository
    from crawler.store.statistics import StatisticsRepository
    from crawler.store.stories import ClusterRepository, StoryRepository
    from crawler.store.subscriptions import SubscriptionRepository
    from crawler.store.users import UserRepository
    from crawler.store.versions import VersionRepository

DRIVERS_BY_SCHEME = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
URL_FORMS = "sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def define_repository(module: str, name: str) -> Any:
    """Return an attribute of the store that makes a repository when it is first used.

    Its module is imported then: a command uses few of them, and to import all takes as long as a short command.
    """
    return cached_property(lambda store: getattr(import_module(f"crawler.store.{module}"), name)(store.database))


class Store:
    """Everything that the crawler stores. `open_store` makes it; `close()` or the end of a `with` closes it.

    Any thread may use it, each over its own connection, but no child process. A failed read or write (disk full,
    server or file gone, database locked for 30 s) raises StoreError, and nothing of its transaction is stored.
    `database` takes SQL that no repository has, for tests and benchmarks.
    """

    articles: ArticleRepository = define_repository("articles", "ArticleRepository")
    versions: VersionRepository = define_repository("versions", "VersionRepository")
    diffs: RevisionDiffRepository = define_repository("revision_diffs", "RevisionDiffRepository")
    cards: CardRepository = define_repository("article_cards", "CardRepository")
    reading_lists: ReadingListRepository = define_repository("reading_lists", "ReadingListRepository")
    article_lists: ArticleListRepository = define_repository("article_lists", "ArticleListRepository")
    reader_actions: ReaderActionRepository = define_repository("reader_actions", "ReaderActionRepository")
    rematches: RematchRepository = define_repository("rematches", "RematchRepository")
    clusters: ClusterRepository = define_repository("stories", "ClusterRepository")
    stories: StoryRepository = define_repository("stories", "StoryRepository")
    search: SearchRepository = define_repository("search", "SearchRepository")
    runs: RunRepository = define_repository("runs", "RunRepository")
    integrity: IntegrityRepository = define_repository("integrity", "IntegrityRepository")
    statistics: StatisticsRepository = define_repository("statistics", "StatisticsRepository")
    retention: RetentionRepository = define_repository("retention", "RetentionRepository")
    http_cache: HttpCacheRepository = define_repository("http_cache", "HttpCacheRepository")
    failures: FailureRepository = define_repository("failures", "FailureRepository")
    leases: LeaseRepository = define_repository("leases", "LeaseRepository")
    schedules: ScheduleRepository = define_repository("schedules", "ScheduleRepository")
    alarms: AlarmRepository = define_repository("alarms", "AlarmRepository")
    backfills: BackfillRepository = define_repository("backfills", "BackfillRepository")
    events: ChangeEventRepository = define_repository("events", "ChangeEventRepository")
    notifications: NotificationRepository = define_repository("events", "NotificationRepository")
    subscriptions: SubscriptionRepository = define_repository("subscriptions", "SubscriptionRepository")
    messages: MessageRepository = define_repository("outbox", "MessageRepository")
    deliveries: DeliveryRepository = define_repository("outbox", "DeliveryRepository")
    users: UserRepository = define_repository("users", "UserRepository")
    sessions: SessionRepository = define_repository("credentials", "SessionRepository")
    api_keys: ApiKeyRepository = define_repository("credentials", "ApiKeyRepository")
    audit: AuditRepository = define_repository("audit", "AuditRepository")

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def name(self) -> str:
        """The store's URL without its password."""
        return self.database.name

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything that this thread saves in the block, or nothing.

        Other writers wait meanwhile. So collect the values first and save them in one short block.
        """
        with self.database.transaction(exclusive=True):
            yield

    def is_empty(self) -> bool:
        """Return whether no run and no article was ever stored."""
        return not any(self.database.fetch_all(select(table.c.id).limit(1)) for table in (runs, articles))

    def raise_if_lost(self) -> None:
        """Raise StoreError if the SQLite file was deleted or replaced since this thread opened it."""
        self.database.raise_if_lost()

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(url: str, *, backup: bool = True) -> Store:
    """Return the store at a SQLAlchemy URL. Create it, or upgrade its schema, if necessary.

    A SQLite file's directory is created too. Only the owner may read what is created. Before an existing file is
    upgraded it is copied to `<name>.before-<revision>.db` beside it, unless `backup` is False. Revisions of an older
    store are judged once: what a process that was killed had not judged, the next one does. Raise ConfigError if the
    URL is invalid, the database cannot be reached, or a newer version of this program wrote it.
    """
    address = parse_store_url(url)
    name = _format_name(address)
    file = get_store_file(address)
    try:
        if file is not None:
            _make_database_file(file)
        engine = make_engine(address)
        try:
            upgrade_schema(engine, name, file, backup=backup)
        except BaseException:
            engine.dispose()
            raise
        if file is not None:
            _close_database_to_others(file)
    except OSError as error:
        raise ConfigError(f"The store {name} cannot be opened: {error.strerror}: {error.filename}.") from error
    except DBAPIError as error:
        reason = _redact_password(format_database_error(error), address)
        hint = "Check `database` and `data_dir`, and whether the disk is full."
        raise ConfigError(f"The store {name} cannot be opened: {reason}. {hint}") from error
    store = Store(Database(engine, name))
    try:
        store.diffs.judge_pending()
        store.cards.write_missing()
    except BaseException:
        store.close()
        raise
    return store


def store_exists(url: str) -> bool:
    """Return whether a store's file exists. It is not created; a server counts as existing."""
    address = parse_store_url(url)
    if address.get_backend_name() != "sqlite":
        return True
    return bool(address.database) and Path(str(address.database)).is_file()


def is_store_missing(url: str) -> bool:
    """Return whether a store's file does not exist, or has no bytes. A server's database counts as existing."""
    file = get_store_file(parse_store_url(url))
    return file is not None and (not file.exists() or (file.is_file() and file.stat().st_size == 0))


def can_create_store(url: str) -> bool:
    """Return whether a store's file could be made. Folders that are made to find this out are removed again."""
    file = get_store_file(parse_store_url(url))
    if file is None:
        return True
    missing = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=file.parent):
            return True
    except OSError:
        return False
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def redact_url(url: str) -> str:
    """Return a store's URL without its password, for messages. The store is not opened."""
    return _format_name(parse_store_url(url))


def parse_store_url(url: str) -> URL:
    """Return a store's address with the driver to use. Raise ConfigError for an address of another kind."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: the port is not a number
        raise ConfigError(f"`database` is not a database address: write {URL_FORMS}.") from error
    if address.drivername not in DRIVERS_BY_SCHEME:
        raise ConfigError(f"`database` asks for {address.drivername!r}, which is not supported: write {URL_FORMS}.")
    return address.set(drivername=DRIVERS_BY_SCHEME[address.drivername])


def get_store_file(address: URL) -> Path | None:
    """Return the file of a SQLite store, None for a store in memory or on a server."""
    if address.get_backend_name() != "sqlite" or is_in_memory(address):
        return None
    return Path(str(address.database))


def _make_database_file(file: Path) -> None:
    """Make a SQLite file that only its owner may read, where there is none.

    An existing one is not opened here: closing it again would end the locks that SQLite has on it in this process.
    """
    make_private_folder(file.parent)
    if not file.exists():
        make_private_file(file)


def _close_database_to_others(file: Path) -> None:
    """Make the files of a SQLite database private, as earlier versions of the program wrote them for all users."""
    for suffix in ("", "-wal", "-shm"):
        close_file_to_others(file.with_name(file.name + suffix))


def _format_name(address: URL) -> str:
    if address.get_backend_name() == "sqlite":
        return address.database or ":memory:"
    return URL.create(
        "postgresql", address.username, None, address.host, address.port, address.database
    ).render_as_string()


def _redact_password(message: str, address: URL) -> str:
    for secret in (address.password, address.query.get("password")):
        if isinstance(secret, str) and secret:
            message = message.replace(secret, "***")
    return message
