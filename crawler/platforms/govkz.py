"""Page classes of gov.kz, the portal of Kazakhstan's ministries: GraphQL and REST answers, the rendered page.

Known from public code and data up to late 2026, not from the live site (H, M, L = confidence):
`POST /graphql` answers `{"data": {"news": [record, …]}}` (H), `GET /api/v1/public/content-manager/news` a bare array
of the same records, gated since 2021 (H). A record's `id` and `created_date` are strings; `body`, `heropic`,
`short_description`, `alt_image` may be null (H). One id serves all languages; what comes back where a translation is
missing is unknown, so the language is read from the text.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from parsel import Selector

from crawler.errors import PageChanged, SourceError, Unreachable
from crawler.extract import blocks, refusal, release
from crawler.extract.page import ListingPage, Page, build
from crawler.extract.site import Reading, Site
from crawler.items import Article, Image
from crawler.snapshot import Snapshot
from crawler.text import clean, dates

DETAILS = re.compile(r"/memleket/entities/(?P<project>[\w-]+)/press/news/details/(?P<id>\d+)(?![\w-])")
# A GraphQL message of this kind says that the schema moved; any other is a fault of the hour.
SCHEMA_MOVED = re.compile(r"cannot query field|unknown (?:argument|type|field)|syntax error|not defined by type", re.I)


class NewsAnswer(Page):
    """An answer of the data interface: up to fifty whole articles."""

    @classmethod
    def accepts(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whatever comes from the interface's addresses, and any JSON."""
        path = snapshot.url.partition("?")[0]
        return snapshot.kind == "json" or path.endswith(("/graphql", "/content-manager/news"))

    def public(self, native_id: str, url: str, spoken: str | None) -> str:
        """The address a reader would open: one id, `?lang=` of the text."""
        return f"{url}?lang={spoken}" if spoken else url

    def asked(self) -> str | None:
        """The language of the GraphQL request, where the snapshot kept it."""
        try:
            sent = json.loads(self.snapshot.payload or b"null")
        except ValueError:
            return None
        variables = sent.get("variables") if isinstance(sent, dict) else None
        return variables.get("lang") if isinstance(variables, dict) else None

    def read(self) -> Reading:
        """Every record that is a whole article; a broken record is a problem beside the good ones."""
        articles: list[Article] = []
        problems: list[SourceError] = []
        skipped: list[str] = []
        records = self.records()
        for record in records:
            try:
                article = self.article(record)
            except PageChanged as problem:
                problems.append(problem)
            else:
                skipped.append(f"{self.address(str(record['id']))} has no text yet") if article is None else (
                    articles.append(article)
                )
        return Reading(
            page=type(self).__name__,
            articles=tuple(articles),
            problems=tuple(problems),
            skipped=tuple(skipped),
            findings=self.findings(articles),
            entries=len(records),
            dates=tuple(article.published_at for article in articles if article.published_at),
            ids=tuple(str(record["id"]) for record in records if isinstance(record, dict) and record.get("id")),
        )

    def records(self) -> list[Any]:
        """The records of a GraphQL or REST answer; Unreachable for the interface's passing faults."""
        try:
            answer = self.snapshot.json
        except ValueError:
            if refusal.is_shell(self.snapshot):
                raise refusal.shell(self.snapshot.url) from None
            start = " ".join(self.snapshot.text[:80].split())
            raise Unreachable(
                f"{self.snapshot.url} answered with something that is not JSON: {start!r}. Try again later.",
                url=self.snapshot.url,
            ) from None
        if isinstance(answer, list):
            return answer
        if isinstance(answer, dict) and answer.get("errors"):
            raise self.refusal_of(answer["errors"])
        news = (answer.get("data") or {}).get("news") if isinstance(answer, dict) else None
        if not isinstance(news, list):
            raise self.changed("records", "data.news", repr(answer)[:80])
        return news

    def refusal_of(self, errors: Any) -> SourceError:
        """What a GraphQL `errors` list means: the schema moved, or a fault of the hour."""
        message = "; ".join(str(error.get("message") if isinstance(error, dict) else error) for error in errors)[:200]
        if SCHEMA_MOVED.search(message):
            return self.changed("records", "the GraphQL query News", message)
        return Unreachable(
            f"{self.snapshot.url} answered with errors: {message}. Try again later.", url=self.snapshot.url
        )

    def address(self, native_id: str) -> str:
        """The article's public address without its language."""
        return f"{self.site.origin}/memleket/entities/{self.site.name}/press/news/details/{native_id}"

    def article(self, record: Any) -> Article | None:
        """The article of one record, None for one without text; PageChanged for a record of another shape."""
        if not isinstance(record, dict) or not record.get("id"):
            raise self.changed("id", "record.id", repr(record)[:80])
        native_id = str(record["id"])
        url = self.address(native_id)
        for field in ("title", "created_date", "body"):
            if field not in record:
                raise PageChanged(field, f"record.{field}", "no such key", url)
        for field in ("title", "body", "short_description", "heropic", "alt_image"):
            if not isinstance(record.get(field), str | None):
                raise PageChanged(field, f"record.{field}", repr(record[field])[:80], url)
        self.provenance = {}
        lines = self.lines(record["body"])
        paragraphs, attribution = release.attribution([line.text for line in lines if line.tag != "img"])
        if not paragraphs:
            return None  # announced before it is written, or a picture alone: asked again on the next run
        published = self.published(record["created_date"], url)
        for field in ("title", "body", "lead", "images"):
            self.note(field, {"lead": "short_description", "images": "heropic, body img"}.get(field, field))
        self._keep_places()
        self.note("published_at", f"created_date read as {self.site.created_date}")
        fields = {
            "title": clean.line_or_none(clean.decoded(record["title"] or "")),
            "lead": self.lead(record.get("short_description")),
            "body": paragraphs,
            "published_at": published.at,
            "published_raw": record["created_date"],
            "published_precision": published.precision,
            "place": release.place(paragraphs, self.site.zone),
            "attribution": attribution,
            "images": self.images(record, lines),
        }
        return build(self, native_id, url, fields)

    def _keep_places(self) -> None:
        """Which key of a record gives which field."""
        keys = {"title": "title", "body": "body", "lead": "short_description", "published_at": "created_date"}
        above = "[]" if isinstance(self.snapshot.json, list) else "data.news[]"
        self.places |= {field: f"{above}.{key}" for field, key in keys.items()}

    def lines(self, body: str | None) -> list[blocks.Block]:
        """The lines of a body, which is an HTML document, bare paragraphs, or null; some encode entities twice."""
        if not body or not body.strip():
            return []
        lines = blocks.of_html(Selector(text=body, type="html").root)
        return [replace(line, text=clean.line(clean.decoded(line.text))) for line in lines]

    def lead(self, description: str | None) -> str | None:
        """A `short_description` as plain text; it may hold markup."""
        return clean.line_or_none(" ".join(line.text for line in self.lines(description)))

    def published(self, created: Any, url: str) -> dates.When:
        """`created_date` as the setting reads it: Astana wall time labelled as UTC (`local`), or truly UTC."""
        when = dates.read(created, self.site.zone) if isinstance(created, str) else None
        if when is None:
            raise PageChanged("published_at", "record.created_date", repr(created), url)
        labelled = as_labelled(created)
        if self.site.created_date == "utc" or labelled is None:
            return when
        return dates.When(dates.local(labelled.replace(tzinfo=None), self.site.zone), when.precision, when.raw)

    def images(self, record: dict[str, Any], lines: list[blocks.Block]) -> tuple[Image, ...]:
        """The lead picture and the body's, absolute; pictures are named, never downloaded."""
        caption = clean.line_or_none(clean.decoded(record.get("alt_image") or ""))
        found = [Image(url=self.absolute(record.get("heropic")), caption=caption)]
        found += [
            Image(url=self.absolute(line.source), caption=line.text or None) for line in lines if line.tag == "img"
        ]
        return tuple(image for image in found if image.url)

    def findings(self, articles: list[Article]) -> tuple[str, ...]:
        """The live check of `created_date`: read as UTC, an item later than the answer's own Date proves wall time."""
        answered = dates.read(self.snapshot.headers.get("date", ""), UTC)
        for article in articles if answered else ():
            labelled = as_labelled(article.published_raw or "")
            if answered and labelled and labelled > answered.at:
                said = "as set" if self.site.created_date == "local" else "but the setting created_date says 'utc'"
                return (
                    f"created_date is Astana wall time ({said}): {article.id} says {article.published_raw}, "
                    f"later than the answer's Date {answered.at.isoformat()}",
                )
        return ()


def as_labelled(created: str) -> datetime | None:
    """The moment a `created_date` would be if its label (`Z`, `+00:00`) were true; None without a label."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class RenderedList(ListingPage):
    """The list as a browser shows it: cards with a link and a day (H)."""

    CARDS = ".card-news-list__item a[href*='/press/news/details/']"

    @classmethod
    def accepts(cls, snapshot: Snapshot, site: Site) -> bool:
        """HTML with at least one card."""
        return snapshot.kind == "html" and "card-news-list__item" in snapshot.text

    def addresses(self) -> list[str]:
        """The cards' links."""
        return self.root.css(self.CARDS).xpath("@href").getall()
