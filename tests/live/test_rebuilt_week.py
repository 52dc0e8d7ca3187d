"""A week of runs of three sites, with edits, removals, moves and failures: the archive gives the same store again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.gov_site import GovSite
from support.ktkz_site import KtkzSite
from support.qazmonitor_site import QazMonitorSite
from support.rebuilt_store import assert_rebuilt, assert_runs_rebuilt, list_versions
from support.sandbox import CLOCK_OFFSET, CommandResult, Sandbox
from support.webhook_server import WebhookServer

from crawler.items import Verdict
from crawler.store import open_store

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

ROOT = Path(__file__).parents[2]


@dataclass
class Week:
    """One user and three sites. `now` is the clock of commands, as days since the test began."""

    place: Sandbox
    gov: GovSite
    qazmonitor: QazMonitorSite
    ktkz: KtkzSite
    now: float = 0.0

    def run(self, *words: object) -> CommandResult:
        seconds = round(timedelta(days=self.now).total_seconds())
        clock = {CLOCK_OFFSET: str(seconds), "PYTHONPATH": f"{ROOT / 'tests/support/clock'}:{ROOT}"}
        return self.place.run_executable(*words, **clock)

    def crawl(self, now: float, *words: object) -> CommandResult:
        self.now = now
        done = self.run("crawl", *words)
        assert done.code not in (1, 2), done.all_output
        return done


def live_through(week: Week) -> None:
    """Everything that may happen to a site in a week."""
    gov, qazmonitor, ktkz = week.gov, week.qazmonitor, week.ktkz
    gov.add_fault("/graphql", "504", times=1)
    qazmonitor.add_fault(qazmonitor.path(qazmonitor.articles[0]), "truncated_gzip", times=1)
    week.crawl(0)
    week.crawl(0.2)

    gov.edit_article(gov.articles[2].id, "kk")
    qazmonitor.edit_article(qazmonitor.articles[1].id)
    moved = qazmonitor.articles[3]
    qazmonitor._save_article(replace(moved, section="Culture", slug="moved", changed=datetime.now(UTC)))
    for site in (gov, qazmonitor, ktkz):
        site.add_articles(2)
    broken = qazmonitor.articles[0]
    qazmonitor.break_page(broken.id)
    week.crawl(1)

    qazmonitor._save_article(replace(broken, broken=None, changed=datetime.now(UTC) + timedelta(days=1)))
    qazmonitor.add_fault("/rss", "504")
    ktkz.add_fault(ktkz.path(next(a for a in ktkz.articles if "ru" in a.texts)), "500")
    week.crawl(1.5)
    for site in (qazmonitor, ktkz):
        site.heal()

    removed = [(site, site.articles[1]) for site in (gov, qazmonitor)]
    for site, article in removed:
        site.remove_article(article.id)
    week.crawl(2.6)
    week.crawl(2.8)
    for site, article in removed:
        site._save_article(article)
    week.crawl(4)
    week.crawl(4.1, "mfa", "--limit", 1)
    week.crawl(6)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """A lived week, rebuilt at its end."""
    newest = datetime.now(UTC) - timedelta(hours=1)
    with ExitStack() as stack:
        gov, qazmonitor, ktkz = (
            stack.enter_context(site(8, newest=newest)) for site in (GovSite, QazMonitorSite, KtkzSite)
        )
        sites = {"mfa": gov, "qazmonitor": qazmonitor, "ktkz": ktkz}
        week = Week(Sandbox(tmp_path_factory.mktemp("week"), sites), gov, qazmonitor, ktkz)
        live_through(week)
        yield week


@pytest.fixture(scope="module")
def rebuilt(week: Week) -> CommandResult:
    """The output of `crawler store rebuild`."""
    return week.run("store", "rebuild", "--overwrite")


def find_former(week: Week) -> Path:
    (found,) = week.place.data_dir.glob("crawler.before-rebuild-*.db")
    return found


def test_week_was_eventful(week: Week) -> None:
    with week.place.open_store() as store:
        found = list_versions(store).values()
        verdicts = {source: {each.verdict for each in found if each.source == source} for source in week.place.sites}
        every = {Verdict.NEW, Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED}
        assert verdicts["qazmonitor"] == every
        assert verdicts["mfa"] >= every
        assert len({run.health for run in store.runs.list_recent()}) > 2


def test_rebuilt_store_is_that_of_the_runs(week: Week, rebuilt: CommandResult) -> None:
    assert (rebuilt.code, rebuilt.err) == (0, "")
    with open_store(f"sqlite:///{find_former(week)}") as original, week.place.open_store() as store:
        assert_rebuilt(original, store)
        assert_runs_rebuilt(original, store)


def test_what_cannot_be_rebuilt_is_named(week: Week, rebuilt: CommandResult) -> None:
    lines = rebuilt.out.splitlines()
    assert lines[0].startswith(f"{week.place.data_dir / 'crawler.db'} was made again from ")
    assert lines[1] == f"What it had before is in {find_former(week)}."
    assert "messages and what each subscription was told" in lines[-1]


def test_next_run_finds_nothing_new_and_notifies_nobody(week: Week, rebuilt: CommandResult) -> None:
    with week.place.open_store() as store:
        before = list_versions(store)
    with WebhookServer() as hook:
        channels = {"CRAWLER_CHANNELS__DESK": hook.address}
        week.place.variables = {**channels, "CRAWLER_SUBSCRIPTIONS": '{"press": {"channels": ["desk"]}}'}
        week.crawl(6.2, "--json")
        assert hook.request_count == 0
    with week.place.open_store() as store:
        assert list_versions(store) == before
        (mfa,) = [run for run in store.runs.list_recent(limit=3) if run.source == "mfa"]
        assert mfa.counts.get("articles/unchanged", 0) > 0
