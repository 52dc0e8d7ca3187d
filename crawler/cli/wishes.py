"""What the owner wants of a watch: read at its start, and again when crawler.toml is another one or a day is new."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from crawler.cli.telling import prepare
from crawler.cli.timings import shipped_elsewhere, timings
from crawler.config import Config, find, load
from crawler.keywords import load_rules
from crawler.schedule import AUTO, Timing
from crawler.store import Store, open_store
from crawler.text.dates import zone


class Wishes:
    """`config` is what was last read and could be used; `store` is that of the first configuration."""

    def __init__(self, path: Path | None, wanted: tuple[str, ...] = ()) -> None:
        """ConfigError when the configuration, its rules or its store cannot be used."""
        self._path, self._wanted = path, wanted
        self._file = self._state()
        self.config: Config = load(path)
        prepare(self.config)
        load_rules(self.config.rules)  # a broken rule file is refused at the start, and later by the runs that meet it
        self.store: Store = open_store(self.config.database_url)
        self._day = self._learned_on()

    def timings(self) -> dict[str, Timing]:
        """When each source runs by the configuration of now, which becomes the one in force; ConfigError when it cannot
        be used, and then the former stays."""
        self._file = self._state()
        config = load(self._path)
        prepare(config)
        found = timings(config, self.store, self._wanted, shipped_elsewhere)
        self.config = config
        self._day = self._learned_on()
        return found

    def has_changed(self) -> bool:
        """Whether there is something new to read, told once."""
        before = (self._file, self._day)
        self._file, self._day = self._state(), self._learned_on()
        return before != (self._file, self._day)

    def _state(self) -> tuple[Path | None, int, int]:
        """The file with its time and size."""
        path = self._path or find()
        try:
            about = path.stat() if path else None
        except OSError:  # just taken away, or never there: reading it will say so
            about = None
        return path, about.st_mtime_ns if about else 0, about.st_size if about else 0

    def _learned_on(self) -> date | None:
        """The day of which a rhythm is learned, None where all crons are fixed."""
        if not any(options.cron == AUTO for options in self.config.sources.values()):
            return None
        return datetime.now(zone(self.config.timezone)).date()
