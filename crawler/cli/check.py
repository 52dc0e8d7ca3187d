"""`crawler check`: the canary. One known live page of each page class, to tell a changed site from an old fixture."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from crawler.archive.folder import StoredPage, stored_pages
from crawler.cli.fetching import Fetched, fetch
from crawler.config import Config, load
from crawler.errors import CrawlerError, NothingStored, UsageError, worst
from crawler.extract.page import ArticlePage, Page, class_of, read
from crawler.extract.site import Site
from crawler.items import Article
from crawler.replay.canary import Finding, Known, Word, changed, judge
from crawler.snapshot import Snapshot
from crawler.source import SourceSpider
from crawler.store import is_there, open_store

NEWEST = 50
"""Stored articles among which one that a page class read is looked for."""
MOST = 2
"""Pages asked for of one class: a page that is gone says nothing, so another is asked."""
WORDS = {10: Word.UNREACHABLE, 11: Word.BLOCKED, 12: Word.CHANGED}
"""What a run's exit code says where no page came."""


def check(config_path: Path | None, source: str | None, snapshots: Path, as_json: bool) -> int:
    """Print what each page class is found to be; the exit code that outranks the others. An old fixture is no fault."""
    from crawler import spiders

    config = load(config_path)
    names = [source] if source else [name for name in spiders.names() if config.source(name).enabled]
    if not names:
        raise UsageError("There is nothing to check: no source is enabled in the configuration; enable one or name it.")
    codes = []
    for name in names:
        for finding in Canary(config_path, config, spiders.load(name), snapshots).findings():
            codes.append(finding.exit_code)
            print(_json(finding) if as_json else _text(finding), flush=True)
    return worst(codes)


def _json(finding: Finding) -> str:
    return json.dumps({**asdict(finding), "exit_code": finding.exit_code}, ensure_ascii=False)


def _text(finding: Finding) -> str:
    code = f" (exit {finding.exit_code})" if finding.exit_code else ""
    where = f" {finding.url}:" if finding.url and not finding.why.startswith(finding.url) else ""
    said = f"{finding.source} {finding.page_class}: {finding.word}{code}.{where} {finding.why}"
    return "\n    suggestion: ".join([said, *finding.suggestions])


class Canary:
    """One source's check."""

    def __init__(self, config_path: Path | None, config: Config, spider: type[SourceSpider], snapshots: Path) -> None:
        self.config_path, self.config, self.spider = config_path, config, spider
        self.site: Site = spider.site_of(config)
        self.asked: dict[str | None, Fetched] = {}
        self.stored = self.newest()
        try:
            self.kept = stored_pages(snapshots, spider.name)[::-1]  # the newest first, pages of unknown time last
        except NothingStored:
            self.kept = []

    def findings(self) -> Iterator[Finding]:
        """A finding for each page class, and one more for each known page that is gone."""
        if not self.spider.by_address:
            yield from self.lists()
            return
        for page_class in self.site.pages:
            if page_class.is_over(datetime.now(UTC)):
                continue
            found = list(self.of_class(page_class))
            yield from found or [
                self.unchecked(page_class.__name__, "no snapshot, stored article or list of the source is of it.")
            ]

    def of_class(self, page_class: type[Page]) -> Iterator[Finding]:
        """What known pages of a class say, until one says something."""
        held = None  # a list that may be of another class, and is none that can be read
        for known in [*self.known(page_class)][:MOST]:
            finding = self.look(known)
            if not known.certain and finding.word is not Word.EXPECTED:
                held = held or (None if finding.word is Word.UNCHECKED else finding)
                continue
            yield finding
            if not finding.gone:
                return
        if held:
            yield held

    def known(self, page_class: type[Page]) -> Iterator[Known]:
        """Pages of a class that were read well: its newest snapshot's, its newest stored article's; of lists, the
        source's own."""
        name = page_class.__name__
        if page := next((page for page in self.kept if self.is_of(page, page_class)), None):
            article = next(iter(read(page.snapshot, self.site).articles), None)
            yield Known(
                page_class=name,
                url=page.snapshot.url,
                name=page.path.name,
                article=article,
                since=page.snapshot.fetched_at,
            )
        if issubclass(page_class, ArticlePage):
            for article in self.stored:
                if any(rule.startswith(f"{name}:") for rule in article.provenance.values()):
                    yield Known(
                        page_class=name, url=article.url, name="the store", article=article, since=article.fetched_at
                    )
                    return
        elif not any(self.is_of(page, page_class) for page in self.kept):
            for url in self.spider.starts:
                yield Known(page_class=name, url=url, name="the source's lists", certain=False)

    def is_of(self, page: StoredPage, page_class: type[Page]) -> bool:
        """Whether a snapshot is a good one of the class, which the site itself shows at its address."""
        snapshot, good = page.snapshot, page.expected or {}
        live = snapshot.url.startswith("http") and snapshot.kind != "text" and snapshot.method == "GET"
        if not live or not (good.get("articles") or good.get("links")):
            return False
        try:
            return class_of(snapshot, self.site) is page_class and bool(read(snapshot, self.site).entries)
        except CrawlerError:
            return False

    def newest(self) -> list[Article]:
        """The newest stored articles of the source."""
        if not is_there(self.config.database_url):
            return []
        with open_store(self.config.database_url) as store:
            return list(store.articles.select(source=self.spider.name, limit=NEWEST))

    def look(self, known: Known) -> Finding:
        """Read a known page and judge it."""
        fetched = self.fetch(known.url)
        if not fetched.pages:
            word = WORDS.get(fetched.outcome.exit_code, Word.FAILED)
            name = self.spider.name
            return Finding(source=name, page_class=known.page_class, word=word, why=fetched.why, url=known.url)
        return judge(known, fetched.pages[-1], self.site)

    def lists(self) -> Iterator[Finding]:
        """Of a source whose texts come with its lists: the first pages of those, their articles against the store."""
        fetched = self.fetch(None)
        met: dict[str, Finding] = {}
        stored = {article.id: article for article in self.stored}
        for page in fetched.pages:
            finding = self.of_list(page, stored)
            worse = met.get(finding.page_class)
            if worse is None or finding.exit_code or (finding.word is Word.OLD and not worse.exit_code):
                met[finding.page_class] = finding
        if not fetched.pages:
            word = WORDS.get(fetched.outcome.exit_code, Word.FAILED)
            met["lists"] = Finding(source=self.spider.name, page_class="lists", word=word, why=fetched.why)
        yield from met.values()
        for page_class in self.site.pages:
            if not page_class.is_over(datetime.now(UTC)) and page_class.__name__ not in met:
                yield self.unchecked(page_class.__name__, "a run reads the source by its lists alone.")

    def of_list(self, page: Snapshot, stored: dict[str, Article]) -> Finding:
        """What a list page with whole articles says."""
        try:
            page_class = class_of(page, self.site)
        except CrawlerError:  # a refusal: `judge` says which
            page_class = None
        name = page_class.__name__ if page_class else "lists"
        known = Known(page_class=name, url=page.url, name="the source's lists")
        finding = judge(known, page, self.site)
        if finding.word is not Word.EXPECTED:
            return finding
        for article in read(page, self.site).articles:
            then = stored.get(article.id)
            if then and (why := changed(then, article)):
                why = f"{article.id}: {why}"
                return Finding(source=self.spider.name, page_class=name, word=Word.CHANGED, why=why, url=page.url)
        return finding

    def fetch(self, url: str | None) -> Fetched:
        """One page, asked for once, and no sooner after the one before than the owner's delay."""
        if url not in self.asked:
            if self.asked:
                time.sleep(self.config.politeness.delay)
            self.asked[url] = fetch(self.config_path, self.config, self.spider.name, url)
        return self.asked[url]

    def unchecked(self, page_class: str, why: str) -> Finding:
        """A class of which no live page is known."""
        return Finding(source=self.spider.name, page_class=page_class, word=Word.UNCHECKED, why=why)
