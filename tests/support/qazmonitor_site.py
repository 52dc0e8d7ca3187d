"""A loopback copy of QazMonitor: RSS, section pages, and articles in the text order of the site."""

from __future__ import annotations

import base64
import html
import json
import re
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from support.http_server import SiteReply, SiteRequest
from support.local_site import ROBOTS, LocalArticle, LocalSite, make_not_found, parse_number, slice_page
from support.news_texts import make_filler, write_text

SECTIONS = ("News", "Economy", "Lifestyle")
RIGHTS = (
    "Only 30% of an article published on The Qazaqstan Monitor website may be used with a mandatory hyperlink "
    "provided to indicate the original source. To re-publish the full article, written permission from the editorial "
    "is required."
)
ICONS = ("Facebook", "Instagram", "Tiktok", "Twitter", "Telegram", "Youtube")


class QazMonitorSite(LocalSite):
    """qazmonitor.com.

    `feed_size` limits the feed. With `bare_feed` an entry has only title and link. `metadata` adds JSON-LD and
    OpenGraph to article pages. With `old_host` links name en.qazmonitor.com.
    """

    public = "https://qazmonitor.com"

    def __init__(
        self,
        count: int = 24,
        *,
        feed_size: int = 20,
        section_size: int = 12,
        bare_feed: bool = False,
        metadata: bool = True,
        old_host: bool = False,
        newest: datetime | None = None,
        every: timedelta = timedelta(hours=3),
        loopback_links: bool = False,
        robots: str = ROBOTS,
    ) -> None:
        self.feed_size, self.section_size, self.bare_feed, self.metadata = feed_size, section_size, bare_feed, metadata
        if old_host:
            self.public = "https://en.qazmonitor.com"
        super().__init__(count, newest=newest, every=every, loopback_links=loopback_links, robots=robots)

    def make_article(self, number: int) -> LocalArticle:
        section, then = SECTIONS[number % len(SECTIONS)], self._newest
        texts = {"en": write_text("qazmonitor", number, "en")}
        slug = re.sub(r"[^a-z0-9]+", "-", texts["en"].title.lower()).strip("-")
        return LocalArticle(number, str(1400 + number), section, slug, then, texts, then)

    def make_path(self, article: LocalArticle) -> str:
        """Return the address of an article as links name it."""
        return f"{self.link_base}/{article.section.lower()}/{article.id}/{article.slug}"

    def answer(self, request: SiteRequest) -> SiteReply:
        path = request.path.rstrip("/")
        if path == "/rss":
            return self._render_feed(self.articles[: self.feed_size])
        if path == "/terms":
            return SiteReply(
                _render_frame("Terms", "<ol><li>Main Page</li><li>Terms</li></ol><h1>Terms of use</h1><p>Rules.</p>")
            )
        if article := re.fullmatch(r"/[a-z]+/(\d+)(?:/[^/]*)?", path):
            return self._render_article(article[1])
        name = path.strip("/")
        if name in ("", *(section.lower() for section in SECTIONS)):
            return self._render_section(name, parse_number(request.query.get("page"), 1))
        return make_not_found()

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        if request.path.startswith("/rss"):
            return self._render_feed([])
        return SiteReply(_render_frame("News", "<h1>News</h1>"))

    def _render_feed(self, articles: list[LocalArticle]) -> SiteReply:
        items = "\n".join(self._render_item(article) for article in articles)
        changed = max((a.changed for a in articles), default=None)
        return SiteReply(
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>QazMonitor</title>'
            f"<link>{self.link_base}</link><description>News</description>\n{items}\n</channel></rss>\n",
            kind="application/rss+xml; charset=utf-8",
            changed=changed,
        )

    def _render_item(self, article: LocalArticle) -> str:
        text = article.texts["en"]
        parts = f"<title>{escape(text.title)}</title><link>{escape(self.make_path(article))}</link>"
        if not self.bare_feed:
            parts += (
                f"<description><![CDATA[{text.lead}]]></description><category>{article.section}</category>"
                f'<guid isPermaLink="false">{article.id}</guid>'
                f"<pubDate>{article.published_at:%a, %d %b %Y %H:%M:%S %z}</pubDate>"
            )
        return f"<item>{parts}</item>"

    def _render_section(self, name: str, page: int) -> SiteReply:
        chosen = [a for a in self.articles if not name or a.section.lower() == name]
        cards = "\n".join(
            f'<div class="card"><a href="{self.make_path(a)}"><img src="{_make_image_url(a, "400:300")}" alt=""></a>'
            f'<a href="{self.make_path(a)}">{html.escape(a.texts["en"].title)}</a><span>{_format_time(a)}</span></div>'
            for a in slice_page(chosen, page, self.section_size)
        )
        more = f'<a href="/{name}?page={page + 1}">More</a>' if page * self.section_size < len(chosen) else ""
        return SiteReply(_render_frame(name.title() or "QazMonitor", f"<h1>{name.title()}</h1>{cards}{more}"))

    def _render_article(self, id: str) -> SiteReply:
        article = self._articles.get(id)
        if article is None:
            return make_not_found()
        text, broken = article.texts["en"], article.broken
        title = "" if broken == "no_title" else html.escape(text.title)
        if broken == "markup":
            return SiteReply(_render_frame(title, f"<section><div>{title}</div><p>Read more in our app.</p></section>"))
        caption = f"Press office {article.number}" if article.number % 3 else ""
        caption_span = f"<span>{caption}</span>" if caption else ""
        dateline = "" if broken == "no_date" else f"<span>Astana, Kazakhstan • {_format_time(article)}</span>"
        reading = f"<span>{1 + article.number % 3} min read</span>" if article.number % 2 else ""
        inner = f"""<ol><li><a href="/">Main Page</a></li>
<li><a href="/{article.section.lower()}">{article.section}</a></li><li>{title}</li></ol>
<div class="info">{dateline}{reading}</div>
<h1>{title}</h1>
<h2>{html.escape(text.lead)}</h2>
<img src="/grey.svg" alt="QazMonitor Logo">
<div class="img"><img src="{_make_image_url(article)}" alt="{caption}">{caption_span}</div>
<div class="text">{"" if broken == "empty" else _render_body(article)}</div>
<p class="rights">{RIGHTS}</p>"""
        has_metadata = self.metadata and broken is None
        return SiteReply(
            _render_frame(title, inner, self._render_metadata(article) if has_metadata else ""), changed=article.changed
        )

    def _render_metadata(self, article: LocalArticle) -> str:
        text = article.texts["en"]
        linked = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": text.title,
            "datePublished": article.published_at.isoformat(),
            "image": [_make_image_url(article)],
        }
        return (
            f'<meta property="og:type" content="article"><meta property="og:title" content="{html.escape(text.title)}">'
            f'<meta property="og:image" content="{_make_image_url(article)}">'
            f'<script type="application/ld+json">{json.dumps(linked, ensure_ascii=False)}</script>'
        )


def _render_body(article: LocalArticle) -> str:
    first, *others = [f"<p>{html.escape(p)}</p>" for p in article.texts["en"].paragraphs]
    if article.number % 4 == 1:
        picture = f"Picture {article.number}"
        address = _make_image_url(article, "900:600", "inner")
        others.insert(1, f'<div class="img"><img src="{address}" alt="{picture}"><span>{picture}</span></div>')
    return "\n".join([first, *others])


def _make_image_url(article: LocalArticle, size: str = "1200:675", name: str = "lead") -> str:
    path = f"s3://qazmonitor/{article.section.lower()}/{article.id}/{name}.jpg"
    return f"https://images.qazmonitor.com/insecure/rs:fill:{size}/" + base64.urlsafe_b64encode(path.encode()).decode()


def _format_time(article: LocalArticle) -> str:
    return f"{article.published_at:%d %B, %Y | %H:%M}"


def _render_frame(title: str, inner: str, head: str = "") -> str:
    icons = "".join(f'<a href="#"><img src="/{i.lower()}.svg" alt="{i} Qazmonitor icon"></a>' for i in ICONS)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}<script>{make_filler(17_000)}</script></head>
<body><div class="top"><p>Discover Qazaqstan via News and Inspiring Stories</p>
<a href="/"><img src="/logo.svg" alt="QazMonitor Logo"></a><div>{icons}<a href="/rss">RSS</a></div></div>
<main>{inner}</main></body></html>"""
