"""The demo: the stored sample pages, read into a throw-away store, and an invented edit of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import spiders
from crawler.archive.snapshot_folder import find_source_folder
from crawler.config import Config
from crawler.errors import CrawlerError, NoSnapshots
from crawler.items import Verdict
from crawler.service.child import run_all
from crawler.service.run import RunPlan
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import Store, open_store

PROJECT_SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
"""The sample pages of a clone. An installed package has none."""


@contextmanager
def make_demo_config(config: Config, config_path: Path | None) -> Iterator[Config]:
    """Read the sample pages into a store of its own. Yield the configuration of that store; then delete it.

    Raise NoSnapshots where there are no sample pages, and CrawlerError if none could be read.
    """
    folder = find_samples()
    with TemporaryDirectory(prefix="crawler-demo-") as temporary:
        database = f"sqlite:///{Path(temporary) / 'crawler.db'}"
        variables = {"CRAWLER_DATA_DIR": temporary, "CRAWLER_DATABASE": database}
        plans = [
            RunPlan(source=name, config=config_path, replay=folder, limits=config.limits, variables=variables)
            for name in list_sampled_sources(folder)
        ]
        outcomes = run_all(plans, lambda event: None)
        if all(outcome.run is None for outcome in outcomes):
            raise CrawlerError(f"No sample page could be read: {' '.join(outcome.reason for outcome in outcomes)}")
        with open_store(database) as store:
            add_edits(store)
        update = {"data_dir": Path(temporary), "database": database, "subscriptions": {}}
        yield config.model_copy(update=update)


def add_edits(store: Store) -> None:
    """Take the last paragraph of an article away and put it back, so that the demo has a history to show."""
    for article in store.articles.iter_newest(matched=True):
        start = article.body.rfind("\n")
        if start < 0 or any(match.field == "body" and match.end > start for match in article.matches):
            continue
        first = article.version or 1
        for version, body in ((first + 1, article.body[:start]), (first + 2, article.body)):
            edited = replace(article, body=body, version=version, verdict=Verdict.REVISED)
            content_hash, copy_hash = hash_revision(edited), hash_body(edited)
            now = datetime.now(UTC)
            store.articles.save(edited, content_hash=content_hash, copy_hash=copy_hash, run_id=None, seen_at=now)
        return


def find_samples() -> Path:
    """Return the folder `snapshots` here, or that of the project's clone. Raise NoSnapshots."""
    for folder in (Path("snapshots"), PROJECT_SNAPSHOTS):
        if folder.is_dir() and list_sampled_sources(folder):
            return folder
    raise NoSnapshots("There are no sample pages here: run `crawler serve --demo` in the project's folder.")


def list_sampled_sources(folder: Path) -> list[str]:
    """Return the sources of which a folder has stored pages."""
    found = []
    for name in spiders.list_names():
        try:
            find_source_folder(folder, name)
        except NoSnapshots:
            continue
        found.append(name)
    return found
