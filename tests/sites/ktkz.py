"""A loopback copy of kt.kz (Kazakhstan Today): feeds, lists, and article pages with further articles below."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from sites.serve import ROBOTS, LocalArticle, Site, not_found, paged, whole
from sites.texts import MONTHS, filler, write
from sites.wire import Asked, Reply

FOLDERS = {"ru": "rus", "en": "eng", "kk": "kaz"}
SECTIONS = ("press-materialy", "state", "politics", "society")
ROUND = ("ru", "en", "ru", "kk")
"""The languages of articles 4, 5, 6, 7 and so on; each article exists in one language."""


class KtkzSite(Site):
    """www.kt.kz. `feed_size` caps the feeds; `below` is how many further articles stand on an article's page."""

    public = "https://www.kt.kz"

    def __init__(
        self,
        count: int = 24,
        *,
        feed_size: int = 30,
        list_size: int = 15,
        below: int = 2,
        newest: datetime | None = None,
        every: timedelta = timedelta(hours=3),
        loopback_links: bool = False,
        robots: str = ROBOTS,
    ) -> None:
        self.feed_size, self.list_size, self.below = feed_size, list_size, below
        super().__init__(count, newest=newest, every=every, loopback_links=loopback_links, robots=robots)

    def written(self, number: int) -> LocalArticle:
        language, then = ROUND[number % len(ROUND)], self._newest
        section = SECTIONS[number // 2 % len(SECTIONS)]
        texts = {language: write("ktkz", number, language)}
        return LocalArticle(
            number, str(1_377_990_000 + 7 * number), section, f"soobschenie_{number}", then, texts, then
        )

    def language(self, article: LocalArticle) -> str:
        return next(iter(article.texts))

    def title(self, article: LocalArticle) -> str:
        return article.texts[self.language(article)].title

    def address(self, article: LocalArticle) -> str:
        """The address of an article as links name it."""
        return f"{self.link_base}/{FOLDERS[self.language(article)]}/{article.section}/{article.slug}_{article.id}.html"

    def paragraphs(self, article: LocalArticle) -> tuple[str, ...]:
        """The text as the page shows it, dateline included."""
        language, moment = self.language(article), article.published_at
        first, *others = article.texts[language].paragraphs
        month = MONTHS[language][moment.month - 1]
        day = f"{month} {moment.day}" if language == "en" else f"{moment.day} {month}"
        city = "Astana" if language == "en" else "Астана"
        return (f"{city}. {day}. KAZAKHSTAN TODAY - {first}", *others)

    def answer(self, asked: Asked) -> Reply:
        path = asked.path.rstrip("/")
        if feed := re.fullmatch(r"/(rus|eng|kaz)/rss", path):
            return self._feed(self._of(feed[1])[: self.feed_size])
        if page := re.fullmatch(r"/(rus|eng|kaz)/[a-z-]+/\w*?_(\d{10})\.html", path):
            return self._page(page[2])
        if listing := re.fullmatch(r"/(rus|eng|kaz)/(all|[a-z-]+)", path):
            chosen = [a for a in self._of(listing[1]) if listing[2] in ("all", a.section)]
            known = listing[2] == "all" or listing[2] in SECTIONS
            return self._list(chosen, path, whole(asked.query.get("page"), 1)) if known else not_found()
        return not_found()

    def empty(self, asked: Asked) -> Reply:
        return self._feed([]) if "/rss" in asked.path else self._list([], asked.path, 1)

    def _of(self, folder: str) -> list[LocalArticle]:
        return [article for article in self.articles if FOLDERS[self.language(article)] == folder]

    def _feed(self, articles: list[LocalArticle]) -> Reply:
        items = "\n".join(
            f"<item><title>{escape(self.title(a))}</title><link>{escape(self.address(a))}</link>"
            f"<pubDate>{a.published_at:%a, %d %b %Y %H:%M:%S %z}</pubDate></item>"
            for a in articles
        )
        return Reply(
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Kazakhstan Today</title>'
            f"<link>{self.link_base}</link><description>News</description>\n{items}\n</channel></rss>\n",
            kind="application/rss+xml; charset=utf-8",
            changed=max((a.changed for a in articles), default=None),
        )

    def _list(self, articles: list[LocalArticle], path: str, page: int) -> Reply:
        rows = "\n".join(
            f'<div class="item"><a href="{self.address(a)}"><img src="/img/{a.number}.jpg" alt=""></a>'
            f'<span>{_when(a)}</span> <a href="{self.address(a)}">{html.escape(self.title(a))}</a></div>'
            for a in paged(articles, page, self.list_size)
        )
        more = f'<a href="{path}/?page={page + 1}">{page + 1}</a>' if page * self.list_size < len(articles) else ""
        return Reply(_frame("Kazakhstan Today", f"<h2>Новости</h2>{rows}<div>{more}</div>"))

    def _page(self, id: str) -> Reply:
        article = self._articles.get(id)
        if article is None:
            return not_found()
        title = self.title(article)
        if article.broken == "markup":
            inner = f'<main class="longread"><h2>{html.escape(title)}</h2><section><p>…</p></section></main>'
            return Reply(_frame(title, inner))
        alike = [a for a in self._of(FOLDERS[self.language(article)]) if a.id != id and a.broken is None]
        nodes = "\n".join(self._node(a) for a in [article, *alike[: self.below]])
        return Reply(_frame(title, nodes), changed=article.changed)

    def _node(self, article: LocalArticle) -> str:
        broken, text = article.broken, article.texts[self.language(article)]
        heading = "" if broken == "no_title" else f"<h1>{html.escape(text.title)}</h1>"
        when = "" if broken == "no_date" else f"<span>{_when(article)}</span><span>{31 * article.number}</span>"
        lines = [f"<p>{html.escape(p)}</p>" for p in self.paragraphs(article)]
        if self.from_ministry(article):
            lines = ["<p>Фото: МИД РК</p>", "<p>Рассказать друзьям</p>", *lines, "<p>Источник: МИД РК</p>"]
        body = "" if broken == "empty" else "\n".join(lines)
        return (
            f'<header class="page-heading">{heading}</header>\n<div class="page-meta">{when}</div>\n'
            f'<div class="page-content"><div>\n{body}\n</div></div>'
        )

    def from_ministry(self, article: LocalArticle) -> bool:
        """Whether the page carries a photo line and the source line of the foreign ministry."""
        return article.section == "press-materialy" and self.language(article) == "ru"


def _when(article: LocalArticle) -> str:
    return f"{article.published_at:%d.%m.%Y, %H:%M}"


def _frame(title: str, inner: str) -> str:
    return f"""<!DOCTYPE html>
<html><head><meta charset="UTF-8"><title>{html.escape(title)} - Kazakhstan Today</title>
<script>{filler(16_000)}</script></head>
<body><div class="top"><a href="/">Kazakhstan Today</a><a href="/rus/all">Рус</a><a href="/eng/all">Eng</a></div>
{inner}
<footer>© Kazakhstan Today</footer></body></html>"""
