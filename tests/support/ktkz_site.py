"""A loopback copy of kt.kz (Kazakhstan Today): feeds, lists, and article pages with further articles below."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from support.http_server import SiteReply, SiteRequest
from support.local_site import ROBOTS, LocalArticle, LocalSite, make_not_found, parse_number, slice_page
from support.news_texts import MONTHS, make_filler, write_text

FOLDERS = {"ru": "rus", "en": "eng", "kk": "kaz"}
SECTIONS = ("press-materialy", "state", "politics", "society")
ROUND = ("ru", "en", "ru", "kk")
"""The languages of articles 4, 5, 6, 7 and so on; each article exists in one language."""


class KtkzSite(LocalSite):
    """www.kt.kz. `feed_size` limits the feeds. An article's page has `articles_below` further articles below it."""

    public = "https://www.kt.kz"

    def __init__(
        self,
        count: int = 24,
        *,
        feed_size: int = 30,
        list_size: int = 15,
        articles_below: int = 2,
        newest: datetime | None = None,
        every: timedelta = timedelta(hours=3),
        loopback_links: bool = False,
        robots: str = ROBOTS,
    ) -> None:
        self.feed_size, self.list_size, self.articles_below = feed_size, list_size, articles_below
        super().__init__(count, newest=newest, every=every, loopback_links=loopback_links, robots=robots)

    def make_article(self, number: int) -> LocalArticle:
        language, then = ROUND[number % len(ROUND)], self._newest
        section = SECTIONS[number // 2 % len(SECTIONS)]
        texts = {language: write_text("ktkz", number, language)}
        return LocalArticle(
            number, str(1_377_990_000 + 7 * number), section, f"soobschenie_{number}", then, texts, then
        )

    def get_language(self, article: LocalArticle) -> str:
        return next(iter(article.texts))

    def make_title(self, article: LocalArticle) -> str:
        return article.texts[self.get_language(article)].title

    def make_path(self, article: LocalArticle) -> str:
        """Return the address of an article as links name it."""
        return (
            f"{self.link_base}/{FOLDERS[self.get_language(article)]}/{article.section}/{article.slug}_{article.id}.html"
        )

    def make_paragraphs(self, article: LocalArticle) -> tuple[str, ...]:
        """Return the text as the page shows it, with its dateline."""
        language, moment = self.get_language(article), article.published_at
        first, *others = article.texts[language].paragraphs
        month = MONTHS[language][moment.month - 1]
        day = f"{month} {moment.day}" if language == "en" else f"{moment.day} {month}"
        city = "Astana" if language == "en" else "Астана"
        return (f"{city}. {day}. KAZAKHSTAN TODAY - {first}", *others)

    def answer(self, request: SiteRequest) -> SiteReply:
        path = request.path.rstrip("/")
        if feed := re.fullmatch(r"/(rus|eng|kaz)/rss", path):
            return self._render_feed(self._select_articles(feed[1])[: self.feed_size])
        if page := re.fullmatch(r"/(rus|eng|kaz)/[a-z-]+/\w*?_(\d{10})\.html", path):
            return self._render_article(page[2])
        if listing := re.fullmatch(r"/(rus|eng|kaz)/(all|[a-z-]+)", path):
            chosen = [a for a in self._select_articles(listing[1]) if listing[2] in ("all", a.section)]
            if listing[2] == "all" or listing[2] in SECTIONS:
                return self._render_list(chosen, path, parse_number(request.query.get("page"), 1))
        return make_not_found()

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        return self._render_feed([]) if "/rss" in request.path else self._render_list([], request.path, 1)

    def _select_articles(self, folder: str) -> list[LocalArticle]:
        return [article for article in self.articles if FOLDERS[self.get_language(article)] == folder]

    def _render_feed(self, articles: list[LocalArticle]) -> SiteReply:
        items = "\n".join(
            f"<item><title>{escape(self.make_title(a))}</title><link>{escape(self.make_path(a))}</link>"
            f"<pubDate>{a.published_at:%a, %d %b %Y %H:%M:%S %z}</pubDate></item>"
            for a in articles
        )
        return SiteReply(
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Kazakhstan Today</title>'
            f"<link>{self.link_base}</link><description>News</description>\n{items}\n</channel></rss>\n",
            kind="application/rss+xml; charset=utf-8",
            changed=max((a.changed for a in articles), default=None),
        )

    def _render_list(self, articles: list[LocalArticle], path: str, page: int) -> SiteReply:
        rows = "\n".join(
            f'<div class="item"><a href="{self.make_path(a)}"><img src="/img/{a.number}.jpg" alt=""></a>'
            f'<span>{_format_time(a)}</span> <a href="{self.make_path(a)}">{html.escape(self.make_title(a))}</a></div>'
            for a in slice_page(articles, page, self.list_size)
        )
        more = f'<a href="{path}/?page={page + 1}">{page + 1}</a>' if page * self.list_size < len(articles) else ""
        return SiteReply(_render_frame("Kazakhstan Today", f"<h2>Новости</h2>{rows}<div>{more}</div>"))

    def _render_article(self, id: str) -> SiteReply:
        article = self._articles.get(id)
        if article is None:
            return make_not_found()
        title = self.make_title(article)
        if article.broken == "markup":
            inner = f'<main class="longread"><h2>{html.escape(title)}</h2><section><p>…</p></section></main>'
            return SiteReply(_render_frame(title, inner))
        alike = [
            a for a in self._select_articles(FOLDERS[self.get_language(article)]) if a.id != id and a.broken is None
        ]
        nodes = "\n".join(self._render_node(a) for a in [article, *alike[: self.articles_below]])
        return SiteReply(_render_frame(title, nodes), changed=article.changed)

    def _render_node(self, article: LocalArticle) -> str:
        broken, text = article.broken, article.texts[self.get_language(article)]
        heading = "" if broken == "no_title" else f"<h1>{html.escape(text.title)}</h1>"
        when = "" if broken == "no_date" else f"<span>{_format_time(article)}</span><span>{31 * article.number}</span>"
        lines = [f"<p>{html.escape(p)}</p>" for p in self.make_paragraphs(article)]
        if self.is_from_ministry(article):
            lines = ["<p>Фото: МИД РК</p>", "<p>Рассказать друзьям</p>", *lines, "<p>Источник: МИД РК</p>"]
        body = "" if broken == "empty" else "\n".join(lines)
        return (
            f'<header class="page-heading">{heading}</header>\n<div class="page-meta">{when}</div>\n'
            f'<div class="page-content"><div>\n{body}\n</div></div>'
        )

    def is_from_ministry(self, article: LocalArticle) -> bool:
        """Whether the page carries a photo line and the source line of the foreign ministry."""
        return article.section == "press-materialy" and self.get_language(article) == "ru"


def _format_time(article: LocalArticle) -> str:
    return f"{article.published_at:%d.%m.%Y, %H:%M}"


def _render_frame(title: str, inner: str) -> str:
    return f"""<!DOCTYPE html>
<html><head><meta charset="UTF-8"><title>{html.escape(title)} - Kazakhstan Today</title>
<script>{make_filler(16_000)}</script></head>
<body><div class="top"><a href="/">Kazakhstan Today</a><a href="/rus/all">Рус</a><a href="/eng/all">Eng</a></div>
{inner}
<footer>© Kazakhstan Today</footer></body></html>"""
