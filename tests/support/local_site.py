"""The base of the loopback copies: a real HTTP server with articles, faults and a log of requests."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from support.http_server import SiteReply, SiteRequest, SiteServer, make_handler
from support.news_texts import NewsText, is_on_topic
from support.server_thread import start_server_thread
from support.site_faults import FAULT_KINDS, BrokenReply, SiteFault

ALMATY = ZoneInfo("Asia/Almaty")
ROBOTS = "User-agent: *\nDisallow: /uploads/\nDisallow: /search\n"


@dataclass(frozen=True)
class LocalArticle:
    """One article that a crawl must find. `texts` has one text for each language in which it exists."""

    number: int
    id: str
    section: str
    slug: str
    published_at: datetime
    texts: Mapping[str, NewsText]
    changed: datetime
    broken: str | None = None

    @property
    def on_topic(self) -> bool:
        return is_on_topic(self.number)


class LocalSite:
    """A copy of one site on a loopback port. A context manager: `with GovSite() as site: … site.url`.

    Texts and ids are the same each time. Publication times count back from `newest` (default: an hour ago) in steps of
    `every`. With `loopback_links` feeds and lists link to this server instead of the public host.
    """

    public = "https://example.org"

    def __init__(
        self,
        count: int = 24,
        *,
        newest: datetime | None = None,
        every: timedelta = timedelta(hours=3),
        loopback_links: bool = False,
        robots: str = ROBOTS,
    ) -> None:
        newest = newest or datetime.now(UTC) - timedelta(hours=1)
        self._newest, self._every = newest.astimezone(ALMATY).replace(second=0, microsecond=0), every
        self._loopback_links, self._robots = loopback_links, robots
        self._faults: list[SiteFault] = []
        self._lock = threading.RLock()
        self.requests: list[SiteRequest] = []
        self.stopping = threading.Event()
        self._articles: dict[str, LocalArticle] = {}
        for number in range(1, count + 1):
            moment = self._newest - (count - number) * self._every
            self._save_article(replace(self.make_article(number), published_at=moment, changed=moment))

    # -- defined by subclasses -------------------------------------------------------------------------------------
    def make_article(self, number: int) -> LocalArticle:
        """Return article `number` (1 is the oldest). The caller sets its times."""
        raise NotImplementedError

    def make_path(self, article: LocalArticle) -> str:
        """Return the address of an article as links name it."""
        raise NotImplementedError

    def answer(self, request: SiteRequest) -> SiteReply:
        """Return the healthy answer to a request."""
        raise NotImplementedError

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        """Return a well-formed list, feed or answer without articles."""
        raise NotImplementedError

    # -- used by tests -----------------------------------------------------------------------------------------
    @property
    def articles(self) -> list[LocalArticle]:
        """All articles, newest first."""
        with self._lock:
            if self._sorted is None:
                newest_first = sorted(self._articles.values(), key=lambda a: (a.published_at, a.number), reverse=True)
                self._sorted = newest_first
            return list(self._sorted)

    def get_article(self, id: str) -> LocalArticle:
        """Return the article with this id."""
        return self._articles[id]

    def add_articles(self, count: int = 1) -> list[LocalArticle]:
        """Publish more articles, each a minute after the newest one."""
        added = []
        with self._lock:
            for _ in range(count):
                article = self.make_article(max((a.number for a in self._articles.values()), default=0) + 1)
                self._newest += timedelta(minutes=1)
                added.append(self._save_article(replace(article, published_at=self._newest, changed=self._newest)))
        return added

    def edit_article(self, id: str, language: str | None = None, **parts: object) -> LocalArticle:
        """Change `title`, `lead` or `paragraphs` of a text. Without parts, add a sentence at its end."""
        with self._lock:
            old = self._articles[id]
            chosen = language or next(iter(old.texts))
            text = old.texts[chosen]
            parts = parts or {"paragraphs": (*text.paragraphs[:-1], text.paragraphs[-1] + " 2026.")}
            texts = {**old.texts, chosen: replace(text, **parts)}  # type: ignore[arg-type]
            changed = max(datetime.now(UTC), old.changed + timedelta(seconds=1))
            return self._save_article(replace(old, texts=texts, changed=changed))

    def remove_article(self, id: str) -> None:
        """Remove an article: its address answers 404, and lists no longer name it."""
        with self._lock:
            del self._articles[id]
            self._sorted = None

    def break_page(self, id: str, how: str = "markup") -> None:
        """Break an article's page: `markup` (a redesign), `empty` (no body), `no_title`, `no_date`."""
        if how not in ("markup", "empty", "no_title", "no_date"):
            raise ValueError(f"no way {how!r} to break a page")
        with self._lock:
            self._save_article(replace(self._articles[id], broken=how, changed=datetime.now(UTC)))

    def add_fault(self, where: str, kind: str, *, times: int | None = None, value: object = None) -> None:
        """Answer wrongly at a path (or at ALL_PATHS), the next `times` times or until `heal`."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(sorted(FAULT_KINDS))}")
        with self._lock:
            self._faults.append(SiteFault(where, kind, times, value))

    def heal(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._faults.clear()

    def path(self, article: LocalArticle) -> str:
        """Return the address of an article without its host. `url` and this path lead to this copy."""
        return self.make_path(article).removeprefix(self.link_base)

    def list_requests(self, path: str) -> list[SiteRequest]:
        """Return the requests of one path, the oldest first."""
        return [request for request in self.requests if request.path == path]

    @property
    def url(self) -> str:
        """The URL of the copy, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def link_base(self) -> str:
        """The host in the links of feeds and lists."""
        return self.url if self._loopback_links else self.public

    def __enter__(self) -> Self:
        self._server = SiteServer(("127.0.0.1", 0), make_handler(self.reply, self.stopping))
        self._thread = start_server_thread(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- internal -----------------------------------------------------------------------------------------------------
    def _save_article(self, article: LocalArticle) -> LocalArticle:
        self._articles[article.id] = article
        self._sorted: list[LocalArticle] | None = None
        return article

    def reply(self, request: SiteRequest) -> SiteReply | BrokenReply:
        """Return the answer to a request. Faults come first."""
        with self._lock:
            self.requests.append(request)
            fault = next((f for f in self._faults if f.applies_to(request.path)), None)
            if fault is not None and fault.use_once():
                made = FAULT_KINDS[fault.kind](self, request, fault.value)
                return made if isinstance(made, BrokenReply) else SiteReply(**made) if isinstance(made, dict) else made
            if request.path == "/robots.txt":
                return SiteReply(self._robots, kind="text/plain")
            return self.answer(request)


def make_not_found() -> SiteReply:
    return SiteReply("<html><head><title>404</title></head><body><h1>404 Not Found</h1></body></html>", 404)


def slice_page(items: list[LocalArticle], page: int, size: int) -> list[LocalArticle]:
    """Return page `page` (from 1) of `size` items, an empty list past the end."""
    return items[max(page - 1, 0) * size : max(page, 0) * size]


def parse_number(text: str | None, default: int) -> int:
    """Return a number from a query string."""
    return int(text) if text and text.isdigit() else default
