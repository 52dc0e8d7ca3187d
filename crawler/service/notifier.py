"""Send alarms and messages in a thread beside the scheduler, so that a slow receiver delays no run.

While there is nothing to send, the thread clusters and indexes what the runs left for later.
"""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue

from crawler.errors import CrawlerError
from crawler.service.clustered_store import cluster_pending_articles
from crawler.service.notifications import notify_about_runs
from crawler.service.reloader import ConfigReloader
from crawler.service.run import RunOutcome

log = logging.getLogger(__name__)


class NotifierThread:
    """Notifies about ended runs, and at each check about what could not be sent before; one notification at a time."""

    def __init__(self, reloader: ConfigReloader) -> None:
        self._reloader = reloader
        self._queue: SimpleQueue[tuple[RunOutcome, ...] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()

    def submit(self, *outcomes: RunOutcome) -> None:
        """Request notifications about these runs and about whatever is pending. Return at once."""
        if outcomes or self._queue.empty():
            self._queue.put(outcomes)

    def stop(self, timeout: float) -> None:
        """Wait for the notification in progress, at most `timeout` seconds. The next run or watch sends the rest."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        requests: list[tuple[RunOutcome, ...] | None] = []
        while None not in requests:
            requests = [self._queue.get()]
            while not self._queue.empty():
                requests.append(self._queue.get())
            pending = [request for request in requests if request is not None]
            try:
                if pending:
                    outcomes = [outcome for request in pending for outcome in request]
                    for line in notify_about_runs(self._reloader.config, outcomes):
                        print(f"    {line}", flush=True)
            except Exception:  # the thread must outlive any failure, so that later events are sent
                log.exception("Notifications failed. They are tried again at the next check.")
            if None not in requests:
                self._cluster_waiting_articles()
                self._index_waiting_versions()

    def _cluster_waiting_articles(self) -> None:
        """Cluster articles, a batch at a time, until something is to be sent or none is left."""
        try:
            if self._reloader.store.clusters.count_pending():
                cluster_pending_articles(
                    self._reloader.store, self._reloader.config, should_stop=lambda: not self._queue.empty()
                )
        except CrawlerError as error:
            log.warning("Articles could not be clustered. The next check tries again. %s", error)
        except Exception:  # as above
            log.exception("Articles could not be clustered. The next check tries again.")

    def _index_waiting_versions(self) -> None:
        """Add versions to the full-text index, until something is to be sent or none is left."""
        try:
            if self._reloader.store.search.has_waiting():
                self._reloader.store.search.index_pending(lambda: not self._queue.empty())
        except CrawlerError as error:
            log.warning("Versions could not be indexed. The next check tries again. %s", error)
        except Exception:  # as above
            log.exception("Versions could not be indexed. The next check tries again.")
