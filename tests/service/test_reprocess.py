"""Archived pages that are read again: what differs, what is stored, and what happens when something is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.releases import read_tables, unpack_upgraded_release

from crawler.config import Config, load_config
from crawler.items import Article, ArticleFlag, Verdict
from crawler.pages.base import ArticlePage
from crawler.publish.builder import EntryBuilder
from crawler.publish.digest import make_digest
from crawler.publish.query import ArticleQuery
from crawler.service import reprocess
from crawler.service.reprocess import (
    ReprocessListener,
    Reprocessor,
    ReprocessReport,
    ReprocessScope,
    VersionDifference,
)
from crawler.spiders.qazmonitor import QazArticle
from crawler.store import Store, open_store

REVISED, UNPUBLISHED, NEW = "qazmonitor:1405:en", "qazmonitor:1404:en", "qazmonitor:1403:en"
REPORTS = '\n[[rule]]\nname = "reports"\nterms.en = ["Report 3"]\n'


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an archive of three sources and the store of its runs, upgraded."""
    return unpack_upgraded_release("0004", tmp_path_factory.mktemp("release") / "data").parent


@pytest.fixture
def config(release: Path, tmp_path: Path) -> Config:
    """A copy of the data folder."""
    return load_config(Path(shutil.copytree(release, tmp_path / "data")) / "crawler.toml")


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    with open_store(config.database_url) as opened:
        yield opened


@pytest.fixture
def change_page_class(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that lets QazMonitor's page class read other fields. A callable gets the page and its fields."""

    def change(edit: Callable[[ArticlePage, dict[str, Any]], None]) -> None:
        original = QazArticle.extract_fields

        def extract_fields(page: QazArticle) -> dict[str, Any]:
            fields = original(page)
            edit(page, fields)
            return fields

        monkeypatch.setattr(QazArticle, "extract_fields", extract_fields)

    return change


def name_author(page: ArticlePage, fields: dict[str, Any]) -> None:
    fields["author"] = "Press service"


def compare(
    config: Config, store: Store, source: str = "qazmonitor", **options: Any
) -> tuple[ReprocessReport, list[VersionDifference]]:
    found: list[VersionDifference] = []
    report = Reprocessor(config, store, **options).reprocess_source(source, ReprocessListener(found.append))
    return report, found


def get_current(store: Store, article_id: str) -> Article:
    found = store.articles.get(article_id)
    assert found is not None
    return found


@pytest.mark.parametrize(("source", "pages", "versions"), [("qazmonitor", 4, 4), ("mfa", 4, 8), ("ktkz", 2, 2)])
def test_nothing_differs_by_the_same_page_classes_and_rules(
    config: Config, store: Store, source: str, pages: int, versions: int
) -> None:
    report, found = compare(config, store, source, write=True)
    assert (report.pages, report.versions, report.differing, report.written) == (pages, versions, 0, 0)
    assert (report.exit_code, found, report.unreadable, report.without_page) == (0, [], [], [])


def test_differences_are_counted_and_nothing_is_stored(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    assert config.rules is not None
    config.rules.write_text(config.rules.read_text(encoding="utf-8") + REPORTS, encoding="utf-8")
    change_page_class(name_author)
    before = read_tables(config.database_url)
    report, found = compare(config, store)
    assert (report.exit_code, report.differing, report.earlier, report.written) == (12, 4, 1, 0)
    assert report.fields == {"author": 4}
    assert (report.gained, report.lost) == (1, 0)
    (gained,) = [(each.stored.id, match) for each in found for match in each.difference.gained]
    assert (gained[0], gained[1].rule, gained[1].term) == (NEW, "reports", "Report 3")
    assert read_tables(config.database_url) == before


def test_written_once_and_nobody_is_notified(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    change_page_class(name_author)
    before = {article_id: store.versions.list_by_article(article_id) for article_id in (REVISED, UNPUBLISHED, NEW)}
    tables = read_tables(config.database_url)
    report, _ = compare(config, store, write=True)
    assert (report.written, report.exit_code) == (3, 12)
    for article_id, versions in before.items():
        *former, current = store.versions.list_by_article(article_id)
        assert former == versions
        assert (current.verdict, current.author) == (Verdict.REPROCESSED, "Press service")
        assert current.site_verdict is versions[-1].verdict
        diff = store.diffs.get(article_id, current.version or 0)
        assert diff is not None
        assert diff.summary == "reprocessed: author"
    written = read_tables(config.database_url)
    for table in ("news", "notices", "messages", "deliveries", "runs", "alarms", "leases"):
        assert written[table] == tables[table], table
    report, _ = compare(config, store, write=True)
    assert (report.exit_code, report.written, report.versions) == (0, 0, 3)
    assert read_tables(config.database_url) == written


def test_unpublished_article_is_read_from_the_page_of_its_last_text(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    first = store.versions.list_by_article(UNPUBLISHED)[0]
    change_page_class(name_author)
    compare(config, store, write=True)
    current = get_current(store, UNPUBLISHED)
    assert (current.snapshot, current.fetched_at) == (first.snapshot, first.fetched_at)
    state = store.articles.get_state(UNPUBLISHED)
    assert state is not None
    assert state.verdict is Verdict.UNPUBLISHED


@pytest.mark.parametrize(("hour", "verdict"), [(0, Verdict.NEW), (7, Verdict.REVISED)])
def test_press_review_of_the_period_has_no_other_edits(
    config: Config, store: Store, change_page_class: Callable[..., None], hour: int, verdict: Verdict
) -> None:
    def extend_body(page: ArticlePage, fields: dict[str, Any]) -> None:
        fields["title"] = f"{fields['title']}, 25 people"

    period = datetime(2026, 3, 2, hour, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)

    def list_stories() -> list[Any]:
        query = ArticleQuery(include_unmatched=True)
        digest = make_digest(EntryBuilder(config, store), store, config, query, *period)
        stories = [*digest.stories, *(changed for story in digest.stories for changed in story.changed)]
        entries = [getattr(each, "entry", each) for each in stories]
        return [(each.id, each.verdict, each.changed_at, each.edits, each.severity) for each in entries]

    before = list_stories()
    assert verdict in {row[1] for row in before}
    change_page_class(extend_body)
    assert compare(config, store, write=True)[0].written == 3
    assert sorted(list_stories(), key=repr) == sorted(before, key=repr)
    later = make_digest(
        EntryBuilder(config, store), store, config, ArticleQuery(include_unmatched=True), period[1], datetime.now(UTC)
    )
    assert later.is_empty


def test_page_that_cannot_be_read_any_more_is_named(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    def require_summary(page: ArticlePage, fields: dict[str, Any]) -> None:
        if "1403" in page.snapshot.url:
            raise page.make_changed_error("lead", "p.summary", "nothing")

    change_page_class(require_summary)
    report, found = compare(config, store, write=True)
    assert (report.exit_code, report.written, found) == (12, 0, [])
    (unreadable,) = report.unreadable
    assert (unreadable.article_id, unreadable.version) == (NEW, 1)
    assert "'lead' was looked for with 'p.summary'" in unreadable.reason


def test_damaged_reading_replaces_no_sound_one(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QazArticle, "list_flags", lambda page, **_: [ArticleFlag.CUT_OFF])
    report, found = compare(config, store, write=True)
    assert (report.exit_code, report.written, found) == (12, 0, [])
    assert {each.reason.partition(": ")[2] for each in report.unreadable} == {
        "the archived page is damaged (cut_off), as it is read today."
    }


def test_article_that_the_page_lost_is_named(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reprocess, "find_same_article", lambda articles, version: None)
    report, _ = compare(config, store, "ktkz")
    assert [each.reason.endswith("on its archived page.") for each in report.unreadable] == [True, True]
    assert report.exit_code == 12


def test_missing_and_damaged_files_are_named_and_the_rest_is_read(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    change_page_class(name_author)
    missing, damaged = (
        config.archive_dir / name for name in ("qazmonitor/2026-03-03.warc.gz", "mfa/2026-03-02.warc.gz")
    )
    missing.unlink()
    report, _ = compare(config, store, write=True)
    # The page of the unpublished article's text is in the other file.
    assert (report.exit_code, report.written) == (12, 3)
    (config.archive_dir / "qazmonitor/2026-03-02.warc.gz").unlink()
    report, _ = compare(config, store)
    (reason,) = report.damage
    assert "2026-03-02.warc.gz cannot be read: no such file or directory" in reason
    assert (report.damage[reason], report.exit_code) == (3, 1)
    page = get_current(store, "mfa:1200111:ru").snapshot
    assert page is not None
    with damaged.open("r+b") as file:
        file.seek((page.offset or 0) + 30)
        file.write(bytes(100))
    report, _ = compare(config, store, "mfa")
    assert (report.exit_code, len(report.damage), 0 < report.versions < 8) == (1, 1, True)
    assert report.damage.total() + report.versions == 8


def test_absent_archive_is_named_once(config: Config, store: Store) -> None:
    shutil.rmtree(config.archive_dir)
    report, _ = compare(config, store, "mfa")
    assert report.damage == {f"There is no archive in {config.archive_dir}.": 8}
    assert report.exit_code == 1


def test_version_without_an_archived_page_is_counted(config: Config, store: Store) -> None:
    article = Article(
        id="ktkz:9:ru", source="ktkz", url="https://www.kt.kz/9", body="Текст.", verdict=Verdict.NEW, version=1
    )
    store.articles.save(article, content_hash="9", run_id=None, seen_at=datetime.now(UTC))
    report, _ = compare(config, store, "ktkz")
    assert (report.without_page, report.versions, report.exit_code) == (["ktkz:9:ru version 1"], 2, 0)


def test_a_source_without_any_archived_page_is_no_success(config: Config, store: Store) -> None:
    with store.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE versions SET article = json_remove(article, '$.snapshot') WHERE article_id LIKE 'ktkz:%'"
        )
    report, found = compare(config, store, "ktkz")
    assert (report.exit_code, report.compared_nothing, report.versions, found) == (1, True, 0, [])


def test_only_pages_of_the_period_are_read(config: Config, store: Store) -> None:
    fetched = sorted(
        version.fetched_at
        for versions in store.versions.iter_by_source("qazmonitor")
        for version in versions
        if version.fetched_at and version.verdict is not Verdict.UNPUBLISHED
    )
    last = ReprocessScope(since=fetched[-1])
    assert compare(config, store, scope=last)[0].versions == 1
    others = ReprocessScope(until=fetched[-1])
    assert compare(config, store, scope=others)[0].versions == 3


def test_source_that_is_being_crawled_is_left_alone(
    config: Config, store: Store, change_page_class: Callable[..., None]
) -> None:
    change_page_class(name_author)
    store.leases.acquire("qazmonitor", "a crawl")
    report, _ = compare(config, store, write=True)
    assert report.lock is not None
    assert (report.exit_code, report.versions, report.written) == (15, 0, 0)
    assert "Only one run per source" in str(report.lock)
    lease = store.leases.get("qazmonitor")
    assert lease is not None
    assert lease.holder == "a crawl"


def test_lost_lease_ends_it_before_anything_is_written(
    config: Config, store: Store, change_page_class: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change_page_class(name_author)
    monkeypatch.setattr(reprocess, "HEARTBEAT_SECONDS", 0)

    def lose_lease(found: VersionDifference) -> None:
        lease = store.leases.get("qazmonitor")
        if lease is not None:
            store.leases.release("qazmonitor", lease.holder)

    report = Reprocessor(config, store, write=True).reprocess_source("qazmonitor", ReprocessListener(lose_lease))
    assert (report.exit_code, report.written) == (12, 0)
    assert report.lock is not None
    assert get_current(store, NEW).verdict is Verdict.NEW


def test_interrupted_between_two_batches_it_continues(
    config: Config, store: Store, change_page_class: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change_page_class(name_author)
    monkeypatch.setattr(reprocess, "VERSIONS_PER_BATCH", 1)
    seen: list[str] = []

    def interrupt(found: VersionDifference) -> None:
        seen.append(found.stored.id)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Reprocessor(config, store, write=True).reprocess_source("qazmonitor", ReprocessListener(interrupt))
    assert store.leases.get("qazmonitor") is None
    report, _ = compare(config, store, write=True)
    assert 0 < report.written < 3
    assert {get_current(store, name).verdict for name in (NEW, REVISED, UNPUBLISHED)} == {Verdict.REPROCESSED}
    assert [len(store.versions.list_by_article(name)) for name in (NEW, REVISED, UNPUBLISHED)] == [2, 3, 3]
