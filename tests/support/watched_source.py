"""Runs of one source against its loopback copy, each in a process of its own, and time that passes in the store."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from support.local_site import LocalSite
from support.warm_python import CommandResult, get_warm_python


@dataclass(frozen=True)
class WatchedSource:
    """One source with its loopback copy, and a store and an archive in `data`."""

    source: str
    site: LocalSite
    data: Path

    def make_environment(self, **settings: str) -> dict[str, str]:
        """Return the environment of a run. `settings` are those of the source."""
        own = {"base_url": self.site.url, **settings}
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("CRAWLER_")},
            "CRAWLER_DATA_DIR": str(self.data),
            "CRAWLER_CONTACT": "tests@example.org",
            "CRAWLER_ALLOW_PRIVATE": "true",
            "CRAWLER_POLITENESS__DELAY": "0",
            "CRAWLER_POLITENESS__AUTOTHROTTLE": "false",
            "CRAWLER_POLITENESS__RETRIES": "0",
            **{f"CRAWLER_SOURCES__{self.source.upper()}__{name.upper()}": value for name, value in own.items()},
        }

    def run_command(self, *arguments: str, **settings: str) -> CommandResult:
        """Run a command of the crawler."""
        words, environment = ["crawler", *arguments], self.make_environment(**settings)
        return get_warm_python().run("crawler.__main__:main", words, environment, Path.cwd())

    def crawl(self, *options: str, **settings: str) -> dict[str, Any]:
        """Run a crawl and return its record as `--json` prints it."""
        done = self.run_command("crawl", self.source, "--json", *options, **settings)
        assert done.lines, done.err
        assert done.lines[-1]["type"] == "run", done.err
        return done.lines[-1]

    def list_versions(self, native_id: str) -> list[dict[str, Any]]:
        """Return every stored version of an article, the oldest first."""
        with closing(sqlite3.connect(self.data / "crawler.db")) as database:
            rows = database.execute(
                "SELECT article FROM versions WHERE article_id LIKE ? ORDER BY version",
                (f"{self.source}:{native_id}:%",),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def list_verdicts(self, native_id: str) -> list[str]:
        """Return the verdict of each version."""
        return [version["verdict"] for version in self.list_versions(native_id)]

    def pass_time(self, span: timedelta) -> None:
        """Make everything in the store older by a span."""
        with closing(sqlite3.connect(self.data / "crawler.db")) as database:
            for row in database.execute("SELECT id, first_seen_at, last_seen_at FROM articles").fetchall():
                earlier = [str(datetime.fromisoformat(moment) - span) for moment in row[1:]]
                database.execute(
                    "UPDATE articles SET first_seen_at = ?, last_seen_at = ? WHERE id = ?", (*earlier, row[0])
                )
            for name, moment in database.execute("SELECT url_key, first_at FROM failures").fetchall():
                earlier_first = str(datetime.fromisoformat(moment) - span)
                database.execute("UPDATE failures SET first_at = ? WHERE url_key = ?", (earlier_first, name))
            for number, moment in database.execute("SELECT id, started_at FROM runs").fetchall():
                earlier_start = str(datetime.fromisoformat(moment) - span)
                database.execute("UPDATE runs SET started_at = ? WHERE id = ?", (earlier_start, number))
            database.commit()
