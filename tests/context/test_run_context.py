"""What components of a run share: its mode, its storage, its problems, and the notes on its requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from crawler.context.drops import ArticleDeferred, ArticleNotStored
from crawler.context.modes import RunMode, Storage
from crawler.context.request_meta import RequestMeta
from crawler.context.run_context import RunContext, problem_found
from crawler.errors import Blocked, PageChanged, SourceLocked, StoreError
from crawler.items import Article, Problem
from crawler.spiders.mfa import MfaSpider


def make_context(**settings: Any) -> tuple[RunContext, Any]:
    crawler = get_crawler(MfaSpider, {"CRAWLER_REPLAY_PATH": None, **settings})
    return RunContext.from_crawler(crawler), crawler


def test_every_component_gets_the_same_context() -> None:
    context, crawler = make_context()
    assert RunContext.from_crawler(crawler) is context
    assert (context.source, context.mode, context.storage) == ("mfa", RunMode.LIVE, Storage.CONFIGURED)
    assert MfaSpider.from_crawler(crawler).context is context


def test_outside_of_a_sources_run_components_are_switched_off() -> None:
    with pytest.raises(NotConfigured):
        RunContext.from_source_run(get_crawler(Spider))
    _, crawler = make_context()
    with pytest.raises(NotConfigured):  # `scrapy shell --spider mfa` has the class and no spider
        RunContext.from_source_run(crawler)


def test_the_mode_follows_from_what_is_replayed(tmp_path: Path) -> None:
    file = tmp_path / "day.warc.gz"
    file.touch()
    modes = [RunMode.from_path(path) for path in (None, tmp_path, file)]
    assert modes == [RunMode.LIVE, RunMode.SNAPSHOTS, RunMode.ARCHIVE]
    assert [mode.stored_name for mode in modes] == ["live", "replay", "replay"]


@pytest.mark.parametrize(("storage", "is_made"), [("configured", True), ("temporary", False), ("none", False)])
def test_only_configured_storage_makes_a_database(tmp_path: Path, storage: str, is_made: bool) -> None:
    file = tmp_path / "crawler.db"
    context, _crawler = make_context(CRAWLER_DATABASE=f"sqlite:///{file}", CRAWLER_STORAGE=storage)
    with context.store as store:
        assert store.runs.get_last("mfa") is None
    assert file.exists() is is_made
    assert context.can_write is (storage != "none")


def test_a_replay_has_no_policies(tmp_path: Path) -> None:
    context, _crawler = make_context(CRAWLER_MODE="snapshots", CRAWLER_REPLAY_PATH=str(tmp_path))
    assert (context.recrawl_policy, context.deletion_policy) == (None, None)


def test_a_problem_is_kept_once_and_counted_each_time() -> None:
    context = RunContext(source="mfa")
    for _ in range(2):
        context.report_problem(Blocked("The site refuses us.", url="https://example.org/"))
    assert [(problem.kind, problem.exit_code, problem.url) for problem in context.problems] == [
        ("Blocked", 11, "https://example.org/")
    ]


def test_every_new_problem_is_an_event_and_every_report_is_counted() -> None:
    context, crawler = make_context()
    events: list[Problem] = []

    def receive(problem: Problem) -> None:
        events.append(problem)

    crawler.signals.connect(receive, problem_found)
    problem = Problem(kind="KeyError", message="KeyError: 'id'.", exit_code=1)
    assert [context.add_problem(problem), context.add_problem(problem)] == [True, False]
    assert context.problems == events == [problem]
    assert context.get_stat("problems/KeyError") == 2


def test_a_run_gives_up_once() -> None:
    context = RunContext(source="mfa")
    context.give_up(SourceLocked("Another run has the lease."))
    context.give_up(SourceLocked("Again."))
    assert context.has_given_up
    assert [problem.message for problem in context.problems] == ["Another run has the lease."]


def test_a_lost_store_ends_the_run_once_and_drops_its_articles(article: Article) -> None:
    context = RunContext(source="mfa")
    with context.give_up_without_store():
        pass
    assert not context.has_given_up
    with pytest.raises(ArticleNotStored), context.drop_without_store(article):
        raise StoreError("The server is gone.")
    with context.give_up_without_store():
        raise StoreError("It is still gone.")
    with pytest.raises(ArticleDeferred), context.drop_without_store(article):
        pytest.fail("A run that has given up must not use the store.")
    assert str(context.failure) == "The server is gone."
    assert [(problem.message, problem.exit_code) for problem in context.problems] == [("The server is gone.", 17)]


def test_another_error_is_no_lost_store() -> None:
    context = RunContext(source="mfa")
    with pytest.raises(PageChanged), context.give_up_without_store():
        raise PageChanged("title", "h1", "nothing", "https://example.org/")
    assert not context.has_given_up


def test_notes_on_a_request_are_copied_and_changed_apart() -> None:
    first = Request("https://example.org/")
    assert RequestMeta.from_request(first) == RequestMeta()
    RequestMeta.update(first, is_listing=True, fallback_urls=("https://example.org/list",))
    copy = first.replace(dont_filter=True)
    RequestMeta.update(copy, is_unconditional=True)
    assert RequestMeta.from_request(first) == RequestMeta(is_listing=True, fallback_urls=("https://example.org/list",))
    assert RequestMeta.from_request(copy).is_listing
    assert RequestMeta.from_request(copy).is_unconditional
    with pytest.raises(AssertionError):
        RequestMeta.update(first, listing=True)


def test_a_stored_page_without_a_meta_file_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "mfa").mkdir()
    page = tmp_path / "mfa" / "lost.html"
    page.write_text("<p>x</p>")
    context = RunContext(source="mfa", mode=RunMode.SNAPSHOTS, replay_path=tmp_path)
    url = context.stored_pages[0].snapshot.url
    context.report_problem(PageChanged("links", "a", "nothing", url))
    (problem,) = context.problems
    assert problem.message.startswith(f"{page} (it has no meta file): the field 'links'")
    assert problem.url == url
