"""Cluster the articles that no run has clustered yet: in idle time, or before a command or a message needs stories."""

from __future__ import annotations

from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.similarity.semantic import load_embedding
from crawler.store import Store
from crawler.store.stories import ShouldStop
from crawler.text.dates import load_time_zone


def open_clustered_store(config: Config) -> Store:
    """Return the open store, with all its articles clustered."""
    store = open_configured_store(config)
    cluster_pending_articles(store, config)
    return store


def cluster_pending_articles(
    store: Store, config: Config, should_stop: ShouldStop | None = None, *, only_urgent: bool = False
) -> None:
    """Cluster the articles that wait for it, in batches, until `should_stop` returns True after one (None: never).

    With `only_urgent`, those on whose story an alert may depend.
    """
    zone, model = load_time_zone(config.timezone), load_embedding() if config.semantic else None
    store.clusters.assign_pending(zone, only_urgent=only_urgent, should_stop=should_stop, embedding=model)
