"""Make the data folder that a release leaves behind, for the tests of upgrades (`tests/releases`).

`python tests/support/release_fixture.py PYTHON FILE.tar.xz`: PYTHON has the release installed, and time-machine. It
crawls small loopback copies of the sites on two days: a first run, edits with alerts, a new article, two removals.
"""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import gov_site, ktkz_site, qazmonitor_site  # noqa: E402
from support.local_site import LocalSite  # noqa: E402
from support.news_texts import write_text  # noqa: E402
from support.webhook_server import WebhookServer  # noqa: E402

FIRST_RUN = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
CONFIG = """\
contact = "press@example.org"
data_dir = "."
rules = "rules.toml"
timezone = "Asia/Almaty"
archive = true
semantic = false
allow_private = true

[limits]
body_mb = 16
page_seconds = 60
run_seconds = 900
memory_mb = 1024

[politeness]
delay = 0
concurrency = 8
autothrottle = false
robots = true
retries = 3
retry_wait = 0.01
longest_wait = 60

[alarms]
channels = ["desk"]

[feeds]
title = "News monitoring"
address = "https://example.org/feeds"

[channels]
desk = "{address}"

[subscriptions.press]
channels = ["desk"]
rules = ["red-cross-movement"]
sources = ["mfa", "qazmonitor", "ktkz"]
languages = ["ru", "kk", "en"]
strength = "weak"
unit = "story"
tell = ["new", "revised", "unpublished"]
revisions = "cosmetic"
when = "realtime"
quiet = "02:00-03:00"
timezone = "Asia/Almaty"
language = "ru"
form = "short"
burst = 20
empty = "once"
redact = ["[0-9]{{7}}"]

[subscriptions.morning]
channels = ["desk"]
when = "daily 08:30"
revisions = "cosmetic"

[sources.mfa]
enabled = true
cron = "*/15 * * * *"
jitter = 60
languages = ["ru", "kk", "en"]
pages = 10
page_size = 20
created_date = "local"
base_url = "{mfa}"
allow_private = true

[sources.qazmonitor]
auto_shortest = "15m"
auto_longest = "2h"
fresh = "24h"
revisits = ["1h", "6h", "24h", "3d", "10d", "30d"]
revisits_per_run = 30
watched = []
excerpt_share = 0.3
permission = "letter of 3 May 2026 from the editorial"
base_url = "{qazmonitor}"

[sources.ktkz]
cron = "auto"
base_url = "{ktkz}"
"""


class Release:
    """One release in a folder of its own. Its clock shows `FIRST_RUN` plus `elapsed`."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder = python, folder
        self.elapsed = timedelta()

    def run(self, *words: str) -> None:
        """Run a command of the release. Any exit code of a run is good, an unusable configuration is not."""
        offset = FIRST_RUN + self.elapsed - datetime.now(UTC)
        variables = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(ROOT / "tests/support/clock"),
            "TEST_CLOCK_OFFSET": str(round(offset.total_seconds())),
        }
        command = [self.python, "-m", "crawler", *words]
        done = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)
        print(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        assert done.returncode != 2


def make_small_sites() -> list[LocalSite]:
    """Return copies with three short articles each, without the scripts that make their pages as large as real ones."""
    for module in (gov_site, ktkz_site, qazmonitor_site):
        module.make_filler = lambda size: ""
        module.write_text = partial(write_text, paragraphs=2)
    dates = {"newest": FIRST_RUN - timedelta(hours=1), "every": timedelta(hours=15)}
    sites = [gov_site.GovSite(5, untranslated="absent", **dates)]
    sites += [qazmonitor_site.QazMonitorSite(5, **dates), ktkz_site.KtkzSite(5, **dates)]
    for site in sites:
        for article in site.articles[3:]:
            site.remove_article(article.id)
    return sites


def make_release(python: str, folder: Path) -> None:
    """Crawl the copies on two days into a folder with configuration, rules, store and archive."""
    gov, qazmonitor, ktkz = make_small_sites()
    with gov, qazmonitor, ktkz, WebhookServer() as hook:
        release = Release(python, folder)
        release.run("init", ".")
        addresses = {"mfa": gov.url, "qazmonitor": qazmonitor.url, "ktkz": ktkz.url, "address": hook.address}
        (folder / "crawler.toml").write_text(CONFIG.format(**addresses), encoding="utf-8")
        release.run("crawl")
        release.elapsed = timedelta(hours=3)
        qazmonitor.edit_article(qazmonitor.articles[0].id)
        ktkz.add_articles(1)
        release.run("crawl")
        release.run("schedule", "pause", "ktkz")
        for hours in (26, 28):
            release.elapsed = timedelta(hours=hours)
            if hours == 26:
                gov.edit_article(gov.articles[0].id, "ru")
                for site in (gov, qazmonitor):
                    site.remove_article(site.articles[1].id)
            release.run("crawl", "mfa", "qazmonitor")
        release.run("rules", "apply")


def pack_release(folder: Path, target: Path) -> None:
    """Write the folder's configuration, rules, archive and its store as SQL into one file, without times of files."""
    with contextlib.closing(sqlite3.connect(folder / "crawler.db")) as database:
        (folder / "store.sql").write_text("\n".join(database.iterdump()) + "\n", encoding="utf-8")
    names = ["crawler.toml", "rules.toml", "store.sql", *sorted((folder / "archive").rglob("*.warc.gz"))]
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for name in names:
            path = folder / name
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = path.stat().st_size
            archive.addfile(entry, io.BytesIO(path.read_bytes()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        make_release(sys.argv[1], place)
        pack_release(place, Path(sys.argv[2]))
