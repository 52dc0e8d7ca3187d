"""Page and ArticlePage: one page object reads one snapshot. `read_snapshot` chooses the page class.

A page class is valid as long as the site has the shape that it knows. After a redesign a new class comes after it, and
the old one gets an `until` date, so that old snapshots can still be read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar

from parsel import Selector

from crawler.config.source_definition import FieldRules, SiteDefinition
from crawler.errors import CrawlerError, NotAnArticle, PageChanged, SourceError, Unreachable
from crawler.items import Article, ArticleFlag, PageStructure, Rights
from crawler.pages import blocks, structure
from crawler.pages.blocks import Block
from crawler.pages.boilerplate import remove_boilerplate
from crawler.pages.doubts import flag_doubts
from crawler.pages.markup import parse_document
from crawler.pages.refusal import is_javascript_shell, make_shell_error, raise_if_refused
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text import dates
from crawler.text.cleaning import clean_line_or_none
from crawler.text.decoding import guess_readable_text, is_damaged_as_a_whole
from crawler.text.language import detect_language
from crawler.text.urls import resolve_url

STORED_URL_PREFIX = "stored://sha256/"
"""The URL of a page that was stored without its URL."""
DIGEST_ID_LENGTH = 16
MAX_QUOTED_CHARACTERS = 160
"""Characters of an unexpected exception in the problem of a page."""

logger = logging.getLogger(__name__)


class Page:
    """One snapshot read by one page class. Subclasses define `can_read` and `read`."""

    until: ClassVar[date | None] = None
    """The day (UTC) from which the site no longer has this shape, None while it has."""
    is_complete: ClassVar[bool] = True
    """False for a capture that never has all fields, such as the text of the body alone."""

    def __init__(self, snapshot: Snapshot, site: Site) -> None:
        self.snapshot = snapshot
        self.site = site
        self.provenance: dict[str, str] = {}
        self.field_nodes: dict[str, Any] = {}

    @classmethod
    def is_retired(cls, time: datetime) -> bool:
        """Return whether the site no longer has this shape at a time (aware)."""
        return cls.until is not None and time.astimezone(UTC).date() >= cls.until

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Return whether this class knows the snapshot's shape."""
        raise NotImplementedError

    def read(self) -> Reading:
        """Return the page's articles and links. Raises SourceError when the page has another shape."""
        raise NotImplementedError

    @cached_property
    def root(self) -> Selector:
        """The page's HTML as a parsel Selector."""
        return Selector(root=parse_document(self.snapshot.text), type="html")

    @cached_property
    def blocks(self) -> list[Block]:
        """The lines of the page."""
        if self.snapshot.kind == "text":
            return blocks.parse_text(self.snapshot.text)
        return blocks.parse_html(self.root.root)

    def select_one(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """Return the only element that `css` selects. Raises PageChanged when it selects none or several."""
        found = (within or self.root).css(css)
        if len(found) != 1:
            raise self.make_changed_error(field, css, "nothing" if not found else f"{len(found)} of them")
        self.field_nodes[field] = (found[0].root,)
        return found[0]

    def select_first(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """Return the first element that `css` selects. Raises PageChanged when it selects none."""
        found = (within or self.root).css(css)
        if not found:
            raise self.make_changed_error(field, css, "nothing")
        self.field_nodes[field] = (found[0].root,)
        return found[0]

    def get_text(self, node: Selector) -> str | None:
        """Return the text of an element that a reader sees as one line, or None where there is none."""
        return blocks.join_lines(blocks.parse_html(node.root)) or None

    def make_changed_error(self, field: str, selector: str, found: str) -> PageChanged:
        """Return the error for a field that is not where this class looks for it."""
        return PageChanged(field, selector, found, self.snapshot.url, repair=make_repair_advice(self.site, field))

    def record_rule(self, field: str, rule: str) -> None:
        """Record in the provenance which rule found a field."""
        self.provenance[field] = f"{type(self).__name__}:{rule}"

    def record_lines(self, field: str, lines: Sequence[Block]) -> None:
        """Record in which elements the lines of a field are. `select_one` and `select_first` do this themselves.

        Images do not count. Use the parent of a paragraph, so that bodies of one and of many paragraphs have the same
        path.
        """
        lines = [line for line in lines if not line.is_image]
        if lines and lines[0].node is not None:
            ends = (lines[0].node, lines[-1].node)
            self.field_nodes[field] = tuple(
                node.getparent() if node.tag in structure.PARAGRAPH_TAGS else node for node in ends
            )

    def make_structure(self, reading: Reading) -> PageStructure | None:
        """Return the structure of the page that was read, or None for plain text, which has none."""
        kind, name = self.snapshot.kind, type(self).__name__
        paths = {field: place for field, place in self.field_nodes.items() if isinstance(place, str)}
        if kind == "json":
            return PageStructure(page=name, paths=paths, template=structure.hash_json(self.snapshot.json))
        if kind == "xml":
            return PageStructure(page=name, paths=paths, template=structure.hash_xml(self.snapshot.text))
        if kind != "html":
            return None
        root = self.root.root
        nodes = {field: place for field, place in self.field_nodes.items() if not isinstance(place[0], str)}
        paths |= {field: structure.format_path(place) for field, place in nodes.items()}
        if reading.links and (
            path := structure.find_link_path(root, lambda href: self.resolve_article_link(href) in reading.links)
        ):
            paths["links"] = path
        text = [structure.find_common_ancestor(nodes["body"])] if "body" in nodes else []
        return PageStructure(page=name, paths=paths, template=structure.hash_html(root, text))

    def resolve_article_link(self, href: str) -> str | None:
        """Return the canonical URL of the article that a link leads to, or None for any other link."""
        url = resolve_url(href, self.base_url)
        address = self.site.identify(url) if url else None
        return address.url if address else None

    @cached_property
    def base_url(self) -> str:
        """The URL against which the page's addresses are resolved: that of `<base href>`, or the page's own."""
        bases = self.root.root.iter("base") if self.snapshot.kind == "html" else ()
        base = next((href for node in bases if (href := node.get("href")) is not None), None)
        return resolve_url(base, self.snapshot.url) or self.snapshot.url

    def make_absolute_url(self, address: str | None) -> str | None:
        """Return an address of the page as an absolute http(s) URL, None where it is none.

        Addresses in data, and in pages that were stored without their URL, are on the site's public origin.
        """
        is_own = self.snapshot.kind == "html" and self.base_url.startswith("http")
        return resolve_url(address, self.base_url if is_own else self.site.origin)

    def parse_date(self, field: str, raw: str, selector: str) -> dates.ParsedDate:
        """Return the date that `raw` is, read as wall time in the site's zone. Raises PageChanged when it is none."""
        parsed = dates.parse_date(raw, self.site.time_zone)
        if parsed is None:
            raise self.make_changed_error(field, selector, repr(raw[:60]))
        return parsed

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """Return the article's public URL. A source whose URLs name a language names the text's own."""
        return url

    def get_requested_language(self) -> str | None:
        """Return the language in which the page was requested, or None where the request names none."""
        address = self.site.identify(self.snapshot.url)
        return address.language if address else None

    def find_language(self, text: str) -> str | None:
        """Return the language of an article's text, or None where the text does not show it."""
        return detect_language(text)

    def list_flags(self, *, is_shortened: bool) -> Iterator[ArticleFlag]:
        """Yield the flags of an article that depend on its page. `is_shortened`: lines of the page were removed."""
        if is_shortened:
            yield ArticleFlag.BOILERPLATE_REMOVED
        if self.snapshot.is_cut_off and self.snapshot.kind != "json":  # JSON that can be parsed is whole
            yield ArticleFlag.CUT_OFF

    def make_rights(self, wording: str | None = None) -> Rights:
        """Return the source's rights, with the page's own wording where it has one."""
        return replace(self.site.rights, wording=wording, source=self.snapshot.url) if wording else self.site.rights


class ArticlePage(Page):
    """A page that is one article. Subclasses define `extract_fields`."""

    def extract_fields(self) -> dict[str, Any]:
        """Return the article's fields, `body` as a list of Blocks. Fields that the page lacks may be absent.

        Images among the blocks and boilerplate are removed later.
        """
        raise NotImplementedError

    def read(self) -> Reading:
        """Return the one article of the page."""
        return Reading(page_class=type(self).__name__, articles=(self.read_article(),), entry_count=1)

    def read_article(self) -> Article:
        """Return the article, identified by its URL and the language of its text."""
        fields = self.extract_fields()
        address = self.site.identify(self.snapshot.url) or identify_by_digest(self.snapshot)
        if address is None:
            raise NotAnArticle(f"{self.snapshot.url} is not an article of {self.site.name}.")
        return make_article(self, address.native_id, address.url, fields)


def identify_by_digest(snapshot: Snapshot) -> ArticleAddress | None:
    """Return the address of a page that was stored without its URL (`stored://sha256/…`): the hash of its bytes."""
    if snapshot.url.startswith(STORED_URL_PREFIX):
        digest = snapshot.url.removeprefix(STORED_URL_PREFIX)
        return ArticleAddress(f"sha256-{digest[:DIGEST_ID_LENGTH]}", snapshot.url)
    return None


def make_repair_advice(site: Site, field: str) -> str:
    """Return which setting of a source without code mends a field, or "" for a source with code."""
    if not isinstance(site.definition, SiteDefinition):
        return ""
    setting = f"`[fields.{field}]`" if field in FieldRules.model_fields else "`links`" if field == "links" else "it"
    return f"Correct {setting} in sources/{site.name}.toml: docs/add-a-source.md shows how."


def name_stored_file(message: str, url: str, name: object) -> str:
    """Return a message with a file's name in place of the URL of a page that was stored without its URL."""
    return message.replace(url, str(name)) if url.startswith(STORED_URL_PREFIX) else message


def make_article(page: Page, native_id: str, url: str, fields: dict[str, Any]) -> Article:
    """Return an Article from a page's fields. Its language is detected from the text, whatever the URL names.

    Blocks are clean already; other fields may come from a page's data, and are cleaned here.
    """
    lines = [line for line in fields.pop("body") if not line.is_image]
    fields = {name: clean_line_or_none(value) if isinstance(value, str) else value for name, value in fields.items()}
    kept = remove_boilerplate(lines)
    body = "\n".join(line.text for line in kept)
    if not body:
        raise page.make_changed_error("body", "paragraphs", "none")
    requested = page.get_requested_language()
    text = f"{fields.get('title') or ''}\n{body}"
    if is_damaged_as_a_whole(body):
        text = guess_readable_text(text)
    language = page.find_language(text) or (None if text else requested)
    requested = None if requested == language else requested
    page.record_rule(
        "language", f"letters of the text, asked for as {requested}" if requested else "letters of the text"
    )
    article = Article(
        id=f"{page.site.name}:{native_id}:{language or 'und'}",
        source=page.site.name,
        url=page.make_public_url(native_id, url, language),
        body=body,
        language=language,
        fetched_at=page.snapshot.fetched_at,
        snapshot=page.snapshot.ref,
        rights=fields.pop("rights", page.site.rights),
        provenance=dict(page.provenance),
        requested_language=requested,
        flags=tuple(page.list_flags(is_shortened=len(kept) < len(lines))),
        **fields,
    )
    if page.is_complete:
        for name in page.site.required_fields:
            if not getattr(article, name):
                where, repair = f"always present ({type(page).__name__})", make_repair_advice(page.site, name)
                raise PageChanged(name, where, "nothing", url, repair=repair)
    return flag_doubts(article, page.snapshot.fetched_at)


def read_snapshot(snapshot: Snapshot, site: Site) -> Reading:
    """Read a snapshot by the first of the site's page classes that knows its shape.

    Raises Blocked, Unreachable or PageChanged for a page that is none of them, NotAnArticle for a page that rightly
    has no article. An unexpected exception becomes PageChanged, so that one page never ends a run. A page that is cut
    off and therefore has no known shape raises Unreachable.
    """
    try:
        return _read_whole_or_part(snapshot, site)
    except PageChanged as error:
        if not snapshot.is_cut_off:
            raise
        message = f"{snapshot.url}: the answer is cut off after {len(snapshot.body)} bytes. Try again later."
        raise Unreachable(message, url=snapshot.url) from error


def _read_whole_or_part(snapshot: Snapshot, site: Site) -> Reading:
    try:
        page_class = find_page_class(snapshot, site)
        if page_class is not None:
            page = page_class(snapshot, site)
            reading = page.read()
            return replace(reading, make_structure=lambda: page.make_structure(reading))
    except CrawlerError:
        raise
    except Exception as error:
        raise make_reading_error(error, "page", snapshot.url) from error
    if is_javascript_shell(snapshot):
        raise make_shell_error(snapshot.url)
    raise PageChanged(
        "page",
        f"a shape that {site.name} is known to have",
        f"{snapshot.kind} of {len(snapshot.body)} bytes",
        snapshot.url,
        repair=make_repair_advice(site, "page"),
    )


def find_same_article(articles: Iterable[Article], version: Article) -> Article | None:
    """Return the article of a page that a stored version is of, None if the page no longer yields it.

    The id ends with the language of the text, which today's page class may read otherwise: then the address decides.
    """
    same_id = [article for article in articles if article.id == version.id]
    same_url = [article for article in articles if article.source == version.source and article.url == version.url]
    found = [*same_id, *same_url]
    same_request = [article for article in found if article.requested_language == version.requested_language]
    return next(iter(same_request or found), None)


def make_reading_error(error: Exception, part: str, url: str) -> SourceError:
    """Return the problem of a page or record (`part`) whose reading failed. A SourceError is returned as it is.

    Raises MemoryError and OSError again, which are faults of the machine, and other deliberate errors.
    """
    if isinstance(error, SourceError):
        return error
    if isinstance(error, CrawlerError | MemoryError | OSError):
        raise error
    logger.debug("%s cannot be read", url, exc_info=error)
    found = f"{type(error).__name__}: {error}"[:MAX_QUOTED_CHARACTERS]
    return PageChanged(part, f"a readable {part}", found, url)


def find_page_class(snapshot: Snapshot, site: Site) -> type[Page] | None:
    """Return the first of the site's page classes that knows the snapshot's shape, or None.

    Raises the error for a refusal, an outage or a page that is gone, and NotAnArticle for a known page without article.
    """
    raise_if_refused(snapshot)
    if site.non_article_pattern and site.non_article_pattern.search(snapshot.url):
        raise NotAnArticle(f"{snapshot.url} is a page of {site.name} that is no article.")
    for page_class in site.page_classes:
        if snapshot.fetched_at and page_class.is_retired(snapshot.fetched_at):
            continue
        if page_class.can_read(snapshot, site):
            return page_class
    return None
