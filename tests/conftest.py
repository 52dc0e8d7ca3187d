"""Fixtures for all tests: an empty store, a configuration, an article, and loopback copies of the three sites."""

from __future__ import annotations

import functools
import gc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.testing
from hypothesis import settings
from support.factories import make_article
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite

from crawler.cli.garbage_collection import tune_gc_for_short_command
from crawler.config import Config
from crawler.items import Article

if TYPE_CHECKING:
    from crawler.store import Store

# Each call of a command in a test would build the tree of all commands again, which takes longer than most commands.
typer.testing._get_command = functools.cache(typer.testing._get_command)  # type: ignore[attr-defined]

# No deadline: on a loaded machine an example may take any time. A test tries the same examples in each run, so that a
# change that has nothing to do with it cannot fail it. `random` looks for further ones.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=150)
settings.register_profile("random", deadline=None, max_examples=1500)
settings.load_profile("quick")

gc.disable()  # until all is collected: each search among ever more modules and tests finds nothing


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option by which CI shares the campaigns among days."""
    parser.addoption(
        "--campaign-share", metavar="DAY/COUNT", help="run one of COUNT shares of the tests marked campaign"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the campaigns of other days. Tests of one file stay together, the cases of one test do not."""
    if not (share := config.getoption("--campaign-share")):
        return
    day, count = map(int, share.split("/"))
    shared = [item for item in items if item.get_closest_marker("campaign")]
    keys = {item: item.nodeid if hasattr(item, "callspec") else item.location[0] for item in shared}
    left_out = {item for item, key in keys.items() if zlib.crc32(key.encode()) % count != day % count}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Keep what was imported and collected out of every later garbage collection: it lives until the end."""
    gc.collect()
    gc.freeze()
    tune_gc_for_short_command()  # tests make many objects that live long
    gc.enable()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The built-in configuration with its data in the test's folder."""
    return Config(data_dir=tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite store. The contract tests in tests/store replace it by one for each database."""
    from support.empty_stores import open_test_store  # takes 0.3 s, which a test without a store does not need

    with open_test_store(f"sqlite:///{tmp_path / 'crawler.db'}") as opened:
        yield opened


@pytest.fixture
def article() -> Article:
    """A new article in Russian."""
    return make_article()


@pytest.fixture
def gov_site() -> Iterator[GovSite]:
    """A running copy of gov.kz on a port of its own."""
    with GovSite() as site:
        yield site


@pytest.fixture
def qazmonitor_site() -> Iterator[QazMonitorSite]:
    """A running copy of QazMonitor on a port of its own."""
    with QazMonitorSite() as site:
        yield site


@pytest.fixture
def ktkz_site() -> Iterator[KtkzSite]:
    """A running copy of kt.kz on a port of its own."""
    with KtkzSite() as site:
        yield site
