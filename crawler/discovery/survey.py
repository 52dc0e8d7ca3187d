"""Look at a site: its lists, its languages and five articles. Pages come from a function that the caller hands over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from crawler.config.address_pattern import AddressPattern
from crawler.config.source_definition import PAGE_PLACEHOLDER, get_host
from crawler.discovery.address_shapes import AddressShape, infer_address_shape
from crawler.discovery.drupal import STOCK_LIST_PATH, find_node_number, is_drupal
from crawler.discovery.feeds import USUAL_PATHS, FeedEntry, FoundFeed, list_feed_links, parse_feed
from crawler.discovery.language_versions import find_address_language, find_language_versions
from crawler.discovery.link_groups import (
    MIN_GROUP_SIZE,
    list_frame_links,
    list_link_groups,
    list_pdf_links,
)
from crawler.discovery.pagers import Pager, find_next_page
from crawler.discovery.samples import (
    SampleArticle,
    count_candidate_pages,
    describe_pdf_release,
    describe_sample,
    is_article,
    mark_dates_of_visit,
    read_pdf_release,
    read_samples,
)
from crawler.discovery.site_words import load_site_words
from crawler.discovery.terms import RobotsFacts, find_rights_line, find_terms, read_robots
from crawler.errors import CrawlerError, NoArticles, NotAnArticle
from crawler.generic.headline import list_title_parts
from crawler.generic.page import GenericPage
from crawler.generic.pdf_release import FIRST_PARAGRAPH
from crawler.generic.reader import read_page
from crawler.generic.site_memory import SiteMemory
from crawler.items import Article
from crawler.pages.base import make_reading_error
from crawler.pages.blocks import read_line
from crawler.pages.refusal import is_javascript_shell, make_shell_error, raise_if_refused
from crawler.pages.sitemap import SitemapEntry, is_sitemap, parse_sitemap
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import parse_date
from crawler.text.urls import resolve_url

Fetch = Callable[[str], Awaitable[Snapshot]]
SAMPLES, VERIFIED_LINKS, MIN_VERIFIED = 5, 3, 2
MAX_REQUESTS = 60
MIN_PAGE_WORDS = 30
"""Words of a page below which a script may make its text."""
DRUPAL_NOTE = (
    "The site is made with Drupal: the first article is node {}, but addresses are words. "
    "An article whose address changes is read as a new one."
)
SAME_TITLES = "Some files have the same title, such as a letterhead"
UNMARKED_TITLES = "Some titles are just the first paragraph of a PDF file"
MAX_VERSIONS, MAX_FEEDS, MAX_GROUPS, MAX_LIST_PAGES, MAX_SITEMAPS = 4, 3, 3, 3, 3
MIN_SHARED_LINKS = 0.2
"""Share of a feed's entries that must be on a section's page for the feed to be the section's."""


@dataclass(frozen=True, slots=True)
class FoundList:
    """A list that leads to articles: `feed`, `page` or `sitemap`, with the addresses that it names."""

    url: str
    kind: str
    links: tuple[str, ...]
    language: str | None = None
    next_page: str | None = None
    first_page: int = 1
    page_step: int = 1
    fallbacks: tuple[str, ...] = ()
    has_full_texts: bool = False
    entries: tuple[FeedEntry, ...] = ()
    title: str | None = None


@dataclass(slots=True)
class SiteSurvey:
    """What was found about a site, and the notes for the person who asked."""

    url: str
    home: str
    title: str
    lists: list[FoundList] = field(default_factory=list)
    shape: AddressShape = field(default_factory=lambda: AddressShape((), (), "path"))
    samples: list[SampleArticle] = field(default_factory=list)
    memory: SiteMemory | None = None
    languages: list[str] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    robots: RobotsFacts | None = None
    terms: str | None = None
    rights_line: str | None = None
    sitemaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class SiteSurveyor:
    """Surveys one site by the pages that `fetch` returns. `agent` is the crawler's name in robots.txt."""

    def __init__(self, fetch: Fetch, agent: str = "crawler") -> None:
        self._fetch, self._agent = fetch, agent
        self._snapshots: dict[str, Snapshot | None] = {}
        self._pages: dict[str, GenericPage] = {}
        self._articles: dict[str, bool] = {}
        self._releases: dict[str, Article] = {}
        self.survey = SiteSurvey("", "", "")

    async def survey_site(self, url: str) -> SiteSurvey:
        """Return what the site at an address has. Raise SourceError where it refuses, fails or has no articles."""
        first = await self._fetch(url)
        try:
            raise_if_refused(first)
        except NotAnArticle as error:
            raise NoArticles(f"{error} Check the address.", url=url) from error
        if first.kind == "pdf":
            raise NoArticles(f"{first.url} is a PDF file. Give the address of the page that lists such files.", url=url)
        self._snapshots[url] = self._snapshots[first.url] = first
        origin = get_origin(first.url)
        self.survey = survey = SiteSurvey(first.url, f"{origin}/", get_host(first.url))
        if robots := await self.fetch_optional(f"{origin}/robots.txt"):
            survey.robots = read_robots(robots.text, self._agent)
        versions = await self.list_versions(first)
        for language, address in list(versions.items())[:MAX_VERSIONS]:
            if (found := await self.find_list(address, language)) is not None:
                self.add_list(found)
        await self.add_sitemaps(origin)
        if not survey.lists and first.kind == "html":
            found = await self.find_page_list(self.get_page(first), next(iter(versions)), has_pdf_files=True)
            survey.lists += [found] if found else []
        if not survey.lists and first.kind == "html" and is_drupal(self.get_page(first)):
            found = await self.find_list(origin + STOCK_LIST_PATH, next(iter(versions)))
            survey.lists += [found] if found else []
        if not survey.lists:
            raise await self.make_failure(first)
        await self.read_samples()
        if not survey.samples and self._releases:
            await self.read_pdf_samples()
        self.describe_site(first)
        if not survey.shape.patterns:
            raise NoArticles(f"{first.url}: no pattern can describe the addresses of its articles.", url=first.url)
        return survey

    # --- pages

    async def fetch_optional(self, url: str) -> Snapshot | None:
        """Return a page that may be missing, once. None for one that is, or that is refused."""
        if url not in self._snapshots:
            snapshot: Snapshot | None = None
            if len(self._snapshots) < MAX_REQUESTS:
                try:
                    snapshot = await self._fetch(url)
                    raise_if_refused(snapshot)
                except CrawlerError:
                    snapshot = None
            self._snapshots[url] = snapshot
            if snapshot is not None:
                self._snapshots.setdefault(snapshot.url, snapshot)
        return self._snapshots[url]

    async def fetch_page(self, url: str) -> GenericPage | None:
        """Return an HTML page, or None."""
        snapshot = await self.fetch_optional(url)
        if snapshot is None or snapshot.kind != "html":
            return None
        return self.get_page(snapshot)

    def get_page(self, snapshot: Snapshot) -> GenericPage:
        """Return the parsed page of a response."""
        if snapshot.url not in self._pages:
            self._pages[snapshot.url] = GenericPage(snapshot.text, snapshot.url)
        return self._pages[snapshot.url]

    async def is_article(self, url: str) -> bool:
        """Return whether the page at an address is an article."""
        if url not in self._articles:
            snapshot = await self.fetch_optional(url)
            try:
                self._articles[url] = snapshot is not None and self._has_article(url, snapshot)
            except Exception as error:  # noqa: BLE001 - pypdf raises anything for a broken file
                make_reading_error(error, "page", url)  # logs it; raises a fault of the machine again
                self._articles[url] = False
        return self._articles[url]

    def _has_article(self, url: str, snapshot: Snapshot) -> bool:
        if snapshot.kind == "pdf" and (release := read_pdf_release(snapshot)):
            self._releases[url] = release
            return True
        return snapshot.kind == "html" and is_article(read_page(self.get_page(snapshot)))

    # --- lists

    async def list_versions(self, first: Snapshot) -> dict[str | None, str]:
        """Return the addresses of the language versions, that of the given page first."""
        if first.kind != "html":
            return {None: first.url}
        page = self.get_page(first)
        found = find_language_versions(page)
        own = find_address_language(first.url) or page.html_language or None
        others = {code: url for code, url in found.items() if code != own and url != first.url}
        versions: dict[str | None, str] = {own: first.url}
        versions.update(others)
        return versions

    async def find_list(self, url: str, language: str | None) -> FoundList | None:
        """Return the best list at an address: a feed of it, or the page itself, or its section of news."""
        snapshot = await self.fetch_optional(url)
        if snapshot is None:
            return None
        if (feed := parse_feed(snapshot)) is not None:
            return await self.verify_feed(feed, language, None)
        if is_sitemap(snapshot):
            return await self.verify_sitemap(snapshot, language)
        page = self.get_page(snapshot)
        by_page = await self.find_page_list(page, language)
        for address in await self.list_feeds(page):
            other = await self.fetch_optional(address)
            if other is not None and (feed := parse_feed(other)) is not None:
                section = by_page if urlsplit(url).path.strip("/").count("/") and by_page else None
                if found := await self.verify_feed(feed, language, section):
                    return join_lists(found, by_page)
        return by_page

    def add_list(self, found: FoundList) -> None:
        """Add a list. The front page and a language version may lead to the same one: it gets the language then."""
        lists = self.survey.lists
        place = next((number for number, each in enumerate(lists) if each.url == found.url), None)
        if place is None:
            lists.append(found)
        elif lists[place].language is None:
            lists[place] = replace(lists[place], language=found.language)

    async def list_feeds(self, page: GenericPage) -> list[str]:
        """Return the addresses of feeds: those that the page names, else the usual ones."""
        known = {found.url for found in self.survey.lists}
        if named := [url for url in list_feed_links(page) if get_host(url) == get_host(page.url)]:
            return [url for url in named if url not in known][:MAX_FEEDS]
        if known:
            return []  # the usual addresses were tried for the first language version
        return [get_origin(page.url) + path for path in USUAL_PATHS]

    async def verify_feed(self, feed: FoundFeed, language: str | None, section: FoundList | None) -> FoundList | None:
        """Return a feed whose entries are articles of the site. `section` is the list that it must belong to."""
        entries = [each for each in feed.entries if get_host(each.url) == get_host(self.survey.home)]
        if not entries:
            return None
        if section and len({each.url for each in entries} & set(section.links)) < MIN_SHARED_LINKS * len(entries):
            return None
        if await self.count_articles([entry.url for entry in entries]) < min(MIN_VERIFIED, len(entries)):
            return None
        links = tuple(entry.url for entry in entries)
        full = feed.has_full_texts
        return FoundList(
            feed.url,
            "feed",
            links,
            language or feed.language,
            has_full_texts=full,
            entries=tuple(entries),
            title=feed.title,
        )

    async def find_page_list(
        self, page: GenericPage, language: str | None, *, has_pdf_files: bool = False
    ) -> FoundList | None:
        """Return the page, or the section of news that it names, as a list of articles."""
        sections = _list_news_sections(page)
        is_front = urlsplit(page.url).path.strip("/").count("/") == 0 and not urlsplit(page.url).query
        order = [*sections, page.url] if is_front else [page.url, *sections, f"{get_origin(page.url)}/"]
        for address in order[:MAX_LIST_PAGES]:
            if (candidate := await self.fetch_page(address)) is None:
                continue
            for group in list_link_groups(candidate, has_pdf_files=has_pdf_files)[:MAX_GROUPS]:
                links = tuple(link.url for link in group.links)
                if is_sibling(candidate.url, links):
                    break  # an article that names others: the list is elsewhere
                if await self.count_articles(links) >= MIN_VERIFIED:
                    pager = await self.find_verified_pager(candidate, links, has_pdf_files=has_pdf_files)
                    found = FoundList(candidate.url, "page", links, language)
                    return add_pager(found, pager) if pager else found
        return None

    async def count_articles(self, urls: Iterable[str]) -> int:
        """Return how many of the first three addresses are articles."""
        return sum([await self.is_article(url) for url in list(urls)[:VERIFIED_LINKS]])

    async def find_verified_pager(
        self, page: GenericPage, links: tuple[str, ...], *, has_pdf_files: bool
    ) -> Pager | None:
        """Return how a list names its further pages, where the second one names other articles."""
        pager = find_next_page(page)
        if pager is None or pager.pattern.count(PAGE_PLACEHOLDER) != 1:
            return None
        second = await self.fetch_page(pager.second_address)
        if second is None:
            return None
        patterns = [AddressPattern(pattern) for pattern in infer_address_shape(links).patterns]
        groups = list_link_groups(second, has_pdf_files=has_pdf_files)
        new = {link.url for group in groups for link in group.links} - set(links)
        return pager if any(pattern.match(url) for pattern in patterns for url in new) else None

    async def add_sitemaps(self, origin: str) -> None:
        """Look at the sitemaps. A news sitemap is a list where nothing else is."""
        named = self.survey.robots.sitemaps if self.survey.robots else ()
        waiting = list(named) or [f"{origin}/sitemap.xml"]
        read = 0
        while waiting and read < MAX_SITEMAPS:
            snapshot = await self.fetch_optional(waiting.pop(0))
            if snapshot is None or not is_sitemap(snapshot):
                continue
            read += 1
            self.survey.sitemaps.append(snapshot.url)
            sitemap = parse_sitemap(snapshot)
            waiting += [child.url for child in _sort_children(sitemap.children)][:MAX_SITEMAPS]
            if not self.survey.lists and sitemap.entries and (found := await self.verify_sitemap(snapshot, None)):
                self.survey.lists.append(found)

    async def verify_sitemap(self, snapshot: Snapshot, language: str | None) -> FoundList | None:
        """Return a sitemap whose newest entries are articles."""
        newest = [entry.url for entry in parse_sitemap(snapshot).list_newest()]
        own = [url for url in newest if get_host(url) == get_host(self.survey.home) and urlsplit(url).path.strip("/")]
        if await self.count_articles(own) < MIN_VERIFIED:
            return None
        return FoundList(snapshot.url, "sitemap", tuple(own[:50]), language)

    async def make_failure(self, first: Snapshot) -> CrawlerError:
        """Return why the site has no list of articles that can be read."""
        if is_javascript_shell(first):
            return make_shell_error(first.url)
        page = self.get_page(first) if first.kind == "html" else None
        words = sum(len(line.words) for line in page.lines) if page else 0
        files = max((len(list_pdf_links(each)) for each in self._pages.values()), default=0)
        if files >= MIN_GROUP_SIZE:
            why = f"no list of titles leads to texts, but {files} links on a page lead to PDF files"
            return NoArticles(f"{first.url}: {why}. docs/add-a-source.md (PDF releases) has more.", url=first.url)
        is_made_by_script = page is not None and words < MIN_PAGE_WORDS and page.root.find(".//script") is not None
        why = (
            "its pages have almost no text, a browser makes it by a script"
            if is_made_by_script
            else ("no feed, no sitemap and no group of links on it leads to articles that can be read")
        )
        return NoArticles(f"{first.url}: {why}. Give the address of the list of news.", url=first.url)

    # --- samples

    async def read_samples(self) -> None:
        """Read five articles, at least one of each list, and learn the site from them."""
        survey = self.survey
        entries = {entry.url: entry for found in survey.lists for entry in found.entries}
        urls: list[str] = []
        for position in range(SAMPLES):
            urls += [found.links[position] for found in survey.lists if position < len(found.links)]
        pages: dict[str, GenericPage] = {}
        feed_entries: dict[str, FeedEntry | None] = {}
        for url in dict.fromkeys(urls):
            if len(pages) >= max(SAMPLES, len(survey.lists)):
                break
            if await self.is_article(url) and (page := await self.fetch_page(url)):
                pages.setdefault(page.url, page)
                feed_entries.setdefault(page.url, entries.get(url))
        memory = SiteMemory(get_host(survey.home))
        articles = read_samples(pages.values(), memory)
        survey.memory = memory
        for page, article in zip(pages.values(), articles, strict=True):
            survey.samples.append(describe_sample(page, article, feed_entries[page.url]))
        survey.samples = count_candidate_pages(survey.samples, list(pages.values()))
        survey.samples = mark_dates_of_visit(survey.samples, datetime.now(UTC))
        languages = [article.language for article in articles if article.language]
        survey.languages = list(dict.fromkeys(languages))
        stated = [time for found in survey.lists for entry in found.entries if (time := entry.published_at)]
        same = [article for article in articles if article.language == articles[0].language]
        dated = [parsed.at for article in same if (parsed := parse_date(article.published_at or "", UTC))]
        survey.times = sorted(stated or dated, reverse=True)

    async def read_pdf_samples(self) -> None:
        """Describe five PDF files of the lists. Nothing is learned of them."""
        survey = self.survey
        survey.memory = None
        for url in [url for found in survey.lists for url in found.links][:SAMPLES]:
            await self.is_article(url)
        releases = list(self._releases.values())[:SAMPLES]
        survey.samples = [describe_pdf_release(release) for release in releases]
        survey.languages = list(dict.fromkeys(release.language for release in releases if release.language))
        survey.times = sorted((at for each in releases if (at := each.published_at)), reverse=True)
        titles = {release.title for release in releases}
        if len(titles) < len(releases):
            survey.notes.append(f"{SAME_TITLES}: docs/add-a-source.md has more.")
        elif any(sample.fields["title"].origin == FIRST_PARAGRAPH for sample in survey.samples):
            survey.notes.append(f"{UNMARKED_TITLES}: docs/add-a-source.md has more.")

    def describe_site(self, first: Snapshot) -> None:
        """Fill in the address pattern, the title, the rights and what a person should know."""
        survey = self.survey
        others = [found.url for found in survey.lists]
        pages = [page for url, page in self._pages.items() if not self._articles.get(url)]
        others += [url for page in pages for url in list_frame_links(page)]
        links = [url for found in survey.lists for url in found.links]
        articles = [*(sample.url for sample in survey.samples), *links]
        survey.shape = infer_address_shape(articles, [url for url in others if not self._articles.get(url)])
        sample = self._pages.get(survey.samples[0].url) if survey.samples else None
        front = self.get_page(first) if first.kind == "html" else sample
        if front is not None:
            survey.title = find_site_title(front, survey)
            for page in (front, *([sample] if sample else [])):
                survey.terms = survey.terms or find_terms(page)
                survey.rights_line = survey.rights_line or find_rights_line(page)
        if sample is not None and is_drupal(sample) and (number := find_node_number(sample)):
            survey.notes += [] if number in survey.samples[0].url else [DRUPAL_NOTE.format(number)]
        if any(found.has_full_texts for found in survey.lists):
            survey.notes.append('The feed has whole texts: articles = "feed" would spare the requests for pages.')
        if survey.robots and survey.robots.crawl_delay:
            survey.notes.append(f"robots.txt asks for {survey.robots.crawl_delay:g} s between two requests.")


def is_sibling(url: str, others: Sequence[str]) -> bool:
    """Return whether an address has the shape of other addresses, as that of an article beside related ones."""
    return any(AddressPattern(pattern).match(url) for pattern in infer_address_shape(others).patterns)


def add_pager(found: FoundList, pager: Pager) -> FoundList:
    """Return a list with the addresses of its further pages."""
    return replace(found, next_page=pager.pattern, first_page=pager.first_page, page_step=pager.step)


def join_lists(feed: FoundList, page: FoundList | None) -> FoundList:
    """Return a feed with the page of the same articles: instead of it when it fails, and for older ones."""
    if page is None:
        return feed
    has_same = set(page.links) <= set(feed.links)  # its first page would end the list, because it has nothing new
    first = page.first_page if page.next_page is None or has_same else page.first_page - 1
    return replace(feed, fallbacks=(page.url,), next_page=page.next_page, first_page=first, page_step=page.page_step)


def _sort_children(children: Iterable[SitemapEntry]) -> list[SitemapEntry]:
    """Return the sitemaps of an index: those of news first, then the newest."""
    listed = list(children)
    return sorted(
        listed,
        key=lambda entry: (
            "news" not in entry.url and "post" not in entry.url,
            -(entry.modified_at.timestamp() if entry.modified_at else 0),
        ),
    )


def _list_news_sections(page: GenericPage) -> list[str]:
    """Return the addresses of links with a text such as "News"."""
    found: dict[str, None] = {}
    for node in page.root.iter("a"):
        text = read_line("".join(node.itertext())).lower()
        url = resolve_url(node.get("href"), page.url) if text in load_site_words().news else None
        if url and get_host(url) == get_host(page.url) and url != page.url:
            found.setdefault(url.partition("#")[0])
    return list(found)[:2]


def get_origin(url: str) -> str:
    """Return scheme and host of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def find_site_title(page: GenericPage, survey: SiteSurvey) -> str:
    """Return the name of a site: as it states it, as its feed or its titles have it, or its host."""
    feeds = [found.title for found in survey.lists if found.title]
    shared = survey.memory.title_parts if survey.memory else []
    parts = [part for part in list_title_parts(page) if part in shared]
    stated = page.metadata.get("og:site_name")
    return stated or next(iter((*feeds, *parts, *shared)), None) or page.document_title[:80] or get_host(page.url)
