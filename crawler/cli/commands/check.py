"""`crawler check`: the canary. One known live page of each page class, to tell a changed site from an old fixture."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from crawler.archive.snapshot_folder import StoredPage, load_stored_pages
from crawler.config import Config, load_config
from crawler.errors import CrawlerError, NoSnapshots, UsageError, choose_exit_code
from crawler.fixtures.canary import CanaryFinding, CanaryVerdict, KnownPage, check_known_page, explain_site_change
from crawler.items import Article
from crawler.pages.base import ArticlePage, Page, find_page_class, read_snapshot
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.service.page_fetch import FetchedPages, fetch_pages
from crawler.source import SourceSpider
from crawler.store import open_store, store_exists

MAX_STORED_ARTICLES = 50
"""Stored articles among which one that a page class read is looked for."""
MAX_PAGES_PER_CLASS = 2
"""Pages asked for of one class: a page that is gone says nothing, so another is asked."""
VERDICT_OF_EXIT_CODE = {10: CanaryVerdict.UNREACHABLE, 11: CanaryVerdict.BLOCKED, 12: CanaryVerdict.SITE_CHANGED}
"""What a run's exit code says where no page came."""


def check(config_path: Path | None, source: str | None, snapshots: Path, as_json: bool) -> int:
    """Print what each page class is found to be; the exit code that outranks the others. An old fixture is no fault."""
    from crawler import spiders

    config = load_config(config_path)
    names = [source] if source else [name for name in spiders.list_names() if config.get_source(name).enabled]
    if not names:
        raise UsageError("There is nothing to check: no source is enabled in the configuration; enable one or name it.")
    codes = []
    for name in names:
        for finding in Canary(config_path, config, spiders.load_spider(name), snapshots).check_source():
            codes.append(finding.exit_code)
            print(_finding_to_json(finding) if as_json else _format_finding(finding), flush=True)
    return choose_exit_code(codes)


def _finding_to_json(finding: CanaryFinding) -> str:
    return json.dumps({**asdict(finding), "exit_code": finding.exit_code}, ensure_ascii=False)


def _format_finding(finding: CanaryFinding) -> str:
    code = f" (exit {finding.exit_code})" if finding.exit_code else ""
    where = f" {finding.url}:" if finding.url and not finding.why.startswith(finding.url) else ""
    said = f"{finding.source} {finding.page_class}: {finding.word}{code}.{where} {finding.why}"
    return "\n    suggestion: ".join([said, *finding.suggestions])


class Canary:
    """One source's check."""

    def __init__(self, config_path: Path | None, config: Config, spider: type[SourceSpider], snapshots: Path) -> None:
        self.config_path, self.config, self.spider = config_path, config, spider
        self.site: Site = spider.make_site(config)
        self.fetched: dict[str | None, FetchedPages] = {}
        self.stored_articles = self.list_stored_articles()
        try:
            self.snapshots = load_stored_pages(snapshots, spider.name)[
                ::-1
            ]  # the newest first, pages of unknown time last
        except NoSnapshots:
            self.snapshots = []

    def check_source(self) -> Iterator[CanaryFinding]:
        """A finding for each page class, and one more for each known page that is gone."""
        if not self.spider.has_article_urls:
            yield from self.check_lists()
            return
        for page_class in self.site.page_classes:
            if page_class.is_retired(datetime.now(UTC)):
                continue
            found = list(self.check_class(page_class))
            yield from found or [
                self.make_unchecked(page_class.__name__, "no snapshot, stored article or list of the source is of it.")
            ]

    def check_class(self, page_class: type[Page]) -> Iterator[CanaryFinding]:
        """What known pages of a class say, until one says something."""
        held = None  # a list that may be of another class, and is none that can be read
        for known in [*self.find_known_pages(page_class)][:MAX_PAGES_PER_CLASS]:
            finding = self.check_page(known)
            if not known.is_certain and finding.word is not CanaryVerdict.AS_EXPECTED:
                held = held or (None if finding.word is CanaryVerdict.NOT_CHECKED else finding)
                continue
            yield finding
            if not finding.gone:
                return
        if held:
            yield held

    def find_known_pages(self, page_class: type[Page]) -> Iterator[KnownPage]:
        """Pages of a class that were read well: its newest snapshot's, its newest stored article's; of lists, the
        source's own."""
        name = page_class.__name__
        if page := next((page for page in self.snapshots if self.is_good_snapshot(page, page_class)), None):
            article = next(iter(read_snapshot(page.snapshot, self.site).articles), None)
            yield KnownPage(
                page_class=name,
                url=page.snapshot.url,
                name=page.path.name,
                article=article,
                read_at=page.snapshot.fetched_at,
            )
        if issubclass(page_class, ArticlePage):
            for article in self.stored_articles:
                if any(rule.startswith(f"{name}:") for rule in article.provenance.values()):
                    yield KnownPage(
                        page_class=name, url=article.url, name="the store", article=article, read_at=article.fetched_at
                    )
                    return
        elif not any(self.is_good_snapshot(page, page_class) for page in self.snapshots):
            for url in self.spider.listing_urls:
                yield KnownPage(page_class=name, url=url, name="the source's lists", is_certain=False)

    def is_good_snapshot(self, page: StoredPage, page_class: type[Page]) -> bool:
        """Whether a snapshot is a good one of the class, which the site itself shows at its address."""
        snapshot, good = page.snapshot, page.expected or {}
        live = snapshot.url.startswith("http") and snapshot.kind != "text" and snapshot.method == "GET"
        if not live or not (good.get("articles") or good.get("links")):
            return False
        try:
            return find_page_class(snapshot, self.site) is page_class and bool(
                read_snapshot(snapshot, self.site).entry_count
            )
        except CrawlerError:
            return False

    def list_stored_articles(self) -> list[Article]:
        """The newest stored articles of the source."""
        if not store_exists(self.config.database_url):
            return []
        with open_store(self.config.database_url) as store:
            return list(store.articles.iter_newest(source=self.spider.name, limit=MAX_STORED_ARTICLES))

    def check_page(self, known: KnownPage) -> CanaryFinding:
        """Read a known page and judge it."""
        fetched = self.fetch_once(known.url)
        if not fetched.pages:
            word = VERDICT_OF_EXIT_CODE.get(fetched.outcome.exit_code, CanaryVerdict.FAILED)
            name = self.spider.name
            return CanaryFinding(source=name, page_class=known.page_class, word=word, why=fetched.reason, url=known.url)
        return check_known_page(known, fetched.pages[-1], self.site)

    def check_lists(self) -> Iterator[CanaryFinding]:
        """Of a source whose texts come with its lists: the first pages of those, their articles against the store."""
        fetched = self.fetch_once(None)
        met: dict[str, CanaryFinding] = {}
        stored = {article.id: article for article in self.stored_articles}
        for page in fetched.pages:
            finding = self.check_list_page(page, stored)
            worse = met.get(finding.page_class)
            if (
                worse is None
                or finding.exit_code
                or (finding.word is CanaryVerdict.FIXTURE_OLD and not worse.exit_code)
            ):
                met[finding.page_class] = finding
        if not fetched.pages:
            word = VERDICT_OF_EXIT_CODE.get(fetched.outcome.exit_code, CanaryVerdict.FAILED)
            met["lists"] = CanaryFinding(source=self.spider.name, page_class="lists", word=word, why=fetched.reason)
        yield from met.values()
        for page_class in self.site.page_classes:
            if not page_class.is_retired(datetime.now(UTC)) and page_class.__name__ not in met:
                yield self.make_unchecked(page_class.__name__, "a run reads the source by its lists alone.")

    def check_list_page(self, page: Snapshot, stored: dict[str, Article]) -> CanaryFinding:
        """What a list page with whole articles says."""
        try:
            page_class = find_page_class(page, self.site)
        except CrawlerError:  # a refusal: `judge` says which
            page_class = None
        name = page_class.__name__ if page_class else "lists"
        known = KnownPage(page_class=name, url=page.url, name="the source's lists")
        finding = check_known_page(known, page, self.site)
        if finding.word is not CanaryVerdict.AS_EXPECTED:
            return finding
        for article in read_snapshot(page, self.site).articles:
            then = stored.get(article.id)
            if then and (why := explain_site_change(then, article)):
                why = f"{article.id}: {why}"
                return CanaryFinding(
                    source=self.spider.name, page_class=name, word=CanaryVerdict.SITE_CHANGED, why=why, url=page.url
                )
        return finding

    def fetch_once(self, url: str | None) -> FetchedPages:
        """One page, asked for once, and no sooner after the one before than the owner's delay."""
        if url not in self.fetched:
            if self.fetched:
                time.sleep(self.config.politeness.delay)
            self.fetched[url] = fetch_pages(self.config_path, self.config, self.spider.name, url)
        return self.fetched[url]

    def make_unchecked(self, page_class: str, why: str) -> CanaryFinding:
        """A class of which no live page is known."""
        return CanaryFinding(source=self.spider.name, page_class=page_class, word=CanaryVerdict.NOT_CHECKED, why=why)
