"""The store of the configuration: opened, unless it is empty while the archive beside it has records."""

from __future__ import annotations

from crawler.config import Config
from crawler.errors import EmptyStore
from crawler.private_files import close_folder_to_others
from crawler.store import Store, is_store_missing, open_store, redact_url
from crawler.text.counts import format_count

DATA_NAMES = frozenset(
    {
        "crawler",
        "archive",
        "robots",
        "channel-tests",
        "told-without-store",
        "store-work",
        "last-heartbeat",
        "rules-apply",
    }
)
"""Names of what the program puts into the data folder, without a dot before them and from the next one on."""


def open_configured_store(config: Config, *, new_store: bool = False, url: str | None = None) -> Store:
    """Return the store of the configuration, or the one at `url` beside the archive of the configuration.

    Raise EmptyStore where the store has neither a run nor an article, and the archive has records: every article would
    be new again. A missing file is not created then. `new_store` accepts an empty store. Raise ConfigError as
    `open_store` does.
    """
    close_folder_to_others(config.data_folder, DATA_NAMES)
    if not new_store and is_store_missing(url or config.database_url):
        raise_if_archived(config, url)
    store = open_store(url or config.database_url)
    try:
        if not new_store and store.is_empty():
            raise_if_archived(config, url)
    except BaseException:
        store.close()
        raise
    return store


def raise_if_archived(config: Config, url: str | None = None) -> None:
    """Raise EmptyStore if the archive of the configuration has records. The caller knows that the store is empty."""
    from crawler.archive.inventory import list_days  # a store with articles needs no archive

    if days := list_days(config.archive_dir):
        raise EmptyStore(
            f"The store is empty but the archive has {format_count(len(days), 'day')} of records (store "
            f"{redact_url(url or config.database_url)}, archive {config.archive_dir}). Use `crawler store restore` or "
            "`crawler store rebuild`, or start a new store with `crawler crawl --new-store`: then all articles are its "
            "baseline, and none is sent."
        )
