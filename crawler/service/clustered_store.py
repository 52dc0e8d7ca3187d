"""Cluster the articles that no run has clustered yet, before a command or a notification uses stories."""

from __future__ import annotations

from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.similarity.semantic import load_embedding
from crawler.store import Store
from crawler.text.dates import load_time_zone


def open_clustered_store(config: Config) -> Store:
    """Return the open store, with all its articles clustered."""
    store = open_configured_store(config)
    cluster_pending_articles(store, config)
    return store


def cluster_pending_articles(store: Store, config: Config, max_seconds: float | None = None) -> None:
    """Cluster the articles that wait for it, for at most so many seconds (None: no limit)."""
    model = load_embedding() if config.semantic else None
    store.clusters.assign_pending(load_time_zone(config.timezone), max_seconds=max_seconds, embedding=model)
