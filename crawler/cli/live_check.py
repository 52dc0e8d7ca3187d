"""Read one known live page of each page class, to distinguish a changed site from an old snapshot (`crawler check`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from crawler.archive.snapshot_folder import StoredPage, load_stored_pages
from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.errors import CrawlerError, NoSnapshots
from crawler.fixtures.canary import CanaryFinding, CanaryState, KnownPage, check_known_page, explain_site_change
from crawler.items import Article
from crawler.pages.base import ArticlePage, Page, find_page_class, read_snapshot
from crawler.pages.site import Site
from crawler.pages.snapshot import Snapshot
from crawler.service.page_fetch import FetchedPages, fetch_pages
from crawler.spiders.base import SourceSpider
from crawler.store import store_exists

MAX_STORED_ARTICLES = 50
"""Newest stored articles to search for one that a page class read."""
MAX_PAGES_PER_CLASS = 2
"""Pages to request for one class: a page that is gone says nothing about its class, so another is requested."""
STATE_OF_EXIT_CODE = {10: CanaryState.UNREACHABLE, 11: CanaryState.BLOCKED, 12: CanaryState.SITE_CHANGED}
"""The state when a run fetched no page, by its exit code."""


class LiveCheck:
    """The check of one source's live pages."""

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
        """Yield a finding for each page class, and one more for each known page that is gone."""
        if not self.spider.has_article_urls:
            yield from self.check_lists()
            return
        for page_class in self.site.page_classes:
            if page_class.is_retired(datetime.now(UTC)):
                continue
            findings = list(self.check_class(page_class))
            reason = "it has no snapshot, no stored article and no list page."
            yield from findings or [self.make_unchecked(page_class.__name__, reason)]

    def check_class(self, page_class: type[Page]) -> Iterator[CanaryFinding]:
        """Yield findings about known pages of a class, until one decides."""
        uncertain = None  # a list page may be of another class, or of none
        for known in [*self.find_known_pages(page_class)][:MAX_PAGES_PER_CLASS]:
            finding = self.check_page(known)
            if not known.is_certain and finding.word is not CanaryState.AS_EXPECTED:
                uncertain = uncertain or (None if finding.word is CanaryState.NOT_CHECKED else finding)
                continue
            yield finding
            if not finding.gone:
                return
        if uncertain:
            yield uncertain

    def find_known_pages(self, page_class: type[Page]) -> Iterator[KnownPage]:
        """Yield pages that the class read well: of its newest snapshot, of its newest stored article, or list pages."""
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
        """Return whether a snapshot is a good page of the class that the site itself serves at its URL."""
        snapshot, expected = page.snapshot, page.expected or {}
        is_live = snapshot.url.startswith("http") and snapshot.kind != "text" and snapshot.method == "GET"
        if not is_live or not (expected.get("articles") or expected.get("links")):
            return False
        try:
            return find_page_class(snapshot, self.site) is page_class and bool(
                read_snapshot(snapshot, self.site).entry_count
            )
        except CrawlerError:
            return False

    def list_stored_articles(self) -> list[Article]:
        """Return the newest stored articles of the source. A missing store is not created."""
        if not store_exists(self.config.database_url):
            return []
        with open_configured_store(self.config) as store:
            return list(store.articles.iter_newest(source=self.spider.name, limit=MAX_STORED_ARTICLES))

    def check_page(self, known: KnownPage) -> CanaryFinding:
        """Fetch a known page and judge it."""
        fetched = self.fetch_once(known.url)
        if not fetched.pages:
            word = STATE_OF_EXIT_CODE.get(fetched.outcome.exit_code, CanaryState.FAILED)
            name = self.spider.name
            return CanaryFinding(source=name, page_class=known.page_class, word=word, why=fetched.reason, url=known.url)
        return check_known_page(known, fetched.pages[-1], self.site)

    def check_lists(self) -> Iterator[CanaryFinding]:
        """Yield findings for a source whose lists carry the texts: its first list pages, compared with the store."""
        fetched = self.fetch_once(None)
        findings: dict[str, CanaryFinding] = {}
        stored = {article.id: article for article in self.stored_articles}
        for page in fetched.pages:
            finding = self.check_list_page(page, stored)
            before = findings.get(finding.page_class)
            if (
                before is None
                or finding.exit_code
                or (finding.word is CanaryState.FIXTURE_OLD and not before.exit_code)
            ):
                findings[finding.page_class] = finding
        if not fetched.pages:
            word = STATE_OF_EXIT_CODE.get(fetched.outcome.exit_code, CanaryState.FAILED)
            findings["lists"] = CanaryFinding(
                source=self.spider.name, page_class="lists", word=word, why=fetched.reason
            )
        yield from findings.values()
        for page_class in self.site.page_classes:
            if not page_class.is_retired(datetime.now(UTC)) and page_class.__name__ not in findings:
                yield self.make_unchecked(page_class.__name__, "a run reads only the source's lists.")

    def check_list_page(self, page: Snapshot, stored: dict[str, Article]) -> CanaryFinding:
        """Return the finding about a list page that carries whole articles."""
        try:
            page_class = find_page_class(page, self.site)
        except CrawlerError:  # a refusal: `judge` says which
            page_class = None
        name = page_class.__name__ if page_class else "lists"
        known = KnownPage(page_class=name, url=page.url, name="the source's lists")
        finding = check_known_page(known, page, self.site)
        if finding.word is not CanaryState.AS_EXPECTED:
            return finding
        for article in read_snapshot(page, self.site).articles:
            before = stored.get(article.id)
            if before and (reason := explain_site_change(before, article)):
                reason = f"{article.id}: {reason}"
                return CanaryFinding(
                    source=self.spider.name, page_class=name, word=CanaryState.SITE_CHANGED, why=reason, url=page.url
                )
        return finding

    def fetch_once(self, url: str | None) -> FetchedPages:
        """Fetch a page, once, after the configured delay since the one before."""
        if url not in self.fetched:
            if self.fetched:
                time.sleep(self.config.politeness.delay)
            self.fetched[url] = fetch_pages(self.config_path, self.config, self.spider.name, url)
        return self.fetched[url]

    def make_unchecked(self, page_class: str, reason: str) -> CanaryFinding:
        """Return the finding for a class of which no live page is known."""
        return CanaryFinding(source=self.spider.name, page_class=page_class, word=CanaryState.NOT_CHECKED, why=reason)
