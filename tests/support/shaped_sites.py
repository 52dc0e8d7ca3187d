"""Loopback sites that no source describes, in the shapes of real ones. Their texts are those of `news_texts`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from xml.sax.saxutils import escape as escape_xml

from support.http_server import SiteReply, SiteRequest
from support.local_site import LocalArticle, LocalSite, make_not_found, parse_number, slice_page
from support.news_texts import NewsText, write_text
from support.site_faults import BrokenReply

MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),
    "kk": "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан".split(),
}
WORDS = {
    "en": ("Home", "News", "About us", "Contacts", "Latest", "All rights reserved.", "Share", "Read also"),
    "ru": (
        "Главная",
        "Новости",
        "О нас",
        "Контакты",
        "Последние",
        "Все права защищены.",
        "Поделиться",
        "Читайте также",
    ),
    "kk": ("Басты бет", "Жаңалықтар", "Біз туралы", "Байланыс", "Соңғы", "Құқықтар қорғалған.", "Бөлісу", "Оқыңыз"),
}
"""What a page says around its articles."""
SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


class ShapedSite(LocalSite):
    """A site with a front page, a list, a feed and article pages. Subclasses change the shape.

    `redesign()` gives article pages another markup.
    """

    languages: Sequence[str] = ("en",)
    name = "Valley Herald"
    page_size = 10
    encoding = "utf-8"
    has_feed = True

    def __init__(self, count: int = 24, *, every: timedelta = timedelta(hours=5), robots: str | None = None) -> None:
        self.is_redesigned = False
        super().__init__(count, every=every, loopback_links=True, robots=robots or "User-agent: *\nDisallow: /search\n")

    def redesign(self) -> None:
        """Give article pages another markup, as after a redesign of the site."""
        self.is_redesigned = True

    # -- what a subclass may change ---------------------------------------------------------------------------------
    def make_article(self, number: int) -> LocalArticle:
        texts = {language: write_text(type(self).__name__, number, language) for language in self.languages}
        slug = f"report-{number:04d}-from-the-valley"
        return LocalArticle(number, str(4000 + number), "news", slug, self._newest, texts, self._newest)

    def make_path(self, article: LocalArticle) -> str:
        """Return the address of an article as links name it."""
        return f"{self.link_base}/{article.published_at:%Y/%m}/{article.slug}/"

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        """Return the markup of an article in the frame of its page."""
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in (text.lead, *text.paragraphs))
        return (
            f'<article class="post-{article.number} post"><h1 class="entry-title">{escape(text.title)}</h1>'
            f'<div class="entry-meta">By <a rel="author" href="/about/">Ann Miller</a> '
            f'<time datetime="{article.published_at.isoformat()}">{format_day(article.published_at, language)}</time>'
            f'</div><div class="entry-content">{body}</div></article>'
        )

    def render_new_design(self, article: LocalArticle, text: NewsText, language: str) -> str:
        """Return the markup of an article after the redesign."""
        body = "".join(
            f"<section><div>{escape(paragraph)}</div></section>" for paragraph in (text.lead, *text.paragraphs)
        )
        return (
            f"<main><div class='story'><div class='story-top'><h1>{escape(text.title)}</h1>"
            f"<span class='when'>{format_day(article.published_at, language)}</span></div>"
            f"<div class='story-text'>{body}</div></div></main>"
        )

    def render_head(self, article: LocalArticle | None, language: str) -> str:
        """Return what the head of a page has besides its title."""
        feed = f'<link rel="alternate" type="application/rss+xml" href="{self.make_feed_path(language)}">'
        return feed if self.has_feed else ""

    def make_feed_path(self, language: str) -> str:
        return "/feed/"

    def make_list_path(self, language: str) -> str:
        return "/news/"

    # -- routes -----------------------------------------------------------------------------------------------------
    def answer(self, request: SiteRequest) -> SiteReply:
        for language in self.languages:
            if self.has_feed and request.path == self.make_feed_path(language):
                return self.render_feed(self.articles[: self.page_size], language)
            if request.path == self.make_list_path(language):
                return self.render_list(parse_number(request.query.get("page"), 1), language)
            for article in self.articles:
                if language in article.texts and self.make_language_path(article, language) == self.get_target(request):
                    return self.render_article_page(article, language)
        if request.path in ("/", *(f"/{language}/" for language in self.languages)):
            return self.render_list(1, request.path.strip("/") or self.languages[0])
        if request.path == "/about/":
            return self.render_page("About us", "<h1>About us</h1><p>We report from the valley.</p>", self.languages[0])
        return make_not_found()

    def get_target(self, request: SiteRequest) -> str:
        """Return what of a request names an article."""
        return request.path

    def make_language_path(self, article: LocalArticle, language: str) -> str:
        """Return the path of an article in a language."""
        return self.path(article)

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        return self.render_page("Empty", "<h1>News</h1>", self.languages[0])

    def render_article_page(self, article: LocalArticle, language: str) -> SiteReply:
        text = article.texts[language]
        render = self.render_new_design if self.is_redesigned else self.render_article
        others = [other for other in self.articles if other is not article][:4]
        also = "".join(
            f'<li><a href="{self.make_language_path(o, language)}">{escape(o.texts[language].title)}</a></li>'
            for o in others
        )
        content = (
            f'{render(article, text, language)}<aside class="also"><h3>{WORDS[language][7]}</h3><ul>{also}</ul></aside>'
        )
        return self.render_page(text.title, content, language, article)

    def render_list(self, page: int, language: str) -> SiteReply:
        shown = slice_page(self.articles, page, self.page_size)
        cards = "".join(self.render_card(article, language) for article in shown)
        paging = self.render_paging(page, language) if page * self.page_size < len(self.articles) else ""
        content = f'<h1>{WORDS[language][1]}</h1><div class="list">{cards}</div>{paging}'
        return self.render_page(WORDS[language][1], content, language)

    def render_paging(self, page: int, language: str) -> str:
        """Return the links to further pages of a list."""
        return ""

    def render_card(self, article: LocalArticle, language: str) -> str:
        """Return an entry of a list."""
        text = article.texts[language]
        return (
            f'<div class="card"><a href="{self.make_language_path(article, language)}">{escape(text.title)}</a>'
            f"<span>{format_day(article.published_at, language)}</span><p>{escape(text.lead)}</p></div>"
        )

    def render_page(self, title: str, content: str, language: str, article: LocalArticle | None = None) -> SiteReply:
        """Return a page with the site's frame."""
        home, news, about, contacts, latest, rights, *_ = WORDS[language]
        html = (
            f'<!DOCTYPE html><html lang="{language}"><head><meta charset="{self.encoding}">'
            f"<title>{escape(title)} | {self.name}</title>{self.render_head(article, language)}</head><body>"
            f'<header class="top"><nav><ul><li><a href="/">{home}</a></li>'
            f'<li><a href="{self.make_list_path(language)}">{news}</a></li><li><a href="/about/">{about}</a></li>'
            f'<li><a href="/contacts/">{contacts}</a></li></ul></nav></header>{content}'
            f'<footer class="bottom"><p>© 2026 {self.name}. {rights} {latest}</p></footer></body></html>'
        )
        return SiteReply(html.encode(self.encoding), kind=f"text/html; charset={self.encoding}")

    def render_feed(self, articles: Sequence[LocalArticle], language: str) -> SiteReply:
        items = "".join(self.render_item(article, language) for article in articles)
        return SiteReply(
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{self.name}</title>'
            f"<link>{self.link_base}</link><description>News</description>{items}</channel></rss>",
            kind="application/rss+xml; charset=utf-8",
        )

    def render_item(self, article: LocalArticle, language: str) -> str:
        """Return an entry of the feed."""
        return (
            f"<item><title>{escape_xml(article.texts[language].title)}</title>"
            f"<link>{self.link_base}{self.make_language_path(article, language)}</link>"
            f"<pubDate>{article.published_at:%a, %d %b %Y %H:%M:%S %z}</pubDate></item>"
        )


def format_day(time: datetime, language: str) -> str:
    """Return a day and time as a reader sees it."""
    month = MONTHS[language][time.month - 1]
    if language == "kk":
        return f"{time.year} жылғы {time.day} {month}, {time:%H:%M}"
    if language == "ru":
        return f"{time.day} {month} {time.year}, {time:%H:%M}"
    return f"{time.day} {month} {time.year}, {time:%H:%M}"


def make_meta(article: LocalArticle, text: NewsText, site: str) -> str:
    """Return the JSON-LD of an article."""
    values = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": text.title,
        "datePublished": article.published_at.isoformat(),
        "author": {"@type": "Person", "name": "Ann Miller"},
        "publisher": {"@type": "Organization", "name": site},
    }
    return f'<script type="application/ld+json">{json.dumps(values, ensure_ascii=False)}</script>'


class WordPressSite(ShapedSite):
    """A site in the shape of WordPress: dates in addresses, JSON-LD, a feed of ten, `page/2/`, a feed of comments."""

    def render_head(self, article: LocalArticle | None, language: str) -> str:
        comments = '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">'
        described = make_meta(article, article.texts[language], self.name) if article else ""
        named = f'<meta property="og:site_name" content="{self.name}">'
        return f"{named}{comments}{super().render_head(article, language)}{described}"

    def render_paging(self, page: int, language: str) -> str:
        return f'<nav class="pagination"><a class="next" rel="next" href="/news/page/{page + 1}/">Older</a></nav>'

    def answer(self, request: SiteRequest) -> SiteReply:
        parts = request.path.strip("/").split("/")
        if parts[:2] == ["news", "page"] and len(parts) == 3:
            return self.render_list(parse_number(parts[2], 1), "en")
        return super().answer(request)


class DrupalSite(ShapedSite):
    """A Russian site in the shape of Drupal: numbered nodes, wrappers around fields, `rss.xml`, no times in data."""

    languages = ("ru",)
    name = "Голос предгорья"

    def make_feed_path(self, language: str) -> str:
        return "/rss.xml"

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/node/{article.id}"

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in (text.lead, *text.paragraphs))
        return (
            f'<div class="region region-content"><h1 class="page-header"><span class="field field--name-title">'
            f"{escape(text.title)}</span></h1><div class='node node--type-news'><div class='node__submitted'>"
            f"{format_day(article.published_at, language)}</div><div class='node__content'>"
            f"<div class='field field--name-body field__item'>{body}</div></div></div></div>"
        )


class BitrixSite(ShapedSite):
    """A Russian site in the shape of Bitrix: windows-1251, parameters in addresses, no feed, `PAGEN_1`."""

    languages = ("ru",)
    name = "Степной вестник"
    encoding = "windows-1251"
    has_feed = False

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/news/detail.php?ID={article.id}"

    def get_target(self, request: SiteRequest) -> str:
        return f"{request.path}?ID={request.query.get('ID')}"

    def answer(self, request: SiteRequest) -> SiteReply:
        if request.path == "/news/":
            return self.render_list(parse_number(request.query.get("PAGEN_1"), 1), "ru")
        return super().answer(request)

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        body = "<br><br>".join(escape(paragraph) for paragraph in (text.lead, *text.paragraphs))
        return (
            f"<table class='content'><tr><td><div class='news-detail'><span class='news-date-time'>"
            f"{article.published_at:%d.%m.%Y %H:%M}</span><h3>{escape(text.title)}</h3>{body}"
            "<div style='clear:both'></div></div></td></tr></table>"
        )

    def render_paging(self, page: int, language: str) -> str:
        return f'<div class="navigation-pages"><a href="/news/?PAGEN_1={page + 1}">{page + 1}</a></div>'


class ThreeLanguagesSite(ShapedSite):
    """A ministry in three languages without a feed: each version below its own beginning of the path."""

    languages = ("kk", "ru", "en")
    name = "Су шаруашылығы министрлігі"
    has_feed = False
    prefixes: Mapping[str, str] = {"kk": "kz", "ru": "ru", "en": "en"}

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/kz/press/news/{article.id}"

    def make_language_path(self, article: LocalArticle, language: str) -> str:
        return f"/{self.prefixes[language]}/press/news/{article.id}"

    def make_list_path(self, language: str) -> str:
        return f"/{self.prefixes[language]}/press/news"

    def answer(self, request: SiteRequest) -> SiteReply:
        for language, prefix in self.prefixes.items():
            if request.path.rstrip("/") == f"/{prefix}":
                return self.render_list(1, language)
        return super().answer(request)

    def render_head(self, article: LocalArticle | None, language: str) -> str:
        return "".join(
            f'<link rel="alternate" hreflang="{code}" href="/{prefix}/">' for code, prefix in self.prefixes.items()
        )

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in (text.lead, *text.paragraphs))
        return (
            f"<main><div class='page'><div class='page__date'>{format_day(article.published_at, language)}</div>"
            f"<h1 class='page__title'>{escape(text.title)}</h1><div class='page__text'>{body}</div></div></main>"
        )


class MinistrySite(ShapedSite):
    """A Kazakh ministry with a feed that states no dates. The dates are on the pages, in Kazakh words."""

    languages = ("kk",)
    name = "Көлік министрлігі"

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/kk/news/view/{article.id}"

    def render_item(self, article: LocalArticle, language: str) -> str:
        title = escape_xml(article.texts[language].title)
        return f"<item><title>{title}</title><link>{self.make_path(article)}</link></item>"

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in (text.lead, *text.paragraphs))
        return (
            f"<section class='view'><h2 class='view-title'>{escape(text.title)}</h2>"
            f"<p class='view-date'>{format_day(article.published_at, language)}</p><div class='view-body'>{body}</div>"
            "</section>"
        )


class AmpSite(ShapedSite):
    """A site whose lists name each article twice: the page, and its AMP version below `/amp/`."""

    def render_card(self, article: LocalArticle, language: str) -> str:
        path = self.path(article)
        return f'{super().render_card(article, language)}<a class="fast" href="{path}amp/">⚡ fast version of it</a>'

    def answer(self, request: SiteRequest) -> SiteReply:
        if request.path.endswith("/amp/"):
            page = super().answer(replace(request, path=request.path.removesuffix("amp/")))
            assert isinstance(page.body, bytes)
            return replace(page, body=page.body.replace(b"<html ", b"<html amp ", 1))
        return super().answer(request)

    def render_head(self, article: LocalArticle | None, language: str) -> str:
        canonical = f'<link rel="canonical" href="{self.make_path(article)}">' if article else ""
        amp = f'<link rel="amphtml" href="{self.make_path(article)}amp/">' if article else ""
        return super().render_head(article, language) + canonical + amp


class NewsSitemapSite(ShapedSite):
    """A site whose front page is made by a script. Its robots.txt names an index with a news sitemap."""

    has_feed = False

    def __init__(self, count: int = 24) -> None:
        super().__init__(count)

    def reply(self, request: SiteRequest) -> SiteReply | BrokenReply:
        self._robots = f"User-agent: *\nCrawl-delay: 0.01\nSitemap: {self.url}/sitemap_index.xml\n"
        return super().reply(request)

    def answer(self, request: SiteRequest) -> SiteReply:
        if request.path in ("/", "/news/"):
            return SiteReply('<html><head><title>App</title></head><body><div id="root"></div></body></html>')
        if request.path == "/sitemap_index.xml":
            names = "".join(f"<sitemap><loc>{self.url}/{name}</loc></sitemap>" for name in ("pages.xml", "news.xml"))
            return SiteReply(f'<sitemapindex xmlns="{SITEMAP_NAMESPACE}">{names}</sitemapindex>', kind="text/xml")
        if request.path == "/pages.xml":
            about = f"<url><loc>{self.url}/about/</loc></url>"
            return SiteReply(f'<urlset xmlns="{SITEMAP_NAMESPACE}">{about}</urlset>', kind="text/xml")
        if request.path == "/news.xml":
            rows = "".join(
                f"<url><loc>{self.make_path(a)}</loc><n:news><n:publication_date>{a.published_at.isoformat()}"
                f"</n:publication_date><n:title>{escape_xml(a.texts['en'].title)}</n:title></n:news></url>"
                for a in self.articles
            )
            names = f'xmlns="{SITEMAP_NAMESPACE}" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"'
            return SiteReply(f"<urlset {names}>{rows}</urlset>", kind="application/xml")
        return super().answer(request)


class ChallengeSite(ShapedSite):
    """A site that shows every visitor a challenge page first."""

    def answer(self, request: SiteRequest) -> SiteReply:
        return SiteReply(
            "<html><head><title>Just a moment...</title></head><body><div id='cf-wrapper'>Checking your browser before "
            "accessing the site.</div><script src='/cdn-cgi/challenge-platform/h/b/orchestrate/jsch/v1'></script>",
            503,
        )


class EmptySite(ShapedSite):
    """A site that has pages and no articles."""

    def answer(self, request: SiteRequest) -> SiteReply:
        links = "".join(f'<li><a href="/{word}/">{word}</a></li>' for word in ("prices", "plans", "support", "login"))
        return self.render_page("Plans", f"<h1>Our plans</h1><p>Choose a plan.</p><ul>{links}</ul>", "en")


class EndlessSite(ShapedSite):
    """A Russian site without a feed.

    Its list has further pages behind `?page=`, and beyond the end it shows the last one again.
    """

    languages = ("ru",)
    name = "Вести долины"
    has_feed = False

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/news/{article.id}-{article.slug}.html"

    def render_paging(self, page: int, language: str) -> str:
        return f'<div class="more"><a href="/news/?page={page + 1}">Далее</a></div>'

    def render_list(self, page: int, language: str) -> SiteReply:
        last = (len(self.articles) + self.page_size - 1) // self.page_size
        return super().render_list(min(page, last), language)


class OffsetSite(EndlessSite):
    """A site of the same kind whose further pages are named by the number of articles before them: `?start=10`."""

    def answer(self, request: SiteRequest) -> SiteReply:
        if request.path == "/news/":
            return self.render_list(parse_number(request.query.get("start"), 0) // self.page_size + 1, "ru")
        return super().answer(request)

    def render_paging(self, page: int, language: str) -> str:
        starts = range(0, len(self.articles), self.page_size)
        links = (f'<a href="/news/?start={start}">{number}</a>' for number, start in enumerate(starts, 1))
        return f'<div class="pagination">{"".join(links)}</div>'
