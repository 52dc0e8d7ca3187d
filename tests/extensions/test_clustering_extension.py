"""After a run its urgent articles are clustered; where a signal ended the run, by the next one."""

from __future__ import annotations

from support.article_publisher import ArticlePublisher
from support.empty_stores import open_test_store

from crawler.config import Config
from crawler.context.run_context import RunContext
from crawler.extensions.clustering import ClusteringExtension


def test_next_run_clusters_what_a_signal_interrupted(config: Config) -> None:
    with open_test_store(config.database_url) as store:
        publisher = ArticlePublisher(store)
        publisher.begin_run()
        publisher.publish("1")
        context = RunContext(source="mfa", config=config)
        context.store = store  # without a Scrapy crawler, which would open it
        for reason, waiting in (("shutdown", 1), ("finished", 0)):
            ClusteringExtension(context).spider_closed(reason)
            assert store.clusters.count_pending(only_urgent=True) == waiting
