"""Cluster the articles that no run has clustered yet: in idle time, or before a command or a message needs stories."""

from __future__ import annotations

from collections.abc import Callable

from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.similarity.semantic import load_embedding
from crawler.store import Store
from crawler.store.stories import make_deadline
from crawler.text.dates import load_time_zone


def open_clustered_store(config: Config) -> Store:
    """Return the open store, with all its articles clustered."""
    store = open_configured_store(config)
    cluster_pending_articles(store, config)
    return store


def cluster_pending_articles(store: Store, config: Config, should_stop: Callable[[], bool] | None = None) -> None:
    """Cluster all articles that wait for it, in batches, until `should_stop` returns True after one (None: never)."""
    model = load_embedding() if config.semantic else None
    store.clusters.assign_pending(load_time_zone(config.timezone), should_stop=should_stop, embedding=model)


def cluster_urgent_articles(store: Store, config: Config, max_seconds: float) -> None:
    """Cluster the articles on whose story an alert may depend, for at most so many seconds."""
    model = load_embedding() if config.semantic else None
    zone = load_time_zone(config.timezone)
    store.clusters.assign_urgent(zone, should_stop=make_deadline(max_seconds), embedding=model)
