"""Send alarms and messages in a thread beside the scheduler, so that a slow receiver delays no run.

While there is nothing to send, the thread clusters, indexes and uploads what the runs left for later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from time import monotonic

from crawler.archive.object_storage import ObjectStorage
from crawler.archive.uploads import upload_closed_files
from crawler.errors import CrawlerError
from crawler.service.clustered_store import cluster_pending_articles
from crawler.service.notifications import notify_about_runs
from crawler.service.reloader import ConfigReloader
from crawler.service.run import RunOutcome

UPLOAD_INTERVAL = 300.0
"""Seconds between two looks for WARC files that wait. Each run uploads its own, so only an outage leaves some."""
UPLOAD_TIMEOUT = timedelta(minutes=10)
"""Longest request: files that are too large for the end of a run are uploaded here."""
log = logging.getLogger(__name__)


class NotifierThread:
    """Notifies about ended runs, and at each check about what could not be sent before; one notification at a time."""

    def __init__(self, reloader: ConfigReloader, print_line: Callable[[str], None] = print) -> None:
        """`print_line` gets what was sent, line by line."""
        self._reloader, self._print_line = reloader, print_line
        self._next_upload = 0.0
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
                        self._print_line(f"    {line}")
            except Exception:  # the thread must outlive any failure, so that later events are sent
                log.exception("Notifications failed. They are tried again at the next check.")
            if None not in requests:
                self._cluster_waiting_articles()
                self._index_waiting_versions()
                self._upload_waiting_files()

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

    def _upload_waiting_files(self) -> None:
        """Upload WARC files that no run could, until something is to be sent or none is left."""
        config = self._reloader.config
        if config.objects.address is None or monotonic() < self._next_upload:
            return
        self._next_upload = monotonic() + UPLOAD_INTERVAL
        try:
            report = upload_closed_files(
                config.archive_dir,
                ObjectStorage(config.objects, timeout=UPLOAD_TIMEOUT),
                datetime.now(UTC),
                keep_days=config.objects.keep_days,
                should_stop=lambda: not self._queue.empty(),
            )
        except CrawlerError as error:
            log.warning("WARC files could not be uploaded. The watch tries again in five minutes. %s", error)
        except Exception:  # as above
            log.exception("WARC files could not be uploaded. The watch tries again in five minutes.")
        else:
            if report.problem:
                log.warning("WARC files wait to be uploaded. The watch tries again in five minutes. %s", report.problem)
