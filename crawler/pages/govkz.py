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
from crawler.items import Article, Image
from crawler.pages import blocks, refusal
from crawler.pages import press_release as release
from crawler.pages.base import ListingPage, Page, make_article
from crawler.pages.site import Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text import cleaning as clean
from crawler.text import dates

DETAILS_PATTERN = re.compile(r"/memleket/entities/(?P<project>[\w-]+)/press/news/details/(?P<id>\d+)(?![\w-])")
# A GraphQL message of this kind says that the schema moved; any other is a fault of the hour.
SCHEMA_ERROR_PATTERN = re.compile(
    r"cannot query field|unknown (?:argument|type|field)|syntax error|not defined by type", re.I
)


class NewsAnswer(Page):
    """An answer of the data interface: up to fifty whole articles."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whatever comes from the interface's addresses, and any JSON."""
        path = snapshot.url.partition("?")[0]
        return snapshot.kind == "json" or path.endswith(("/graphql", "/content-manager/news"))

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """The address a reader would open: one id, `?lang=` of the text."""
        return f"{url}?lang={text_language}" if text_language else url

    def get_requested_language(self) -> str | None:
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
        records = self.list_records()
        for record in records:
            try:
                article = self.read_record(record)
            except PageChanged as problem:
                problems.append(problem)
            else:
                skipped.append(f"{self.make_article_url(str(record['id']))} has no text yet") if article is None else (
                    articles.append(article)
                )
        return Reading(
            page_class=type(self).__name__,
            articles=tuple(articles),
            problems=tuple(problems),
            skipped=tuple(skipped),
            findings=self.check_time_zone(articles),
            entry_count=len(records),
            published_times=tuple(article.published_at for article in articles if article.published_at),
            native_ids=tuple(str(record["id"]) for record in records if isinstance(record, dict) and record.get("id")),
        )

    def list_records(self) -> list[Any]:
        """The records of a GraphQL or REST answer; Unreachable for the interface's passing faults."""
        try:
            answer = self.snapshot.json
        except ValueError:
            if refusal.is_javascript_shell(self.snapshot):
                raise refusal.make_shell_error(self.snapshot.url) from None
            start = " ".join(self.snapshot.text[:80].split())
            raise Unreachable(
                f"{self.snapshot.url} answered with something that is not JSON: {start!r}. Try again later.",
                url=self.snapshot.url,
            ) from None
        if isinstance(answer, list):
            return answer
        if isinstance(answer, dict) and answer.get("errors"):
            raise self.make_answer_error(answer["errors"])
        news = (answer.get("data") or {}).get("news") if isinstance(answer, dict) else None
        if not isinstance(news, list):
            raise self.make_changed_error("records", "data.news", repr(answer)[:80])
        return news

    def make_answer_error(self, errors: Any) -> SourceError:
        """What a GraphQL `errors` list means: the schema moved, or a fault of the hour."""
        message = "; ".join(str(error.get("message") if isinstance(error, dict) else error) for error in errors)[:200]
        if SCHEMA_ERROR_PATTERN.search(message):
            return self.make_changed_error("records", "the GraphQL query News", message)
        return Unreachable(
            f"{self.snapshot.url} answered with errors: {message}. Try again later.", url=self.snapshot.url
        )

    def make_article_url(self, native_id: str) -> str:
        """The article's public address without its language."""
        return f"{self.site.origin}/memleket/entities/{self.site.name}/press/news/details/{native_id}"

    def read_record(self, record: Any) -> Article | None:
        """The article of one record, None for one without text; PageChanged for a record of another shape."""
        if not isinstance(record, dict) or not record.get("id"):
            raise self.make_changed_error("id", "record.id", repr(record)[:80])
        native_id = str(record["id"])
        url = self.make_article_url(native_id)
        for field in ("title", "created_date", "body"):
            if field not in record:
                raise PageChanged(field, f"record.{field}", "no such key", url)
        for field in ("title", "body", "short_description", "heropic", "alt_image"):
            if not isinstance(record.get(field), str | None):
                raise PageChanged(field, f"record.{field}", repr(record[field])[:80], url)
        self.provenance = {}
        lines = self.parse_markup(record["body"])
        paragraphs, attribution = release.split_attribution([line.text for line in lines if line.tag != "img"])
        if not paragraphs:
            return None  # announced before it is written, or a picture alone: asked again on the next run
        published = self.parse_created_date(record["created_date"], url)
        for field in ("title", "body", "lead", "images"):
            self.record_rule(field, {"lead": "short_description", "images": "heropic, body img"}.get(field, field))
        self._record_paths()
        self.record_rule("published_at", f"created_date read as {self.site.created_date}")
        fields = {
            "title": clean.clean_line_or_none(clean.decode_entities(record["title"] or "")),
            "lead": self.parse_lead(record.get("short_description")),
            "body": paragraphs,
            "published_at": published.at,
            "published_raw": record["created_date"],
            "published_precision": published.precision,
            "place": release.find_dateline_place(paragraphs, self.site.time_zone),
            "attribution": attribution,
            "images": self.list_images(record, lines),
        }
        return make_article(self, native_id, url, fields)

    def _record_paths(self) -> None:
        """Which key of a record gives which field."""
        keys = {"title": "title", "body": "body", "lead": "short_description", "published_at": "created_date"}
        above = "[]" if isinstance(self.snapshot.json, list) else "data.news[]"
        self.field_nodes |= {field: f"{above}.{key}" for field, key in keys.items()}

    def parse_markup(self, body: str | None) -> list[blocks.Block]:
        """The lines of a body, which is an HTML document, bare paragraphs, or null; some encode entities twice."""
        if not body or not body.strip():
            return []
        lines = blocks.parse_html(Selector(text=body, type="html").root)
        return [replace(line, text=clean.clean_line(clean.decode_entities(line.text))) for line in lines]

    def parse_lead(self, description: str | None) -> str | None:
        """A `short_description` as plain text; it may hold markup."""
        return clean.clean_line_or_none(" ".join(line.text for line in self.parse_markup(description)))

    def parse_created_date(self, created: Any, url: str) -> dates.ParsedDate:
        """`created_date` as the setting reads it: Astana wall time labelled as UTC (`local`), or truly UTC."""
        when = dates.parse_date(created, self.site.time_zone) if isinstance(created, str) else None
        if when is None:
            raise PageChanged("published_at", "record.created_date", repr(created), url)
        labelled = parse_labelled_time(created)
        if self.site.created_date == "utc" or labelled is None:
            return when
        return dates.ParsedDate(
            dates.convert_to_zone(labelled.replace(tzinfo=None), self.site.time_zone), when.precision, when.raw
        )

    def list_images(self, record: dict[str, Any], lines: list[blocks.Block]) -> tuple[Image, ...]:
        """The lead picture and the body's, absolute; pictures are named, never downloaded."""
        caption = clean.clean_line_or_none(clean.decode_entities(record.get("alt_image") or ""))
        found = [Image(url=self.make_absolute_url(record.get("heropic")), caption=caption)]
        found += [
            Image(url=self.make_absolute_url(line.source), caption=line.text or None)
            for line in lines
            if line.tag == "img"
        ]
        return tuple(image for image in found if image.url)

    def check_time_zone(self, articles: list[Article]) -> tuple[str, ...]:
        """The live check of `created_date`: read as UTC, an item later than the answer's own Date proves wall time."""
        answered = dates.parse_date(self.snapshot.headers.get("date", ""), UTC)
        for article in articles if answered else ():
            labelled = parse_labelled_time(article.published_raw or "")
            if answered and labelled and labelled > answered.at:
                said = "as set" if self.site.created_date == "local" else "but the setting created_date says 'utc'"
                return (
                    f"created_date is Astana wall time ({said}): {article.id} says {article.published_raw}, "
                    f"later than the answer's Date {answered.at.isoformat()}",
                )
        return ()


def parse_labelled_time(created: str) -> datetime | None:
    """The moment a `created_date` would be if its label (`Z`, `+00:00`) were true; None without a label."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class RenderedList(ListingPage):
    """The list as a browser shows it: cards with a link and a day (H)."""

    CARD_LINKS = ".card-news-list__item a[href*='/press/news/details/']"

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """HTML with at least one card."""
        return snapshot.kind == "html" and "card-news-list__item" in snapshot.text

    def list_addresses(self) -> list[str]:
        """The cards' links."""
        return self.root.css(self.CARD_LINKS).xpath("@href").getall()
