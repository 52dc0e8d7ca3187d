"""A loopback copy of gov.kz: the GraphQL interface, the closed REST interface, JavaScript shells, rendered pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from support.http_server import SiteReply, SiteRequest
from support.local_site import ALMATY, ROBOTS, LocalArticle, LocalSite, make_not_found, parse_number, slice_page
from support.news_texts import MONTHS, NewsText, make_filler, write_text
from support.site_faults import SHELL

NEWS = "/memleket/entities/mfa/press/news"
FIELDS = (
    "id",
    "title",
    "slug",
    "created_date",
    "short_description",
    "body",
    "heropic",
    "alt_image",
    "hint",
    "projects",
    "directions",
)
DATELINE = {"ru": "Астана, {d} {m} {y} года – ", "kk": "Астана, {y} жылғы {d} {m} – ", "en": "Astana, {m} {d}, {y} – "}
CHROME = {
    "ru": ("Количество просмотров", "Направления деятельности", "Читайте также", "Все новости",
           "Разработано в АО «Национальные информационные технологии»"),
    "kk": ("Қаралымдар саны", "Қызмет бағыттары", "Сондай-ақ оқыңыз", "Барлық жаңалықтар",
           "«Ұлттық ақпараттық технологиялар» АҚ әзірлеген"),
    "en": ("Number of views", "Areas of activity", "Read also", "All news",
           "Developed by JSC «National Information Technologies»"),
}  # fmt: skip
MINISTRIES = ("mz", "mvd", "mti")
BROKEN_FIELDS = {"markup": ("title", "body"), "empty": (), "no_title": ("title",), "no_date": ("created_date",)}


class GovSite(LocalSite):
    """gov.kz, project `mfa`.

    `rendered` serves pages as a browser renders them instead of the JavaScript shell. `rest_open` opens the REST
    interface. `total_count` makes `_total_count` answer. `untranslated` is the answer for a missing translation: the
    "russian" text or an "absent" record. `mixed` are ids with Russian text in the records of other languages (see
    `_mix_texts`). `pinned` is the id of an article at the top of the lists. `created_as` is "local" (wall time with the
    label Z) or "utc" (true UTC).
    """

    public = "https://www.gov.kz"

    def __init__(
        self,
        count: int = 24,
        *,
        rendered: bool = False,
        rest_open: bool = False,
        total_count: bool = True,
        untranslated: str = "russian",
        created_as: str = "local",
        newest: datetime | None = None,
        every: timedelta = timedelta(hours=3),
        loopback_links: bool = False,
        robots: str = ROBOTS,
    ) -> None:
        self.rendered, self.rest_open, self.total_count = rendered, rest_open, total_count
        self.untranslated, self.created_as = untranslated, created_as
        self.mixed: dict[str, str] = {}
        self.pinned: str | None = None
        super().__init__(count, newest=newest, every=every, loopback_links=loopback_links, robots=robots)

    def make_article(self, number: int) -> LocalArticle:
        languages = ("ru",) if number % 7 == 3 else ("ru", "kk", "en")
        texts = {language: write_text("gov", number, language) for language in languages}
        then = self._newest
        return LocalArticle(number, str(1_200_000 + 37 * number), "news", f"news-{number}", then, texts, then)

    def get_text(self, article: LocalArticle, language: str) -> NewsText:
        """Return the text for a language with its dateline, or the Russian one where the language has none."""
        shown = language if language in article.texts else "ru"
        text, when = article.texts[shown], article.published_at
        if how := self.mixed.get(article.id):
            text = self._mix_texts(article, language, how)
            shown = language if how == "datelines" else "ru"
        dateline = DATELINE[shown].format(d=when.day, m=MONTHS[shown][when.month - 1], y=when.year)
        return NewsText(text.title, text.lead, (dateline + text.paragraphs[0], *text.paragraphs[1:]))

    def _mix_texts(self, article: LocalArticle, language: str, how: str) -> NewsText:
        """Return Russian text for another language's record, with that language's "titles" or "datelines"."""
        own, russian = article.texts[language], article.texts["ru"]
        return NewsText(own.title if how == "titles" else russian.title, russian.lead, russian.paragraphs)

    def make_path(self, article: LocalArticle, language: str = "ru") -> str:
        """Return the public address of an article in a language."""
        return f"{self.link_base}{NEWS}/details/{article.id}?lang={language}"

    # -- answers ----------------------------------------------------------------------------------------------------
    def answer(self, request: SiteRequest) -> SiteReply:
        if request.path == "/graphql":
            return self._answer_graphql(request)
        if request.path == "/api/v1/public/content-manager/news":
            return self._answer_rest(request)
        if request.path.startswith("/uploads/"):
            return SiteReply(b"\x89PNG\r\n\x1a\n" + bytes(64), kind="image/png")
        if not request.path.startswith("/memleket/"):
            return make_not_found()
        if not self.rendered:
            return SiteReply(SHELL)
        language = request.query.get("lang", "ru")
        if detail := re.fullmatch(NEWS + r"/details/(\d+)", request.path):
            return self._render_article(detail[1], language)
        if listing := re.fullmatch(NEWS + r"/(\d+)", request.path):
            return SiteReply(self._render_list(int(listing[1]), language))
        return SiteReply(SHELL)

    def make_empty_reply(self, request: SiteRequest) -> SiteReply:
        if request.path == "/graphql":
            return _make_json({"data": {"news": []}})
        if request.path.startswith("/api/"):
            return _make_json([])
        return SiteReply(_render_frame("Новости", "<h1>Новости</h1>", "ru"))

    def _answer_graphql(self, request: SiteRequest) -> SiteReply:
        if request.method != "POST":
            return _make_json({"errors": [{"message": "GET query missing."}]}, 400)
        if "json" not in request.headers.get("content-type", ""):
            return _make_json(
                {"errors": [{"message": "POST body missing. Did you forget use body-parser middleware?"}]}, 500
            )
        try:
            sent = json.loads(request.body)
            query, variables = str(sent["query"]), dict(sent.get("variables") or {})
        except (ValueError, KeyError, TypeError) as error:
            return _make_json({"errors": [{"message": f"Syntax Error: {error}"}]}, 400)
        data: dict[str, Any] = {}
        if re.search(r"\bnews\s*\(", query):
            records = self._select_records(variables)
            page, size = int(variables.get("page", 1)), int(variables.get("size", 10))
            if size > 50:
                return _make_json({"errors": [{"message": "Variable $size is too large"}]})
            fields = [name for name in FIELDS if re.search(rf"\b{name}\b(?!\s*:)", query.split("{", 2)[-1])]
            data["news"] = [{n: r[n] for n in fields if n in r} for r in records[(page - 1) * size : page * size]]
        if "_total_count" in query:
            if not self.total_count:
                return _make_json({"errors": [{"message": 'Cannot query field "_total_count" on type "Query".'}]})
            data["_total_count"] = {"news": len(self._select_records(variables))}
        return _make_json({"data": data} if data else {"errors": [{"message": "Must provide query string."}]})

    def _select_records(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        language = str(variables.get("lang", "ru"))
        if language not in DATELINE:
            return []
        project = str(variables.get("projects") or "").removeprefix("eq:")
        records = [self._make_record(a, language) for a in self.articles if self._has(a, language)]
        records += [self._make_foreign_record(a) for a in self.articles if a.number % 4 == 0]
        wanted = [record for record in records if not project or record["projects"] == project]
        descending = str(variables.get("sort", "created_date:DESC")).endswith("DESC")
        records = sorted(wanted, key=lambda r: (r.get("created_date", ""), int(r["id"])), reverse=descending)
        return sorted(records, key=lambda r: r["id"] != self.pinned)

    def _has(self, article: LocalArticle, language: str) -> bool:
        if self.mixed.get(article.id) == "alone":
            return language == "kk"
        return language in article.texts or self.untranslated == "russian"

    def _make_record(self, article: LocalArticle, language: str) -> dict[str, Any]:
        text, number = self.get_text(article, language), article.number
        body = "" if article.broken == "empty" else _render_body(text.paragraphs, number)
        record = {
            "id": article.id,
            "title": html.escape(text.title, quote=False).replace(": ", ":  "),
            "slug": article.slug,
            "created_date": self._format_created(article, "%Y-%m-%dT%H:%M:00Z"),
            "short_description": text.lead if number % 2 else None,
            "body": body,
            "heropic": f"/uploads/{article.published_at.year}/{number:08x}.png" if number % 3 else None,
            "alt_image": None,
            "hint": None,
            "projects": "mfa",
            "directions": [{"id": "3841", "title": "Дипломатия"}] if number % 2 else None,
        }
        return {k: v for k, v in record.items() if k not in BROKEN_FIELDS.get(article.broken or "", ())}

    def _make_foreign_record(self, article: LocalArticle) -> dict[str, Any]:
        """Return a record of another ministry, of the same minute."""
        own = {
            **self._make_record(article, "ru"),
            "title": "Сообщение другого министерства",
            "body": "<p>Прививки.</p>",
        }
        return {**own, "id": str(int(article.id) + 5), "projects": MINISTRIES[article.number % len(MINISTRIES)]}

    def _format_created(self, article: LocalArticle, form: str) -> str:
        moment = article.published_at.astimezone(ALMATY)
        if self.created_as == "utc":
            moment -= moment.utcoffset() or timedelta()
        return moment.strftime(form)

    def _answer_rest(self, request: SiteRequest) -> SiteReply:
        if not self.rest_open:
            return _make_json({"statusCode": 400, "error": "Bad Request", "message": "notAllowed"}, 400)
        page = slice_page(
            self.articles, parse_number(request.query.get("page"), 1), parse_number(request.query.get("size"), 20)
        )
        form = "%Y-%m-%dT%H:%M:00.000+00:00"
        return _make_json([{**self._make_record(a, "ru"), "created_date": self._format_created(a, form)} for a in page])

    # -- rendered pages -----------------------------------------------------------------------------------------------
    def _render_article(self, id: str, language: str) -> SiteReply:
        article = self._articles.get(id)
        if article is None or language not in DATELINE or not self._has(article, language):
            return make_not_found()
        text, (views, areas, also, everything, _) = self.get_text(article, language), CHROME[language]
        shown = "" if article.broken == "no_title" else html.escape(text.title, quote=False)
        when = "" if article.broken == "no_date" else f"<div>{_format_time(article, language)}</div>"
        body = "" if article.broken == "empty" else _render_body(text.paragraphs, 1)
        related = "".join(
            f'<div><a href="{NEWS}/details/{a.id}?lang={language}">{html.escape(self.get_text(a, language).title)}</a>'
            f"<span>{_format_day(a, language)}</span></div>"
            for a in [a for a in self.articles[:6] if a.id != id][:5]
        )
        inner = f"""<h1>{shown}</h1><div class="gallery"><div>1 / 1.</div></div>
{when}<div>{views}: {17 * article.number}</div>
<div class="text">{body}</div>
<div><h3>{areas}</h3><a href="#">Дипломатия</a></div>
<section><h2>{also}</h2>{related}<a href="{NEWS}/1?lang={language}">{everything}</a></section>"""
        if article.broken == "markup":
            inner = f"<section><div>{shown}</div></section>"
        return SiteReply(_render_frame(shown, inner, language), changed=article.changed)

    def _render_list(self, page: int, language: str) -> str:
        shown = [a for a in self.articles if self._has(a, language)]
        titles = {a.id: html.escape(self.get_text(a, language).title) for a in shown}
        cards = "\n".join(
            f'<div class="card-news-list__item"><a href="{NEWS}/details/{a.id}?lang={language}" '
            f'title="{titles[a.id]}">{titles[a.id]}</a>'
            f'<div class="categories__item color_grey">{_format_day(a, language)}</div></div>'
            for a in slice_page(shown, page, 10)
        )
        return _render_frame(
            "News", f"<h1>News</h1>{cards}<a href='{NEWS}/{page + 1}?lang={language}'>{page + 1}</a>", language
        )


def _format_day(article: LocalArticle, language: str) -> str:
    moment = article.published_at
    return f"{moment.day} {MONTHS[language][moment.month - 1]} {moment.year}"


def _format_time(article: LocalArticle, language: str) -> str:
    return f"{_format_day(article, language)} {article.published_at:%H:%M}"


def _render_body(paragraphs: tuple[str, ...], number: int) -> str:
    """Return bare paragraphs, or for odd numbers a document with entities, soft hyphens and a relative image."""
    mark: Callable[[str], str] = lambda p: html.escape(p, quote=False).replace(" – ", "&nbsp;&ndash; ")  # noqa: E731
    if number % 2 == 0:
        return "".join(f"<p>{mark(p)}</p>" for p in paragraphs)
    marked = "\n".join(
        f'<p style="text-align: justify;"><span>{_add_soft_hyphens(mark(p))}</span></p>' for p in paragraphs
    )
    picture = '<p><img src="/uploads/2026/1/9/picture.jpeg" alt="" width="900" /></p>'
    return f"<!DOCTYPE html>\n<html>\n<head>\n</head>\n<body>\n{marked}\n{picture}\n<p>&nbsp;</p>\n</body>\n</html>"


def _add_soft_hyphens(text: str) -> str:
    return re.sub(r"(?<![&\w])(\w{5})(\w{5,})", r"\1&shy;\2", text)


def _render_frame(title: str, inner: str, language: str) -> str:
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<script>{make_filler(18_000)}</script></head><body>
<noscript>You need to enable JavaScript to run this app.</noscript><div id="root">
<header><a href="/memleket/entities/mfa?lang={language}">gov.kz</a><ul><li>Menu</li><li>Press</li></ul></header>
<main>{inner}</main><footer>{CHROME[language][4]}</footer></div></body></html>"""


def _make_json(value: object, status: int = 200) -> SiteReply:
    return SiteReply(json.dumps(value, ensure_ascii=False), status, kind="application/json; charset=utf-8")
