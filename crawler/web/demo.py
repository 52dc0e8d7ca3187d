"""The demo: the stored sample pages, read into a throw-away store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import spiders
from crawler.archive.snapshot_folder import find_source_folder
from crawler.config import Config
from crawler.errors import CrawlerError, NoSnapshots
from crawler.service.child import run_all
from crawler.service.run import RunPlan

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
        update = {"data_dir": Path(temporary), "database": database, "subscriptions": {}}
        yield config.model_copy(update=update)


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
