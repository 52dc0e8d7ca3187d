"""A new user's machine in a folder: `python -m crawler …` as a real process, without this user's files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.empty_stores import open_test_store
from support.local_site import LocalSite
from support.warm_python import CommandResult, get_warm_python

from crawler.items import Article
from crawler.store import Store

ROOT = Path(__file__).resolve().parents[2]
NO_DELAYS = {
    "CRAWLER_CONTACT": "editor@example.org",
    "CRAWLER_ALLOW_PRIVATE": "true",
    "CRAWLER_POLITENESS__DELAY": "0",
    "CRAWLER_POLITENESS__AUTOTHROTTLE": "false",
    "CRAWLER_POLITENESS__CONCURRENCY": "8",
    "CRAWLER_POLITENESS__RETRY_WAIT": "0.01",
}
"""Settings for a copy of a site on this machine."""
CLOCK_OFFSET = "TEST_CLOCK_OFFSET"
"""Variable of `support/clock`: commands must have the same clock as the test."""


@dataclass
class Sandbox:
    """One user's home, working folder and data, with copies of the sites."""

    folder: Path
    sites: Mapping[str, LocalSite] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def work_dir(self) -> Path:
        """The working folder of commands."""
        return self.folder / "work"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data" / "crawler"

    @property
    def archive_dir(self) -> Path:
        return self.data_dir / "archive"

    def make_environment(self, **more: str) -> dict[str, str]:
        self.work_dir.mkdir(parents=True, exist_ok=True)
        addresses = {f"CRAWLER_SOURCES__{name.upper()}__BASE_URL": site.url for name, site in self.sites.items()}
        return {
            CLOCK_OFFSET: os.environ.get(CLOCK_OFFSET, "0"),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PYTHONPATH": f"{ROOT / 'tests/support/clock'}:{ROOT}" if CLOCK_OFFSET in os.environ else str(ROOT),
            **NO_DELAYS,
            **addresses,
            **self.variables,
            **more,
        }

    def run_crawler(self, *words: object, timeout: float = 200, **more: str) -> CommandResult:
        """Run `python -m crawler WORDS` to its end, in a fork of one warm Python. `more` are environment variables."""
        return self.run_forked("crawler.__main__:main", "crawler", *words, timeout=timeout, **more)

    def run_many(self, *commands: tuple[object, ...], timeout: float = 200, **more: str) -> list[CommandResult]:
        """Run commands, each as `run_crawler` does, one after the other."""
        return [self.run_crawler(*words, timeout=timeout, **more) for words in commands]

    def run_forked(
        self, target: str, *words: object, timeout: float = 200, cwd: Path | None = None, given: str = "", **more: str
    ) -> CommandResult:
        """Call `target`, a `module:function`, to its end in a fork of one warm Python, with the arguments `words`."""
        assert not [name for name in more if name.startswith("PYTHON")], "Python reads these only at its start"
        environment = self.make_environment(**more)
        arguments = [str(word) for word in words]
        return get_warm_python().run(target, arguments, environment, cwd or self.work_dir, timeout=timeout, given=given)

    def run_executable(self, *words: object, timeout: float = 200, **more: str) -> CommandResult:
        """Run `python -m crawler WORDS` to its end, in a Python of its own."""
        return self.run_python("-m", "crawler", *words, timeout=timeout, **more)

    def run_python(
        self, *words: object, timeout: float = 200, cwd: Path | None = None, given: str = "", **more: str
    ) -> CommandResult:
        """Run this Python to its end."""
        environment = self.make_environment(**more)
        ended = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=cwd or self.work_dir,
            env=environment,
            capture_output=True,
            check=False,
            timeout=timeout,
            input=given.encode(),
        )
        return CommandResult(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    @contextmanager
    def start_crawler(self, *words: object, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Start `python -m crawler WORDS` in a session of its own. At the end of the block it is killed."""
        environment = self.make_environment(**more)
        process = subprocess.Popen(
            [sys.executable, "-m", "crawler", *map(str, words)],
            cwd=self.work_dir,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()

    @contextmanager
    def open_store(self, data: Path | None = None) -> Iterator[Store]:
        with open_test_store(f"sqlite:///{(data or self.data_dir) / 'crawler.db'}") as store:
            yield store

    def get_articles(self, source: str | None = None, *, data: Path | None = None) -> dict[str, Article]:
        """Return every stored article in its current version, by id."""
        with self.open_store(data) as store:
            return {article.id: article for article in store.articles.iter_newest(source=source)}

    def list_versions(self, article_id: str) -> list[Article]:
        with self.open_store() as store:
            return store.versions.list_by_article(article_id)


def get_expected_articles(name: str, site: Any) -> dict[str, Any]:
    """Return the ids that a whole crawl of a copy stores, each with its LocalArticle."""
    if name != "mfa":
        return {f"{name}:{a.id}:{next(iter(a.texts))}": a for a in site.articles}
    return {f"mfa:{a.id}:{language}": a for a in site.articles for language in a.texts}
