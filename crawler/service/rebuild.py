"""Make a store again from the archive: every record of every source, in the order of time, by today's page classes.

The result is a new store, which replaces the former one in one step at the end. What the archive does not have is not
rebuilt (see `NOT_ARCHIVED`), and no subscription is notified of anything.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from crawler import spiders
from crawler.archive.inventory import list_files_by_source
from crawler.archive.snapshot_reader import ArchivedResponse, read_responses
from crawler.archive.spooled_archive import WarcFile, get_local_path, open_archive
from crawler.config import Config
from crawler.errors import ArchiveError, ObjectStorageError, UsageError
from crawler.keywords import Matcher, load_rules
from crawler.service.backup import STORE, install_store, make_store_folder, raise_if_irreplaceable
from crawler.service.clustered_store import cluster_pending_articles
from crawler.service.rebuilt_run import RebuiltRun, RunTemplate, parse_run_tag
from crawler.spiders.url_mapping import is_robots_txt
from crawler.store import Store, open_store
from crawler.store.events import REPLAY_RUN
from crawler.store.portable_copy import prepare_store_copy

NOT_ARCHIVED = (
    "messages and what each subscription was told, alarms, corrected stories, paused schedules, accepted baselines, "
    "former readings of pages that were reprocessed, and articles that were replayed from other files"
)
"""What a rebuilt store lacks."""
LONGEST_PAUSE = timedelta(minutes=3)
"""Records without a run's tag that are further apart are of two runs: no wait within a run is as long."""


@dataclass(slots=True)
class RebuildReport:
    """What was read, and what is in the new store. `unreadable` names the records, files and folders that were not.

    `changed_pages` are the problems of pages that today's page classes cannot read, each once. `former` is the file
    with the former store, None if that was empty.
    """

    sources: list[str]
    files: int = 0
    responses: int = 0
    runs: int = 0
    articles: int = 0
    versions: int = 0
    unreadable: list[str] = field(default_factory=list)
    changed_pages: dict[str, None] = field(default_factory=dict)
    former: Path | None = None


def rebuild_store(
    config: Config, now: datetime, *, overwrite: bool, on_file: Callable[[str], None] = lambda name: None
) -> RebuildReport:
    """Replace the store in force by one that is made from the archive. `on_file` gets the name of each file in turn.

    Raise UsageError if there is no archive, or the store is in use or is not empty (unless `overwrite`). Until the end
    the former store stays as it is, also when this process is killed.
    """
    raise_if_irreplaceable(config.database_url, overwrite=overwrite)
    config.raise_if_unknown_source(spiders.list_file_names())
    archive = open_archive(config.archive_dir, config.objects)
    found, known = list_files_by_source(archive), spiders.list_names()
    report = RebuildReport([name for name in found if name in known])
    report.unreadable += [
        f"{config.archive_dir / name}: there is no such source" for name in found if name not in known
    ]
    if not report.sources:
        raise UsageError(f"There is no archive in {archive}: it holds no WARC file of a source.")
    with make_store_folder(config) as work:
        file = work / STORE
        with open_store(f"sqlite:///{file}") as store:
            _Rebuild(config, found, store, report, on_file).run()
            store.events.suppress_undecided(REPLAY_RUN)
            _cluster_articles(store, config)
        counts = prepare_store_copy(file)
        report.articles, report.versions, report.runs = (counts[name] for name in ("articles", "versions", "runs"))
        report.former = install_store(config, file, "rebuild", now)
    return report


def _cluster_articles(store: Store, config: Config) -> None:
    """Cluster all articles. One call ends where articles change each other's cluster too often; the rest goes on."""
    pending, before = store.clusters.count_pending(), 0
    while pending and pending != before:
        cluster_pending_articles(store, config)
        pending, before = store.clusters.count_pending(), pending


class _Rebuild:
    """Reads the archive into an empty store."""

    def __init__(
        self,
        config: Config,
        files: Mapping[str, Sequence[WarcFile]],
        store: Store,
        report: RebuildReport,
        on_file: Callable[[str], None],
    ) -> None:
        self._files, self._report, self._on_file = files, report, on_file
        rules = load_rules(config.rules)
        matcher = Matcher(rules)
        self._sources = {
            name: _SourceRebuild(RunTemplate(spiders.load_spider(name), config, store, rules, matcher))
            for name in report.sources
        }

    def run(self) -> None:
        """Read all sources together, so that the first of two equal texts is the original."""
        streams = [self._iterate_responses(name) for name in self._sources]
        for _, name, archived in heapq.merge(*streams, key=lambda each: each[0]):
            self._report.responses += 1
            if archived.error and not archived.came_broken:
                self._report.unreadable.append(str(archived.error))
            self._report_pages(self._sources[name].add_response(archived))
        for source in self._sources.values():
            self._report_pages(source.finish_run())

    def _iterate_responses(self, source: str) -> Iterator[tuple[datetime, str, ArchivedResponse]]:
        """Yield a source's responses in the order of its files."""
        for path in self._files[source]:
            self._on_file(f"{source}/{get_local_path(path).name}")
            self._report.files += 1
            try:
                for archived in read_responses(path):
                    yield archived.time, source, archived
            except ObjectStorageError:
                raise  # The former store stays: a rebuilt one would lack what cannot be read now.
            except ArchiveError as error:
                self._report.unreadable.append(str(error))

    def _report_pages(self, problems: Sequence[str]) -> None:
        self._report.changed_pages.update(dict.fromkeys(problems))


class _SourceRebuild:
    """Divides a source's responses into runs."""

    def __init__(self, template: RunTemplate) -> None:
        self._template = template
        self._run: RebuiltRun | None = None
        self._tag: str | None = None
        self._last_time: datetime | None = None
        self._robots_hosts: set[str] = set()

    def add_response(self, archived: ArchivedResponse) -> Sequence[str]:
        """Add a response to its run. Return the problems of the run before it, if this one begins another."""
        problems: Sequence[str] = ()
        if self._run is None or self._begins_run(archived):
            problems = self.finish_run()
            self._run = RebuiltRun(self._template, parse_run_tag(archived.run_tag, archived.time))
            self._tag = archived.run_tag
        if archived.snapshot and is_robots_txt(archived.snapshot.url):
            self._robots_hosts.add(urlsplit(archived.snapshot.url).netloc)
        self._run.add_response(archived)
        self._last_time = archived.time
        return problems

    def finish_run(self) -> Sequence[str]:
        """End the run, if there is one. Return the problems of its pages."""
        run, self._run = self._run, None
        self._robots_hosts.clear()
        if run is None:
            return ()
        run.finish()
        return [problem.message for problem in run.problems if problem.url]

    def _begins_run(self, archived: ArchivedResponse) -> bool:
        """Whether a response is of another run than the one before it.

        A run requests the robots.txt of a host once.
        """
        if archived.run_tag is not None or self._tag is not None:
            return archived.run_tag != self._tag
        snapshot = archived.snapshot
        if snapshot and is_robots_txt(snapshot.url) and urlsplit(snapshot.url).netloc in self._robots_hosts:
            return True
        return self._last_time is not None and archived.time - self._last_time > LONGEST_PAUSE
