"""What the owner wants of a watch: read at its start, and again when crawler.toml is another one or a day is new."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from crawler.config import Config, find_config_file, load_config
from crawler.keywords import load_rules
from crawler.service.notifications import begin_subscriptions
from crawler.service.schedule_api import ADAPTIVE_CRON, Timing
from crawler.service.schedules import get_spider_timings_in_child, make_timings
from crawler.store import Store, open_store
from crawler.text.dates import load_time_zone


class ConfigReloader:
    """`config` is what was last read and could be used; `store` is that of the first configuration."""

    def __init__(self, path: Path | None, wanted: tuple[str, ...] = ()) -> None:
        """ConfigError when the configuration, its rules or its store cannot be used."""
        self._path, self._wanted = path, wanted
        self._file = self._get_file_state()
        self.config: Config = load_config(path)
        begin_subscriptions(self.config)
        load_rules(self.config.rules)  # a broken rule file is refused at the start, and later by the runs that meet it
        self.store: Store = open_store(self.config.database_url)
        self._day = self._get_learning_day()

    def load_timings(self) -> dict[str, Timing]:
        """When each source runs by the configuration of now, which becomes the one in force; ConfigError when it cannot
        be used, and then the former stays."""
        self._file = self._get_file_state()
        config = load_config(self._path)
        begin_subscriptions(config)
        found = make_timings(config, self.store, self._wanted, get_spider_timings_in_child)
        self.config = config
        self._day = self._get_learning_day()
        return found

    def has_changed(self) -> bool:
        """Whether there is something new to read, told once."""
        before = (self._file, self._day)
        self._file, self._day = self._get_file_state(), self._get_learning_day()
        return before != (self._file, self._day)

    def _get_file_state(self) -> tuple[Path | None, int, int]:
        """The file with its time and size."""
        path = self._path or find_config_file()
        try:
            about = path.stat() if path else None
        except OSError:  # just taken away, or never there: reading it will say so
            about = None
        return path, about.st_mtime_ns if about else 0, about.st_size if about else 0

    def _get_learning_day(self) -> date | None:
        """The day of which a rhythm is learned, None where all crons are fixed."""
        if not any(options.cron == ADAPTIVE_CRON for options in self.config.sources.values()):
            return None
        return datetime.now(load_time_zone(self.config.timezone)).date()
