"""HistoryWalk: one window of a source's history, list page by list page, the newest first.

A page is recorded when all its articles are stored or failed (`advance`, while the spider is idle). So a run that is
killed loses one page at most, and articles that it stored are not requested again.

New articles move older ones to later pages, and removed ones to earlier pages. So a window begins with the last page of
the window before it, and goes back further until a page shows an article that is as new as what was walked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from scrapy import Request
from scrapy.http import Response

from crawler.context.modes import BackfillWindow
from crawler.context.request_meta import RequestMeta
from crawler.errors import Blocked, CrawlerError, NotAnArticle, Unreachable
from crawler.items import Article
from crawler.pages.site import Reading
from crawler.pages.sitemap import WholeSitemapPage
from crawler.spiders.history_lists import HistoryList
from crawler.store import Backfill, BackfillGap, Store, WalkedList, WalkedPage

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider

MAX_GAP_TRIES_AT_END = 1
"""A gap with this many tries is requested again at the end of the command that met it."""
MAX_FAILED_PAGES = 3
"""List pages in a row that may fail before the window ends. Then the site is down, or the list is broken."""
MAX_PAGES_OF_GAP = 10
"""Most pages that are read again for one failed list page. New articles have moved its articles to later pages."""
ARTICLES_PER_BATCH = 100
"""Addresses of a sitemap, or articles that failed before, that are requested together."""
LISTING_DELAY = timedelta(days=1)
"""How long before the last complete run an article may be published that is left to the watch.

A site may list an article later than it dates it.
"""
UNREAD_KIND = "Unread"
"""Kind of the gap of a listed article that was requested without an error, and is not stored."""
GONE_KIND = "Gone"
"""Kind of the gap of a listed article whose page is gone."""
NO_ARTICLE_KIND = "NotAnArticle"
"""Kind of a settled address, which rightly has no article."""
NO_ANSWER_CODES = (Unreachable.exit_code, Blocked.exit_code)


class NativeEntry(NamedTuple):
    """An entry of a page: its native id, and its address (empty for a record that has none of its own)."""

    native_id: str
    url: str


@dataclass(slots=True)
class OpenPage:
    """A list page whose articles are being read. A list in several languages has several readings."""

    listing: HistoryList
    number: int
    started_at: datetime
    readings: list[Reading] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    """Address of each listed article by its native id."""
    requested: set[str] = field(default_factory=set)
    """Native ids whose articles were requested, or came with the list."""
    error: CrawlerError | None = None
    url: str = ""
    next_number: int | None = None
    waiting: list[NativeEntry] = field(default_factory=list)
    """Entries of a sitemap that the next batches request."""
    reason: str | None = None
    """Why no page follows, a clause."""
    gap: BackfillGap | None = None
    """The gap that the page is read again for."""


def get_oldest_time(times: Sequence[datetime]) -> datetime | None:
    """Return the time before which a quarter of the ordered times is: an old article at the top of a page is ignored.

    >>> get_oldest_time([datetime(2001, 1, 1), *(datetime(2020, 5, day) for day in range(1, 9))])
    datetime.datetime(2020, 5, 2, 0, 0)
    """
    return times[len(times) // 4] if times else None


def is_walked(listing: HistoryList, walked: WalkedList | None, since: datetime, started_at: datetime) -> bool:
    """Return whether nothing more is to be read of a list, in a command that started then."""
    if walked is None:
        return False
    last = walked.last
    if last.oldest_at is not None and last.oldest_at < since and not last.unread:
        return True
    # An end that is not the wanted one is read twice, and once more by each later command.
    return last.end_count > listing.has_pages and last.finished_at >= started_at


def is_gap_due(gap: BackfillGap, started_at: datetime) -> bool:
    """Return whether a command that started then requests a gap again: once at its end."""
    return not gap.is_settled and (gap.tries <= MAX_GAP_TRIES_AT_END or gap.last_at < started_at)


def choose_list(
    lists: Iterable[HistoryList], walked: Mapping[str, WalkedList], since: datetime, started_at: datetime
) -> HistoryList | None:
    """Return the list to go on with: one that is not begun, else the one that is walked the least far back."""
    is_open = [each for each in lists if not is_walked(each, walked.get(each.name), since, started_at)]

    def rank(listing: HistoryList) -> tuple[bool, float]:
        found = walked.get(listing.name)
        reached = found.reached_at.timestamp() if found and found.reached_at else 0.0
        return found is not None, -reached

    return min(is_open, key=rank, default=None)


class HistoryWalk:
    """What one run of a backfill requests, and what came of it. `advance` leads from one page to the next."""

    def __init__(self, spider: SourceSpider, store: Store, backfill: Backfill, window: BackfillWindow) -> None:
        self._spider, self._store, self._backfill, self._window = spider, store, backfill, window
        self._context = spider.context
        self._deadline = datetime.now(UTC) + timedelta(seconds=window.max_seconds)
        self._page: OpenPage | None = None
        self._failed: list[OpenPage] = []
        self._pages_left = window.max_pages
        self._awaited_lists = 0
        self._continues_at: datetime | None = None
        """Until a page shows an article as new as this, the walk goes back to earlier pages."""
        self._step_back = 1
        self._is_begun, self._end_count = False, 0
        self._retried: set[str] = set()
        self._seen_ids: set[str] = set()
        self._no_article: dict[str, tuple[str, str]] = {}
        self._left_to_watch: set[str] = set()
        last = store.runs.get_last_complete(spider.name, mode="live")
        self._recent_since = last.started_at - LISTING_DELAY if last else None
        self.should_yield = False
        """Whether another run of the source waits. The window ends with its page."""
        self.is_cut_off = False
        """Whether requests were dropped because the limit of the day is reached. The page is read again then."""

    # --- requests

    def make_first_requests(self) -> list[Request]:
        """Return the requests for the first page of the window, none if nothing is left to do."""
        walked = self._store.backfills.list_walked(self._spider.name)
        lists = self._spider.list_history(self._spider.config)
        listing = choose_list(lists, walked, self._backfill.since, self._window.started_at)
        if listing is None:
            return self._begin_gap()
        state = walked.get(listing.name)
        if state is None:
            return self._begin_page(listing, listing.first_page)
        last = state.last
        self._is_begun, self._end_count = True, last.end_count
        number = last.page if last.next_page is None else last.next_page
        if listing.is_numbered and listing.has_pages and number > listing.first_page:
            self._continues_at = state.reached_at
            self._pages_left += 1  # the page that was read before
            number -= last.next_page is not None
        return self._begin_page(listing, number)

    def _begin_page(self, listing: HistoryList, number: int, gap: BackfillGap | None = None) -> list[Request]:
        self._page = OpenPage(listing, number, datetime.now(UTC), gap=gap)
        requests = list(self._spider.make_history_requests(listing, number))
        self._page.url = self._spider.to_public_url(requests[0].url)
        self._awaited_lists = len(requests)
        return [request.replace(dont_filter=True) for request in requests]

    def _begin_gap(self) -> list[Request]:
        """Return the requests for the gaps that are due: a list page, or a batch of articles."""
        due = [
            gap
            for gap in self._store.backfills.list_gaps(self._spider.name)
            if gap.url not in self._retried and is_gap_due(gap, self._window.started_at)
        ]
        lists = {each.name: each for each in self._spider.list_history(self._spider.config)}
        on_lists = [gap for gap in due if (gap.is_list or not self._spider.has_article_urls) and gap.list_name in lists]
        if on_lists:
            gap = on_lists[0]
            self._retried.add(gap.url)
            return self._begin_page(lists[gap.list_name], gap.page, gap)
        self._page = None
        return self._begin_batch(due[:ARTICLES_PER_BATCH]) if due else []

    def _begin_batch(self, gaps: Sequence[BackfillGap]) -> list[Request]:
        """Return the requests for articles that failed before. Others, of a list that is gone, only count a try."""
        self._retried |= {gap.url for gap in gaps}
        self._awaited_lists = 0
        page = self._page = OpenPage(HistoryList(gaps[0].list_name), gaps[0].page, datetime.now(UTC), gap=gaps[0])
        requests = []
        for gap in gaps:
            if entry := None if gap.is_list else self._identify(gap.url):
                requests.append(self._make_article_request(page, entry))
            else:
                page.entries[gap.url] = gap.url
                page.requested.add(gap.url)
                self._no_article[gap.url] = (gap.kind, gap.message)
        return requests

    def _make_article_request(self, page: OpenPage, entry: NativeEntry) -> Request:
        page.entries[entry.native_id] = entry.url
        page.requested.add(entry.native_id)
        return self._spider.make_request(entry.url, RequestMeta(is_article=True), dont_filter=True)

    # --- answers

    def add_reading(self, response: Response, reading: Reading) -> Iterator[Request]:
        """Add what a list shows. Yield requests for its articles that are unknown."""
        page = self._page
        if page is None:
            return
        self._awaited_lists -= 1
        page.readings.append(reading)
        page.next_number = (
            self._spider.find_older_page(page.listing, page.number, response, reading) or page.next_number
        )
        entries = [entry for link in self._list_links(reading) if (entry := self._identify(link))]
        is_sitemap = reading.page_class == WholeSitemapPage.__name__
        page.entries |= {entry.native_id: entry.url for entry in ([] if is_sitemap else entries)}
        for native_id in reading.native_ids:
            page.entries.setdefault(native_id, "")
        unknown = self._select_unknown(entries)
        if is_sitemap:
            page.waiting = unknown
            unknown = self._take_batch(page)
        for entry in unknown:
            yield self._make_article_request(page, entry)

    def _list_links(self, reading: Reading) -> list[str]:
        """Return the links of a list, except those that it dates before the wanted history."""
        if not reading.link_times:
            return list(reading.links)
        since = self._backfill.since
        pairs = zip(reading.links, reading.link_times, strict=True)
        return [link for link, time in pairs if time is None or time >= since]

    def _take_batch(self, page: OpenPage) -> list[NativeEntry]:
        batch, page.waiting = page.waiting[:ARTICLES_PER_BATCH], page.waiting[ARTICLES_PER_BATCH:]
        page.next_number = page.number + 1 if page.waiting else None
        return batch

    def _select_unknown(self, entries: Sequence[NativeEntry]) -> list[NativeEntry]:
        """Return the entries that are neither stored nor gaps."""
        known = self._store.articles.get_states(self._spider.name, [entry.native_id for entry in entries])
        settled = self._store.backfills.list_gap_urls(self._spider.name, [entry.url for entry in entries])
        return [entry for entry in entries if entry.native_id not in known and entry.url not in settled]

    def accept(self, article: Article) -> bool:
        """Return whether an article is to be stored: one that is unknown, and not recent.

        A known one is read again by the runs of the watch, and a recent one is news, which only they may find.
        """
        states = self._store.articles.get_states(self._spider.name, [article.native_id])
        if any(each.id == article.id or each.url == article.url for each in states.get(article.native_id, [])):
            self._context.increment_stat("known")
            return False
        published, recent = article.published_at, self._recent_since
        if published is not None and recent is not None and published >= recent:
            self._left_to_watch.add(article.native_id)
            self._context.increment_stat("left_to_watch")
            return False
        if self._page is not None:
            self._page.requested.add(article.native_id)
            if not self._page.entries.get(article.native_id):
                self._page.entries[article.native_id] = article.url
        return True

    def add_list_error(self, error: CrawlerError) -> None:
        """Note that a list page cannot be read."""
        self._awaited_lists -= 1
        if self._page is not None:
            self._page.error = error

    def add_no_article(self, url: str, reason: NotAnArticle, *, is_gone: bool) -> None:
        """Note that an address has no article."""
        if entry := self._identify(url):
            self._no_article[entry.native_id] = (GONE_KIND if is_gone else NO_ARTICLE_KIND, str(reason))

    def _identify(self, url: str) -> NativeEntry | None:
        address = self._spider.site.identify(self._spider.to_public_url(url))
        return NativeEntry(address.native_id, self._spider.to_public_url(url)) if address else None

    # --- from page to page

    def advance(self) -> list[Request]:
        """Record the page whose requests are all answered. Return the requests that follow, none at the end."""
        page = self._page
        if page is None or self._context.has_given_up or self.is_cut_off:
            return []
        if self._awaited_lists > 0 or (page.error is None and self._has_lost_site(page)):
            return []  # requests were dropped, or the site went away: the next run reads the page again
        if page.gap is not None:
            return self._advance_gap(page)
        if page.error is not None:
            return self._pass_failed_page(page)
        if not self._is_continuous(page):
            return self._go_back(page)
        self._continues_at = None
        if page.entries and not page.waiting and self._seen_ids.issuperset(page.entries):
            page.next_number, page.reason = None, f"page {page.number} shows the same articles as those before it"
        self._seen_ids |= page.entries.keys()
        self._record_page(page)
        self._is_begun = True
        return self._choose_next(page)

    def _is_continuous(self, page: OpenPage) -> bool:
        """Whether a page that was read before shows an article as new as what was walked."""
        limit = self._continues_at
        if limit is None or page.number <= page.listing.first_page:
            return True
        return any(time >= limit for time in self._list_times(page))

    def _go_back(self, page: OpenPage) -> list[Request]:
        number = max(page.listing.first_page, page.number - self._step_back)
        self._step_back *= 2
        return self._begin_page(page.listing, number)

    def _choose_next(self, page: OpenPage) -> list[Request]:
        self._pages_left -= 1
        is_over = self._pages_left <= 0 or datetime.now(UTC) >= self._deadline or self.should_yield
        oldest = get_oldest_time(self._list_times(page))
        is_reached = oldest is not None and oldest < self._backfill.since
        if page.waiting and not is_over:
            following = OpenPage(page.listing, page.number + 1, datetime.now(UTC), readings=page.readings)
            following.url, following.waiting = page.url, page.waiting
            self._page = following
            return [self._make_article_request(following, entry) for entry in self._take_batch(following)]
        if is_over or is_reached or page.next_number is None or page.waiting:
            self._page = None
            return []
        return self._begin_page(page.listing, page.next_number)

    def _pass_failed_page(self, page: OpenPage) -> list[Request]:
        """Record the end of the list, or go on behind a page that failed. End the window if several fail in a row."""
        assert page.error is not None
        if page.number > page.listing.first_page and self._spider.is_list_end(page.error):
            if self._continues_at is not None:
                return self._go_back(page)  # the list has become shorter
            page.reason = f"page {page.number} shows no article ({page.error.kind})"
            self._record_page(page)
            self._page = None
            return []
        self._context.report_problem(page.error, page.url)
        self._failed.append(page)
        can_pass = page.listing.has_pages and page.listing.is_numbered and page.number > page.listing.first_page
        if not page.listing.has_pages or not self._is_begun:
            # The list itself, at its first try: other lists can be walked before the next one.
            page.reason = f"it could not be read ({page.error.kind})"
            self._record_page(page)
        if not can_pass or len(self._failed) >= MAX_FAILED_PAGES or isinstance(page.error, Blocked):
            self._page = None
            return []
        self._continues_at = None
        return self._begin_page(page.listing, page.number + 1)

    def _advance_gap(self, page: OpenPage) -> list[Request]:
        gap = page.gap
        assert gap is not None
        if page.error is not None:
            self._context.report_problem(page.error, page.url)
        times = self._list_times(page)
        is_moved = bool(times) and gap.older_at is not None and min(times) > gap.older_at
        is_behind = page.error is None and is_moved and page.number - gap.page < MAX_PAGES_OF_GAP
        follows = is_behind and page.next_number is not None
        self._record_page(page, closes_gap=page.error is None and not follows)
        if follows and page.next_number is not None:
            return self._begin_page(page.listing, page.next_number, gap)
        if datetime.now(UTC) >= self._deadline or self.should_yield:
            self._page = None
            return []
        return self._begin_gap()

    def _has_lost_site(self, page: OpenPage) -> bool:
        """Whether most of the page's articles got no answer. They are no gaps: the next run requests them again."""
        lost = {problem.url for problem in self._context.problems if problem.exit_code in NO_ANSWER_CODES}
        failed = sum(page.entries.get(native_id) in lost for native_id in page.requested)
        return failed > 1 and 2 * failed > len(page.requested)

    # --- records

    def _list_times(self, page: OpenPage) -> list[datetime]:
        """Return when the articles of a page were published, in order, as far as the list or the store knows."""
        if listed := [time for reading in page.readings for time in reading.published_times]:
            return sorted(listed)
        states = self._store.articles.get_states(self._spider.name, page.entries)
        return sorted(each.published_at for several in states.values() for each in several if each.published_at)

    def _record_page(self, page: OpenPage, *, closes_gap: bool = False) -> None:
        """Write the page, the failed pages before it, and their gaps. `closes_gap`: that of the page, if it is new."""
        now, times = datetime.now(UTC), self._list_times(page)
        states = self._store.articles.get_states(self._spider.name, page.entries)
        run_id = self._context.run.id if self._context.run else None
        added = sum(each.first_run_id == run_id for several in states.values() for each in several)
        gaps = [*self._make_article_gaps(page, set(states), times, now)]
        gaps += [self._make_list_gap(each, times, now) for each in self._failed]
        if page.gap is not None and page.error is not None:
            gaps.append(replace(page.gap, kind=page.error.kind, message=str(page.error), last_at=now))
        closed = {page.entries[native_id] for native_id in states}
        closed |= {page.gap.url} if page.gap is not None and closes_gap and page.readings else set()
        self._failed = []
        following = None if page.reason else page.next_number
        self._store.backfills.record_page(
            WalkedPage(
                source=self._spider.name,
                list_name=page.listing.name,
                page=page.number,
                next_page=following,
                is_retry=page.gap is not None,
                listed=len(page.entries),
                added=added,
                unread=len(page.waiting) if page.waiting else None,
                newest_at=max(times, default=None),
                oldest_at=get_oldest_time(times),
                end_count=0 if following is not None else self._end_count + 1,
                reason=page.reason or (None if following is not None else "no page follows"),
                run_id=run_id,
                started_at=page.started_at,
                finished_at=now,
            ),
            gaps,
            closed - {""} - {gap.url for gap in gaps},
        )

    def _make_article_gaps(
        self, page: OpenPage, stored: set[str], times: Sequence[datetime], now: datetime
    ) -> Iterator[BackfillGap]:
        """Yield a gap for each listed article that is not stored, and one for each record that cannot be read."""
        problems = {problem.url: problem for problem in self._context.problems}
        for native_id, url in page.entries.items():
            if native_id in stored or native_id in self._left_to_watch or native_id not in page.requested:
                continue
            kind, message = self._no_article.get(
                native_id, (UNREAD_KIND, "It was requested, and no article came of it.")
            )
            if problem := problems.get(url):
                kind, message = problem.kind, problem.message
            yield self._make_gap(page, url, kind, message, times, now)
        for reading in page.readings if not self._spider.has_article_urls else ():
            for error in reading.problems:
                yield self._make_gap(page, error.url or page.url, error.kind, str(error), times, now)

    def _make_gap(
        self, page: OpenPage, url: str, kind: str, message: str, times: Sequence[datetime], now: datetime
    ) -> BackfillGap:
        return BackfillGap(
            source=self._spider.name,
            url=url,
            list_name=page.listing.name,
            page=page.number,
            is_settled=kind == NO_ARTICLE_KIND,
            kind=kind,
            message=message,
            newer_at=max(times, default=None),
            older_at=min(times, default=None),
            first_at=now,
            last_at=now,
        )

    def _make_list_gap(self, failed: OpenPage, later_times: Sequence[datetime], now: datetime) -> BackfillGap:
        """Return the gap of a list page. `later_times` are those of the first page behind it that could be read."""
        assert failed.error is not None
        walked = self._store.backfills.list_walked(self._spider.name).get(failed.listing.name)
        return BackfillGap(
            source=self._spider.name,
            url=f"{failed.url}#page={failed.number}",
            list_name=failed.listing.name,
            page=failed.number,
            is_list=True,
            kind=failed.error.kind,
            message=str(failed.error),
            newer_at=walked.last.oldest_at if walked else None,
            older_at=max(later_times, default=None),
            first_at=now,
            last_at=now,
        )
