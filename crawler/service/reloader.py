"""The configuration of a watch: read at its start, and again when crawler.toml changes or a new day begins."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from crawler.config import Config, find_config_file, load_config
from crawler.config.source_folder import find_sources_folder, get_folder_state
from crawler.context.configured_store import open_configured_store
from crawler.errors import CrawlerError, UsageError
from crawler.keywords import load_rules
from crawler.service.adaptive_cron import ADAPTIVE_CRON
from crawler.service.notifications import begin_subscriptions, check_subscriptions
from crawler.service.run import RunPlan
from crawler.service.schedule_state import Timing
from crawler.service.schedules import get_spider_timings_in_child, make_timings
from crawler.spiders import is_retired
from crawler.store import Store
from crawler.text.dates import load_time_zone


class ConfigReloader:
    """Reads the configuration of a watch.

    `config` is the last configuration that could be used. `store` is that of the first one: a new database address
    needs a restart.
    """

    def __init__(self, path: Path | None, sources: tuple[str, ...] = (), *, new_store: bool = False) -> None:
        """Raise ConfigError when the configuration, its rules or its store cannot be used.

        Raise EmptyStore for an empty store beside an archive with records, unless `new_store` accepts it.
        """
        self._path, self._sources, self._new_store = path, sources, new_store
        self._file_state, self._has_timings = self._get_file_state(), False
        self.config: Config = self._load_config()
        check_subscriptions(self.config)
        load_rules(self.config.rules)  # a rules file that breaks later is reported by the runs
        self.store: Store = open_configured_store(self.config, new_store=new_store)
        begin_subscriptions(self.config, new_store=new_store)
        self._learning_day = self._get_learning_day()

    def load_timings(self) -> dict[str, Timing]:
        """Read the configuration again and return when each source runs.

        Raise ConfigError when it cannot be used; `config` then stays as it is.
        """
        self._file_state = self._get_file_state()
        try:
            config = self._load_config()
            begin_subscriptions(config, new_store=self._accepts_empty_store())
            timings = self._make_timings(config)
        except CrawlerError as error:
            if not isinstance(error, UsageError):  # The store or a child failed, not the files: try at the next check.
                self._file_state = None
            raise
        self.config, self._has_timings = config, True
        self._learning_day = self._get_learning_day()
        return timings

    def _make_timings(self, config: Config) -> dict[str, Timing]:
        """Return when each source runs. One that the watch was given, and that is retired since, runs no more."""
        sources = self._sources
        if self._has_timings:
            sources = tuple(name for name in sources if not is_retired(name))
            if self._sources and not sources:
                return {}
        return make_timings(config, self.store, sources, get_spider_timings_in_child)

    def has_changed(self) -> bool:
        """Return whether the file or the day changed since the last call or load. The day matters for learned crons."""
        before = (self._file_state, self._learning_day)
        self._file_state, self._learning_day = self._get_file_state(), self._get_learning_day()
        return before != (self._file_state, self._learning_day)

    def make_plan(self, source: str) -> RunPlan:
        """Return the plan of a scheduled run."""
        accepts_empty = self._accepts_empty_store()
        return RunPlan(source=source, config=self.config.path, limits=self.config.limits, new_store=accepts_empty)

    def _load_config(self) -> Config:
        """Return the configuration. From then on its file is the one to read, also while it is deleted."""
        config = load_config(self._path)
        self._path = config.path
        return config

    def _accepts_empty_store(self) -> bool:
        """Return whether the store may be empty. After the first run it may not: then it was lost under the watch."""
        return self._new_store and self.store.is_empty()

    def _get_file_state(self) -> tuple[object, ...] | None:
        """Return the file and the source definitions beside it, with their times and sizes."""
        path = self._path or find_config_file()
        try:
            stat = path.stat() if path else None
        except OSError:  # deleted, or never there: load_config reports it
            stat = None
        definitions = get_folder_state(find_sources_folder(path))
        return path, stat.st_mtime_ns if stat else 0, stat.st_size if stat else 0, definitions

    def _get_learning_day(self) -> date | None:
        """Return today if a source has a learned cron, else None."""
        if not any(options.cron == ADAPTIVE_CRON for options in self.config.sources.values()):
            return None
        return datetime.now(load_time_zone(self.config.timezone)).date()
