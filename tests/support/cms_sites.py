"""Loopback news sites of Central Asia in the markup of common systems: Drupal, Bitrix, Joomla, Tilda, Hugo and others.

Pages are in `cms_markup/*.html`, invented texts in `cms_markup/*.txt`. A blank line separates articles, the first line
is the title, and `> `, `## ` and `- ` begin a quotation, a subheading and a list item.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from support.http_server import SiteReply, SiteRequest, SiteServer, make_handler
from support.server_thread import start_server_thread

FOLDER = Path(__file__).parent / "cms_markup"
BLOCK_MARKS = {"> ": "q", "## ": "h2", "- ": "li"}
MONTHS = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split(),
    "ky": "январы февралы марты апрели майы июну июлу августу сентябры октябры ноябры декабры".split(),
    "kk": "Қаңтар Ақпан Наурыз Сәуір Мамыр Маусым Шілде Тамыз Қыркүйек Қазан Қараша Желтоқсан".split(),
    "tg": "январи феврали марти апрели майи июни июли августи сентябри октябри ноябри декабри".split(),
}
CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяқғҳӯҷӣңөүұіәһ"
LATIN = "a,b,v,g,d,e,yo,zh,z,i,y,k,l,m,n,o,p,r,s,t,u,f,kh,ts,ch,sh,shch,,y,,e,yu,ya,q,gh,h,u,j,i,n,o,u,u,i,a,h".split(
    ","
)
LATIN_LETTERS = dict(zip(CYRILLIC, LATIN, strict=True))
UZBEK_PAIRS = (
    *zip("o‘ g‘ sh ch yo yu ya ye ’".split(), "ў ғ ш ч ё ю я е ъ".split(), strict=True),
    *zip("abdefghijklmnopqrstuvxyz", "абдефгҳижклмнопқрстувхйз", strict=True),
)


@dataclass(frozen=True)
class CmsArticle:
    """One article of a loopback site. `at` has the site's zone; `words` is the date as the site writes it."""

    number: int
    title: str
    blocks: tuple[tuple[str, str], ...]
    at: datetime
    author: str
    path: str
    slug: str
    words: str = ""
    twin: str = ""

    @property
    def paragraphs(self) -> list[str]:
        """What the stored body must be, line by line."""
        return [text for _, text in self.blocks]

    @property
    def slug_path(self) -> str:
        """Return day and slug, as in addresses with a date."""
        return f"{self.at:%Y/%m/%d}/{self.slug}"

    @property
    def records(self) -> list[list[tuple[str, str]]]:
        """Return the blocks as Tilda splits them: quotations and subheadings are records of their own."""
        runs = groupby(self.blocks, key=lambda block: block if block[0] in ("q", "h2") else None)
        return [list(run) for _, run in runs]


class CmsSite:
    """A loopback news site. A context manager: `with DrupalSite() as site: … site.url`.

    Articles are published on different days of the last four weeks, the newest one yesterday.
    """

    template: ClassVar[str]
    language: ClassVar[str]
    zone: ClassVar[str] = "Asia/Almaty"
    address: ClassVar[str]
    authors: ClassVar[tuple[str, ...]] = ("Пресс-служба",)
    list_paths: ClassVar[tuple[str, ...]]
    page_parameter: ClassVar[str] = "page"
    page_step: ClassVar[int] = 1
    first_page: ClassVar[int] = 0
    page_size: ClassVar[int] = 6
    precision: ClassVar[str] = "minute"
    heading: ClassVar[str] = "Новости"
    redirects: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str] = "text/html; charset=utf-8"
    robots: ClassVar[str] = "User-agent: *\nDisallow: /search\n"

    def __init__(self) -> None:
        self.requests: list[SiteRequest] = []
        self.stopping = threading.Event()
        self.environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
        self.environment.filters["utc_z"] = lambda at: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.environment.filters["utc_zero"] = lambda at: at.astimezone(UTC).isoformat()

    # -- what a kind of site defines -------------------------------------------------------------------------------
    def format_date(self, at: datetime) -> str:
        """Return a date in the words of the site."""
        months = MONTHS.get(self.language)
        return f"{at.day} {months[at.month - 1]} {at.year}" if months else f"{at:%d.%m.%Y}"

    def get_list_page(self, request: SiteRequest) -> int | None:
        """Return which page of the list a request names, from 0, or None if it names no list."""
        if request.path not in self.list_paths:
            return None
        number = int(request.query.get(self.page_parameter, self.first_page))
        return (number - self.first_page) // self.page_step

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        """Return the answer at an address that is neither list nor article, such as a feed."""
        return None

    # -- used by tests ---------------------------------------------------------------------------------------------
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @cached_property
    def articles(self) -> list[CmsArticle]:
        """All articles, newest first."""
        zone = ZoneInfo(self.zone)
        yesterday = datetime.now(zone).date() - timedelta(days=1)
        made = []
        for place, text in enumerate((FOLDER / f"{self.language}.txt").read_text(encoding="utf-8").split("\n\n")):
            title, *lines = text.strip().split("\n")
            day = yesterday - timedelta(days=2 * place + place // 3)
            at = datetime.combine(day, time(9 + place * 5 % 11, place * 17 % 60), zone)
            made.append(self.make_article(48211 - place * 23, title, tuple(map(parse_block, lines)), at))
        return made

    def make_article(self, number: int, title: str, blocks: tuple[tuple[str, str], ...], at: datetime) -> CmsArticle:
        slug = make_slug(title)
        path = self.address.format(number=number, slug=slug, at=at)
        return CmsArticle(
            number, title, blocks, at, self.authors[number % len(self.authors)], path, slug, self.format_date(at)
        )

    def __enter__(self) -> Self:
        self._server = SiteServer(("127.0.0.1", 0), make_handler(self.reply, self.stopping))
        self._thread = start_server_thread(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- answers ---------------------------------------------------------------------------------------------------
    def reply(self, request: SiteRequest) -> SiteReply:
        """Return the answer to a request."""
        self.requests.append(request)
        if request.path == "/robots.txt":
            return SiteReply(self.robots, kind="text/plain")
        if request.path in self.redirects:
            return SiteReply(status=302, headers={"Location": self.redirects[request.path]})
        if (other := self.answer_other(request)) is not None:
            return other
        if (page := self.get_list_page(request)) is not None:
            return self.make_list(page, request)
        if (article := self.find_article(request.path)) is not None:
            return self.make_page(request, article)
        return SiteReply("<html><head><title>404</title></head><body><h1>404 Not Found</h1></body></html>", 404)

    def find_article(self, path: str) -> CmsArticle | None:
        return next((article for article in self.articles if article.path == path), None)

    def make_list(self, page: int, request: SiteRequest) -> SiteReply:
        shown = self.articles[page * self.page_size : (page + 1) * self.page_size]
        pages = -(-len(self.articles) // self.page_size)
        return self.render(self.template, request, articles=shown, page=page, pages=pages)

    def make_page(self, request: SiteRequest, article: CmsArticle) -> SiteReply:
        others = [other for other in self.articles if other is not article]
        start = article.number % 7
        return self.render(self.template, request, article=article, related=others[start : start + 3])

    def render(self, template: str, request: SiteRequest, **values: Any) -> SiteReply:
        now = datetime.now(ZoneInfo(self.zone))
        defaults = {
            "article": None,
            "about": False,
            "base": self.url,
            "heading": self.heading,
            "popular": self.articles[3:8],
            "today": now,
            "today_words": self.format_date(now),
            "hours": lambda number: timedelta(hours=number),
        }
        return SiteReply(self.environment.get_template(template).render(defaults | values), kind=self.kind)


class DrupalSite(CmsSite):
    """A ministry on Drupal 10: a view with the pager `?page=1`, no feed, times in UTC beside local ones."""

    template, language = "drupal.html", "ru"
    address = "/ru/press-center/news/{slug}"
    list_paths = ("/ru/press-center/news", "/ru")
    redirects: ClassVar = {"/": "/ru"}
    heading = "Новости"


class BitrixSite(CmsSite):
    """A regional paper on Bitrix in windows-1251, which only the page states: tables, line breaks, `PAGEN_1`."""

    template, language = "bitrix.html", "ru"
    address = "/news/detail/{number}/"
    list_paths = ("/news/", "/")
    page_parameter, first_page = "PAGEN_1", 1
    authors = ("Ирина ЛЕОНОВА", "Сергей Бойко")
    kind = "text/html"

    def render(self, template: str, request: SiteRequest, **values: Any) -> SiteReply:
        made = super().render(template, request, **values)
        assert isinstance(made.body, str)
        return SiteReply(made.body.encode("windows-1251"), kind=self.kind)


class BlockThemeSite(CmsSite):
    """A paper on WordPress with a block theme: the feed and the REST API are closed, addresses are plain slugs."""

    template, language = "block_theme.html", "en"
    address = "/{slug}/"
    list_paths = ("/", *(f"/page/{number}/" for number in (2, 3)))
    authors = ("News Desk",)
    robots = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n"

    def get_list_page(self, request: SiteRequest) -> int | None:
        if request.path.startswith("/page/"):
            return int(request.path.split("/")[2]) - 1
        return 0 if request.path == "/" else None

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        if request.path.startswith("/wp-json/"):
            closed = '{"code":"rest_not_logged_in","message":"You are not currently logged in.","data":{"status":401}}'
            return SiteReply(closed, 401, kind="application/json; charset=UTF-8")
        if request.path.rstrip("/").endswith("/feed"):
            return SiteReply(status=301, headers={"Location": f"{self.url}/"})
        return None


class JoomlaSite(CmsSite):
    """A Tajik paper on Joomla with the Cassiopeia template: `?start=6`, a feed by a parameter, times in UTC."""

    template, language, zone = "joomla.html", "tg", "Asia/Dushanbe"
    address = "/index.php/tg/khabarho/{number}-{slug}"
    list_paths = ("/index.php/tg/khabarho", "/", "/index.php/tg/")
    page_parameter, page_step = "start", 6
    authors = ("Матлуба Ёрова", "Администратор")
    robots = "User-agent: *\nDisallow: /administrator/\nDisallow: /api/\nDisallow: /cache/\nDisallow: /tmp/\n"

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        if request.query.get("format") != "feed":
            return None
        items = [
            f"<item><title>{a.title}</title><link>{self.url}{a.path}</link><guid>{self.url}{a.path}</guid>"
            f"<description><![CDATA[<p>{a.paragraphs[0]}</p>]]></description><category>Хабарҳо</category>"
            f"<pubDate>{a.at.astimezone(UTC):%a, %d %b %Y %H:%M:%S +0000}</pubDate></item>"
            for a in self.articles[:10]
        ]
        return make_feed("Хабарҳо", self.url, items)


class TildaSite(CmsSite):
    """A foundation on Tilda: cards and articles in blocks of `div`, without `h1`, `p`, `time` or `article`."""

    template, language = "tilda.html", "ru"
    address = "/{slug}"
    list_paths = ("/novosti",)
    redirects: ClassVar = {"/": "/novosti"}
    page_size = 12
    precision = "day"
    authors = ("Жанна Абенова",)


class KyrgyzSite(CmsSite):
    """A Kyrgyz agency: an endless list by `?page=2`, dates in words, the suffix of the site in titles."""

    template, language, zone = "kyrgyz.html", "ky", "Asia/Bishkek"
    address = "/kg/news/{number}"
    list_paths = ("/kg/news", "/kg")
    redirects: ClassVar = {"/": "/kg"}
    first_page = 1
    authors = ("Айбек Турдубаев", "Назгүл Кубатова")

    def format_date(self, at: datetime) -> str:
        return f"{at.year}-жылдын {at.day}-{MONTHS['ky'][at.month - 1]}, {at:%H:%M}"


class UzbekSite(CmsSite):
    """An Uzbek site that has every article in the Latin and in the Cyrillic script, at `/uz/` and `/oz/`."""

    template, language, zone = "uzbek.html", "uz", "Asia/Tashkent"
    address = "/uz/news/{at:%Y/%m/%d}/{slug}"
    list_paths = ("/uz/news", "/uz", "/oz/news", "/oz")
    redirects: ClassVar = {"/": "/uz"}
    page_parameter = "next"
    authors = ("Jasur Tojiboyev",)

    def find_article(self, path: str) -> CmsArticle | None:
        return next((a for a in (*self.articles, *self.cyrillic_articles) if a.path == path), None)

    @cached_property
    def cyrillic_articles(self) -> list[CmsArticle]:
        return [
            replace(
                a,
                title=to_cyrillic(a.title),
                blocks=tuple((kind, to_cyrillic(text)) for kind, text in a.blocks),
                author=to_cyrillic(a.author),
                path=a.twin,
                twin=a.path,
            )
            for a in self.articles
        ]

    def render(self, template: str, request: SiteRequest, **values: Any) -> SiteReply:
        script = request.path[1:3]
        values["script"], values["t"] = script, to_cyrillic if script == "oz" else str
        if script == "oz":
            by_number = {a.number: a for a in self.cyrillic_articles}
            for name in ("articles", "related"):
                values[name] = [by_number[a.number] for a in values.get(name, [])]
            values["popular"] = self.cyrillic_articles[3:8]
        return super().render(template, request, **values)

    def make_article(self, number: int, title: str, blocks: tuple[tuple[str, str], ...], at: datetime) -> CmsArticle:
        made = super().make_article(number, title, blocks, at)
        return replace(made, twin=made.path.replace("/uz/", "/oz/", 1))


class KazakhSite(CmsSite):
    """A Kazakh agency: an RSS feed without dates, AMP pairs, structured data about the agency only."""

    template, language = "kazakh.html", "kk"
    address = "/{slug}_a{number}"
    list_paths = ("/", "/lenta/")
    page_size = 12
    authors = ("Айдос Қалиев", "Мөлдір Сейітқызы")

    def format_date(self, at: datetime) -> str:
        return f"{super().format_date(at)}, {at:%H:%M}"

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        if request.path == "/rss/kz.xml":
            items = [
                f"<item><title>{a.title}</title><link>{self.url}{a.path}</link>"
                f"<description>{a.paragraphs[0]}</description><guid isPermaLink='true'>{self.url}{a.path}</guid></item>"
                for a in self.articles
            ]
            return make_feed("Дала хабар", self.url, items)
        if request.path.startswith("/amp/") and (article := self.find_article(request.path.removeprefix("/amp"))):
            return self.render("amp.html", request, article=article)
        return None


class HugoSite(CmsSite):
    """A blog on Hugo with the theme PaperMod, minified: a feed that lists the page About too, structured data."""

    template, language, zone = "hugo.html", "en", "Asia/Dushanbe"
    address = "/posts/{slug}/"
    list_paths = ("/", "/posts/")
    authors = ("Lola Nazarova", "Tom Brandt")

    def get_list_page(self, request: SiteRequest) -> int | None:
        if request.path.startswith("/posts/page/"):
            return int(request.path.split("/")[3]) - 1
        return super().get_list_page(request)

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        if request.path == "/about/":
            return self.render(self.template, request, about=True)
        if request.path != "/index.xml":
            return None
        items = [
            f"<item><title>{a.title}</title><link>{self.url}{a.path}</link><pubDate>{a.at:%a, %d %b %Y %H:%M:%S %z}"
            f"</pubDate><guid>{self.url}{a.path}</guid><description>{a.paragraphs[0]}</description></item>"
            for a in self.articles
        ]
        about = f"<link>{self.url}/about/</link><pubDate>Mon, 01 Jan 0001 00:00:00 +0000</pubDate>"
        items.insert(2, f"<item><title>About</title>{about}<guid>{self.url}/about/</guid></item>")
        return make_feed("Pamir Notes", self.url, items)


class PdfSite(CmsSite):
    """An agency whose press releases are PDF files in a table; each file has a letterhead and a foot."""

    template, language, zone = "releases.html", "en", "Asia/Dushanbe"
    address = "/files/press/pr-{number}-2026.pdf"
    list_paths = ("/press-releases/", "/")
    page_size = 12
    precision = "day"
    authors = ("Press Office",)

    def make_article(self, number: int, title: str, blocks: tuple[tuple[str, str], ...], at: datetime) -> CmsArticle:
        return super().make_article((number - 47900) // 23 + 20, title, blocks, at)

    def make_page(self, request: SiteRequest, article: CmsArticle) -> SiteReply:
        return SiteReply(make_pdf(article), kind="application/pdf")


class ScriptShellSite(CmsSite):
    """A portal that a script makes in the browser: every address answers with the same empty page."""

    template, language = "script_shell.html", "ru"
    address, list_paths = "/news/{number}", ("/",)

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        return self.render(self.template, request)


class LoginSite(CmsSite):
    """A paper for subscribers: every address redirects to the form for signing in."""

    template, language = "login.html", "ru"
    address, list_paths = "/article/{number}/", ("/",)

    def answer_other(self, request: SiteRequest) -> SiteReply | None:
        if request.path != "/accounts/login/":
            return SiteReply(status=302, headers={"Location": f"/accounts/login/?next={quote(request.path)}"})
        return self.render(self.template, request, next=request.query.get("next", "/"))


class CookieTestSite(CmsSite):
    """A site behind a test for robots: a script sets a cookie and loads the page again. The status is 200."""

    template, language = "cookie_test.html", "ru"
    address, list_paths = "/news/{number}", ("/",)

    def reply(self, request: SiteRequest) -> SiteReply:
        return self.render(self.template, request)


def parse_block(line: str) -> tuple[str, str]:
    """Return the kind of a line of a text, and the line without its mark."""
    mark = next((mark for mark in BLOCK_MARKS if line.startswith(mark)), "")
    return BLOCK_MARKS.get(mark, "p"), line.removeprefix(mark)


def make_slug(title: str) -> str:
    """Return a title in Latin letters as an address writes it."""
    letters = "".join(LATIN_LETTERS.get(letter, letter) for letter in title.lower())
    plain = unicodedata.normalize("NFKD", letters).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() else " " for c in plain.replace("'", "")).split())[:70].rstrip("-")


def to_cyrillic(text: str) -> str:
    """Return Uzbek text in the Cyrillic script, as the converters of Uzbek sites write it."""
    written = re.sub(r"\be", "э", re.sub(r"\bE", "Э", text))
    for latin, cyrillic in UZBEK_PAIRS:
        written = written.replace(latin, cyrillic).replace(latin.capitalize(), cyrillic.upper())
    return written


def make_feed(title: str, url: str, items: list[str]) -> SiteReply:
    head = f"<title>{title}</title><link>{url}/</link><description>{title}</description>"
    built = f"<lastBuildDate>{datetime.now(UTC):%a, %d %b %Y %H:%M:%S +0000}</lastBuildDate>"
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{built}{"".join(items)}'
    return SiteReply(f"{text}</channel></rss>", kind="application/rss+xml; charset=utf-8")


def make_pdf(article: CmsArticle) -> bytes:
    """Return a press release as a word processor exports it: letterhead, number and day, title, text, contact, foot."""
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    def draw_frame(canvas: Any, document: Any) -> None:
        canvas.setFont("Helvetica-Bold", 11)
        canvas.drawCentredString(A4[0] / 2, A4[1] - 40, "CENTRAL WATER COMMISSION")
        canvas.setFont("Helvetica", 8)
        canvas.drawString(70, 30, "12 Canal Street, Dushanbe · Tel. +992 37 221-40-40 · press@water.example")
        canvas.drawRightString(A4[0] - 70, 30, f"Page {document.page}")

    sheet = getSampleStyleSheet()
    text = ParagraphStyle("text", parent=sheet["BodyText"], fontSize=12, leading=17, alignment=TA_JUSTIFY, spaceAfter=8)
    flow = [
        Paragraph(f"PRESS RELEASE No. {article.number}/2026", sheet["Normal"]),
        Paragraph(f"Dushanbe, {article.at.day} {article.at:%B %Y}", sheet["Normal"]),
        Spacer(1, 14),
        Paragraph(article.title, sheet["Heading1"]),
        *(Paragraph(line, sheet["Heading3"] if kind == "h2" else text) for kind, line in article.blocks),
    ]
    written = BytesIO()
    document = SimpleDocTemplate(written, pagesize=A4, title="Microsoft Word - release.docx", author="secretary")
    document.build(flow, onFirstPage=draw_frame, onLaterPages=draw_frame)
    return written.getvalue()
