"""At the end of a run: upload its WARC files to object storage, and what earlier runs on this machine could not.

The run's record is written before. A storage that fails changes nothing about the run: the files stay in the archive's
folder, and the next run or an idle moment of the watch uploads them.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from crawler.archive.object_storage import ObjectStorage
from crawler.archive.uploads import find_waiting_files, upload_closed_files
from crawler.context.modes import Storage
from crawler.context.run_context import SHUTDOWN, RunContext
from crawler.errors import ArchiveError
from crawler.monitoring.run_counts import RunCount
from crawler.store.stories import make_deadline

MAX_UPLOAD_SECONDS = 60.0
"""After this time no further file is uploaded. The rest waits."""
MAX_FILE_BYTES = 32_000_000
"""Larger files wait for the watch: an upload may take as long as a request to the storage."""
log = logging.getLogger(__name__)


class ArchiveUploadExtension:
    """Uploads closed WARC files when the engine has stopped."""

    def __init__(self, context: RunContext, folder: Path) -> None:
        self._context, self._folder = context, folder
        self._storage = ObjectStorage(context.config.objects)
        self._was_stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the extension; raise NotConfigured without object storage or an archive that stays."""
        context = RunContext.from_source_run(crawler)
        folder = crawler.settings.get("CRAWLER_ARCHIVE_DIR")
        if not folder or context.config.objects.address is None or context.storage is not Storage.CONFIGURED:
            raise NotConfigured
        extension = cls(context, Path(folder))
        crawler.signals.connect(extension.spider_opened, signals.spider_opened)
        crawler.signals.connect(extension.spider_closed, signals.spider_closed)
        crawler.signals.connect(extension.engine_stopped, signals.engine_stopped)
        return extension

    def spider_opened(self) -> None:
        """Count what earlier runs of the source could not upload. The run's record has the number."""
        try:
            waiting = find_waiting_files(self._folder, self._storage.address, datetime.now(UTC), self._context.source)
        except ArchiveError as error:
            log.warning("WARC files that wait to be uploaded could not be counted. %s", error)
            return
        if waiting:
            self._context.increment_stat(RunCount.ARCHIVE_WAITING, waiting.count)

    def spider_closed(self, reason: str) -> None:
        """Note whether a signal ended the run."""
        self._was_stopped = reason == SHUTDOWN

    async def engine_stopped(self) -> None:
        """Upload, in a thread."""
        if not self._was_stopped:
            await asyncio.to_thread(self._upload)

    def _upload(self) -> None:
        objects = self._context.config.objects
        try:
            report = upload_closed_files(
                self._folder,
                self._storage,
                datetime.now(UTC),
                first_source=self._context.source,
                keep_days=objects.keep_days,
                max_bytes=MAX_FILE_BYTES,
                should_stop=make_deadline(MAX_UPLOAD_SECONDS),
            )
            if report.problem:
                waiting = find_waiting_files(self._folder, self._storage.address, datetime.now(UTC))
                log.warning("%s. %s", waiting or "No WARC file waits to be uploaded", report.problem)
        except ArchiveError as error:
            log.warning("WARC files could not be uploaded. The next run tries again. %s", error)
            return
        log.info("%d WARC files uploaded, %d removed here", report.uploaded, report.removed)
