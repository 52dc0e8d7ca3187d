"""gov.kz, the portal of Kazakhstan's ministries: answers of its data interface, and its list pages.

Facts from public code and data up to late 2026, not from the live site (H, M, L = confidence high, medium, low):

* `POST /graphql` answers `{"data": {"news": [record, …]}}` (H).
* `GET /api/v1/public/content-manager/news` answers a bare array of the same records. It is closed since 2021 (H).
* A record's `id` and `created_date` are strings. `body`, `heropic`, `short_description`, `alt_image` may be null (H).
* One id serves all languages. What the site answers where a translation is missing is unknown, so the language is
  detected from the text.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from crawler.errors import PageChanged, SourceError, Unreachable
from crawler.items import Article, Image
from crawler.pages.base import Page, make_article
from crawler.pages.blocks import Block, join_lines, parse_markup, read_line
from crawler.pages.boilerplate import is_boilerplate
from crawler.pages.doubts import lacks_end
from crawler.pages.listing import ListingPage
from crawler.pages.press_release import find_dateline_place, split_attribution
from crawler.pages.records import RecordReader
from crawler.pages.refusal import is_javascript_shell, make_shell_error
from crawler.pages.site import Finding, Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text.cleaning import clean_line_or_none, decode_entities
from crawler.text.dates import ParsedDate, convert_to_zone, parse_date

DETAILS_PATTERN = re.compile(r"/memleket/entities/(?P<project>[\w-]+)/press/news/details/(?P<id>[0-9]{1,12})(?![\w-])")
SCHEMA_ERROR_PATTERN = re.compile(
    r"cannot query field|unknown (?:argument|type|field)|syntax error|not defined by type", re.IGNORECASE
)
"""GraphQL messages that mean a changed schema. Any other message is a temporary fault."""
ID_PATTERN = re.compile(r"[0-9]{1,12}")
REQUIRED_KEYS = ("title", "created_date", "body")
TEXT_KEYS = ("title", "body", "short_description", "heropic", "alt_image")
MAX_QUOTED_CHARACTERS = 80
MAX_ERROR_CHARACTERS = 200


class NewsAnswer(Page):
    """An answer of the data interface: up to fifty whole articles."""

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is JSON or comes from the interface's URLs."""
        path = snapshot.url.partition("?")[0]
        return snapshot.kind == "json" or path.endswith(("/graphql", "/content-manager/news"))

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """Return the URL that a reader opens: one id, `?lang=` of the text."""
        return f"{url}?lang={text_language}" if text_language else url

    def get_requested_language(self) -> str | None:
        """Return the language of the GraphQL request, or None where the snapshot has no request."""
        try:
            request = json.loads(self.snapshot.payload or b"null")
        except ValueError:
            return None
        variables = request.get("variables") if isinstance(request, dict) else None
        return variables.get("lang") if isinstance(variables, dict) else None

    def read(self) -> Reading:
        """Return an article for every complete record. A broken record is a problem and does not affect the others."""
        reader = RecordReader(self, "record", "has no text yet")
        articles: dict[str, Article] = {}
        records = self.list_records()
        for record in records:
            article = reader.read(self.make_record_url(record), partial(self.read_new_record, record, articles))
            if article is not None:
                articles[article.id] = article
        found = list(articles.values())
        return reader.make_reading(
            found,
            entry_count=len(records),
            native_ids=[native_id for record in records if (native_id := find_record_id(record))],
            findings=self.check_time_zone(found),
        )

    def read_new_record(self, record: Any, articles: Mapping[str, Article]) -> Article | None:
        """Return the article of a record. Raise PageChanged for a second record of its id that differs.

        The same record twice says nothing new. Two that differ would be two versions of one time.
        """
        article = self.read_record(record)
        if article is not None and articles.get(article.id, article) != article:
            raise PageChanged("id", "one record of this id and language", "a second one", article.url)
        return article

    def list_records(self) -> list[Any]:
        """Return the records of a GraphQL or REST answer. Raises Unreachable for temporary faults of the interface."""
        try:
            answer = self.snapshot.json
        except ValueError:
            if is_javascript_shell(self.snapshot):
                raise make_shell_error(self.snapshot.url) from None
            start = " ".join(self.snapshot.text[:MAX_QUOTED_CHARACTERS].split())
            is_beginning = start[:1] in ("{", "[") and lacks_end(self.snapshot.body, "json")
            cut_off = " (it is cut off)" if is_beginning else ""
            raise Unreachable(
                f"{self.snapshot.url} answered with something that is not JSON{cut_off}: {start!r}. Try again later.",
                url=self.snapshot.url,
            ) from None
        if isinstance(answer, list):
            return answer
        if isinstance(answer, dict) and answer.get("errors"):
            raise self.make_answer_error(answer["errors"])
        data = answer.get("data") if isinstance(answer, dict) else None
        news = data.get("news") if isinstance(data, dict) else None
        if not isinstance(news, list):
            raise self.make_changed_error("records", "data.news", repr(answer)[:MAX_QUOTED_CHARACTERS])
        return news

    def make_answer_error(self, errors: Any) -> SourceError:
        """Return PageChanged for GraphQL `errors` that mean a changed schema, else Unreachable.

        `errors` is a list of objects. A faulty server sends one object, a string or a number.
        """
        several = errors if isinstance(errors, list) else [errors]
        messages = (str(error.get("message") if isinstance(error, dict) else error) for error in several)
        message = "; ".join(messages)[:MAX_ERROR_CHARACTERS]
        if SCHEMA_ERROR_PATTERN.search(message):
            return self.make_changed_error("records", "the GraphQL query News", message)
        return Unreachable(
            f"{self.snapshot.url} answered with errors: {message}. Try again later.", url=self.snapshot.url
        )

    def make_article_url(self, native_id: str) -> str:
        """Return the article's public URL without its language."""
        return (
            f"{self.site.origin}/memleket/entities/{self.site.project or self.site.name}/press/news/details/{native_id}"
        )

    def read_record(self, record: Any) -> Article | None:
        """Return the article of a record, or None for a record without text.

        A record has no text when it is announced before it is written, or when it is a picture alone. The next run
        requests it again. Raises PageChanged for a record of another shape.
        """
        native_id, url = self.check_record(record)
        self.provenance = {}
        blocks = self.parse_markup(record["body"])
        lines, attribution = split_attribution(blocks)
        if all(line.is_image or is_boilerplate(line.text) for line in lines):
            return None
        published = self.parse_created_date(record["created_date"], url)
        self.record_sources()
        fields = {
            "title": read_line(record["title"] or "") or None,
            "lead": self.parse_lead(record.get("short_description")),
            "body": lines,
            "published_at": published.at,
            "published_raw": record["created_date"],
            "published_precision": published.precision,
            "place": find_dateline_place(lines, self.site.time_zone),
            "attribution": attribution,
            "images": self.list_images(record, blocks),
        }
        return make_article(self, native_id, url, fields)

    def check_record(self, record: Any) -> tuple[str, str]:
        """Return a record's id and its article's URL. Raises PageChanged for missing keys or values of other types."""
        native_id = find_record_id(record)
        if native_id is None:
            found = record.get("id") if isinstance(record, dict) else record
            raise self.make_changed_error("id", "record.id of 1 to 12 digits", repr(found)[:MAX_QUOTED_CHARACTERS])
        url = self.make_article_url(native_id)
        for key in REQUIRED_KEYS:
            if key not in record:
                raise PageChanged(key, f"record.{key}", "no such key", url)
        for key in TEXT_KEYS:
            if not isinstance(record.get(key), str | None):
                raise PageChanged(key, f"record.{key}", repr(record[key])[:MAX_QUOTED_CHARACTERS], url)
        return native_id, url

    def make_record_url(self, record: Any) -> str:
        """Return the URL of the record's article, or the answer's URL where the record has no valid id."""
        native_id = find_record_id(record)
        return self.make_article_url(native_id) if native_id else self.snapshot.url

    def record_sources(self) -> None:
        """Record which key of the record each field is from."""
        rules = {"title": "title", "body": "body", "lead": "short_description", "images": "heropic, body img"}
        for field, rule in rules.items():
            self.record_rule(field, rule)
        self.record_rule("published_at", f"created_date read as {self.site.created_date}")
        keys = {"title": "title", "body": "body", "lead": "short_description", "published_at": "created_date"}
        parent = "[]" if isinstance(self.snapshot.json, list) else "data.news[]"
        self.field_nodes |= {field: f"{parent}.{key}" for field, key in keys.items()}

    def parse_markup(self, body: str | None) -> list[Block]:
        """Return the lines of a body: an HTML document, bare paragraphs, or null. Some have entities encoded twice."""
        return parse_markup(body or "")

    def parse_lead(self, markup: str | None) -> str | None:
        """Return a `short_description` as one line of plain text. It may have markup."""
        return join_lines(self.parse_markup(markup)) or None

    def parse_created_date(self, created: Any, url: str) -> ParsedDate:
        """Return `created_date` as the setting reads it.

        `local`: Astana wall time that is labelled as UTC. `utc`: truly UTC.
        """
        parsed = parse_date(created, self.site.time_zone) if isinstance(created, str) else None
        if parsed is None:
            raise PageChanged("published_at", "record.created_date", repr(created), url)
        labelled = parse_labelled_time(created)
        if self.site.created_date == "utc" or labelled is None:
            return parsed
        local = convert_to_zone(labelled.replace(tzinfo=None), self.site.time_zone)
        return ParsedDate(local, parsed.precision, parsed.raw)

    def list_images(self, record: dict[str, Any], lines: list[Block]) -> tuple[Image, ...]:
        """Return the lead picture and the body's with absolute URLs. Pictures are never downloaded."""
        caption = clean_line_or_none(decode_entities(record.get("alt_image") or ""))
        images = [Image(url=self.make_absolute_url(record.get("heropic")), caption=caption)]
        images += [
            Image(url=self.make_absolute_url(line.source), caption=line.text or None) for line in lines if line.is_image
        ]
        return tuple(image for image in images if image.url)

    def check_time_zone(self, articles: list[Article]) -> tuple[Finding, ...]:
        """Return a finding when the answer proves that `created_date` is wall time.

        The proof is an article whose time, read as UTC, is later than the answer's own Date header. The finding is a
        warning when the setting says `utc`.
        """
        answered = parse_date(self.snapshot.headers.get("date", ""), UTC)
        if answered is None:
            return ()
        for article in articles:
            labelled = parse_labelled_time(article.published_raw or "")
            if labelled and labelled > answered.at:
                is_as_set = self.site.created_date == "local"
                setting = "as set" if is_as_set else "but the setting created_date says 'utc'"
                message = (
                    f"created_date is Astana wall time ({setting}): {article.id} says {article.published_raw}, "
                    f"later than the answer's Date {answered.at.isoformat()}"
                )
                return (Finding(logging.INFO if is_as_set else logging.WARNING, message),)
        return ()


def find_record_id(record: Any) -> str | None:
    """Return a record's id as text, or None where it is not 1 to 12 digits."""
    value = record.get("id") if isinstance(record, dict) else None
    if not isinstance(value, str | int) or isinstance(value, bool) or not ID_PATTERN.fullmatch(str(value)):
        return None
    return str(value)


def parse_labelled_time(created: str) -> datetime | None:
    """Return the time of a `created_date` as its label (`Z`, `+00:00`) says, or None without a label."""
    try:
        time = datetime.fromisoformat(created)
    except ValueError:
        return None
    return time if time.tzinfo else None


class RenderedList(ListingPage):
    """The list as a browser renders it: cards with a link and a day (H)."""

    CARD_LINKS = ".card-news-list__item a[href*='/press/news/details/']"

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether the snapshot is HTML with at least one card."""
        return snapshot.kind == "html" and "card-news-list__item" in snapshot.text

    def list_addresses(self) -> list[str]:
        """Return the cards' links."""
        return self.root.css(self.CARD_LINKS).xpath("@href").getall()
