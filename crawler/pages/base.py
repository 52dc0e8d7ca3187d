"""Page: one reading of one snapshot. A source's page classes say where its fields stand; this says how they are asked.

A page class lives as long as the shape it knows: when a site is redesigned, a new class is added behind it and the old
one gets an `until` date, so that old snapshots can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urljoin

from parsel import Selector

from crawler.errors import NotAnArticle, PageChanged
from crawler.items import Article, PageStructure, Rights
from crawler.pages import blocks, refusal
from crawler.pages import structure as shape
from crawler.pages.blocks import Block
from crawler.pages.site import ArticleAddress, Reading, Site
from crawler.pages.snapshot import Snapshot
from crawler.text import cleaning as clean
from crawler.text import dates, language

REQUESTED_LANGUAGE_NOTE = "letters of the text, asked for as "
"""Where a language was found to be another than the one asked for, by this and the language asked for."""


class Page:
    """One snapshot read by one class. Subclasses give `accepts` and `read`."""

    until: ClassVar[date | None] = None
    """The day (UTC) from which the site no longer has this shape, None while it has."""

    def __init__(self, snapshot: Snapshot, site: Site) -> None:
        self.snapshot = snapshot
        self.site = site
        self.provenance: dict[str, str] = {}
        self.field_nodes: dict[str, Any] = {}

    @classmethod
    def is_retired(cls, time: datetime) -> bool:
        """Whether the site no longer has this shape at a moment (aware)."""
        return cls.until is not None and time.astimezone(UTC).date() >= cls.until

    @classmethod
    def can_read(cls, snapshot: Snapshot, site: Site) -> bool:
        """Whether this class knows the snapshot's shape."""
        raise NotImplementedError

    def read(self) -> Reading:
        """The page's articles and links; SourceError when the page is not what the class knows."""
        raise NotImplementedError

    @cached_property
    def root(self) -> Selector:
        """The page as a parsel Selector over its HTML."""
        return Selector(text=self.snapshot.text, type="html")

    @cached_property
    def blocks(self) -> list[Block]:
        """The page as its lines."""
        if self.snapshot.kind == "text":
            return blocks.parse_text(self.snapshot.text)
        return blocks.parse_html(self.root.root)

    def select_one(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """The only element that `css` selects; PageChanged when it selects none or several."""
        found = (within or self.root).css(css)
        if len(found) != 1:
            raise self.make_changed_error(field, css, "nothing" if not found else f"{len(found)} of them")
        self.field_nodes[field] = (found[0].root,)
        return found[0]

    def select_first(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """The first element that `css` selects; PageChanged when it selects none."""
        found = (within or self.root).css(css)
        if not found:
            raise self.make_changed_error(field, css, "nothing")
        self.field_nodes[field] = (found[0].root,)
        return found[0]

    def get_text(self, node: Selector) -> str | None:
        """The element's text as one clean line, None for nothing."""
        return clean.clean_line_or_none("".join(node.root.itertext()))

    def make_changed_error(self, field: str, selector: str, found: str) -> PageChanged:
        """The error for a field that is not where the class looks for it."""
        return PageChanged(field, selector, found, self.snapshot.url)

    def record_rule(self, field: str, rule: str) -> None:
        """Keep which rule gave a field."""
        self.provenance[field] = f"{type(self).__name__}:{rule}"

    def record_lines(self, field: str, lines: Sequence[Block]) -> None:
        """Keep which lines gave a field; `one` and `first` keep it by themselves.

        A paragraph stands for what it is in: so a text of one has the path of a text of many.
        """
        if lines and lines[0].node is not None:
            ends = (lines[0].node, lines[-1].node)
            self.field_nodes[field] = tuple(
                node.getparent() if node.tag in shape.PARAGRAPH_TAGS else node for node in ends
            )

    def make_structure(self, reading: Reading) -> PageStructure | None:
        """The page's structure, once it was read; None for a text, which has none."""
        kind, name = self.snapshot.kind, type(self).__name__
        paths = {field: place for field, place in self.field_nodes.items() if isinstance(place, str)}
        if kind == "json":
            return PageStructure(page=name, paths=paths, template=shape.hash_json(self.snapshot.json))
        if kind == "xml":
            return PageStructure(page=name, paths=paths, template=shape.hash_xml(self.snapshot.text))
        if kind != "html":
            return None
        nodes = {field: place for field, place in self.field_nodes.items() if not isinstance(place[0], str)}
        paths |= {field: shape.format_path(place) for field, place in nodes.items()}
        if reading.links and (
            path := shape.find_link_path(self.root.root, lambda href: self.resolve_article_link(href) in reading.links)
        ):
            paths["links"] = path
        text = [shape.find_common_ancestor(nodes["body"])] if "body" in nodes else []
        return PageStructure(page=name, paths=paths, template=shape.hash_html(self.root.root, text))

    def resolve_article_link(self, href: str) -> str | None:
        """The article's address that a link leads to, None for another's."""
        address = self.site.identify(urljoin(self.snapshot.url, href.strip()))
        return address.url if address else None

    def make_absolute_url(self, address: str | None) -> str | None:
        """An address as the site meant it, absolute on the public origin."""
        return urljoin(self.site.origin, address.strip()) if address and address.strip() else None

    def parse_date(self, field: str, raw: str, selector: str) -> dates.ParsedDate:
        """The date that `raw` is, wall time in the site's zone; PageChanged when it is none."""
        when = dates.parse_date(raw, self.site.time_zone)
        if when is None:
            raise self.make_changed_error(field, selector, repr(raw[:60]))
        return when

    def make_public_url(self, native_id: str, url: str, text_language: str | None) -> str:
        """The article's public address; sources whose addresses name a language give the one of its text."""
        return url

    def get_requested_language(self) -> str | None:
        """The language that the page was asked for in, None where nothing says it."""
        address = self.site.identify(self.snapshot.url)
        return address.language if address else None

    def make_rights(self, wording: str | None = None) -> Rights:
        """The source's rights, with the page's own wording where it has one."""
        return replace(self.site.rights, wording=wording, source=self.snapshot.url) if wording else self.site.rights


class ListingPage(Page):
    """A page that lists articles: a feed, a section, an archive page. Its links are canonical article addresses."""

    def list_addresses(self) -> list[str]:
        """Every address on the page that may be an article's, as written."""
        raise NotImplementedError

    def read(self) -> Reading:
        """The article addresses in page order, each once; PageChanged when there is none."""
        found: dict[str, None] = {}
        for written in self.list_addresses():
            if url := self.resolve_article_link(written):
                found.setdefault(url)
        if not found:
            raise self.make_changed_error("links", "addresses of articles", "none")
        return Reading(page_class=type(self).__name__, links=tuple(found), entry_count=len(found))


class ArticlePage(Page):
    """A page that is one article. Subclasses give `fields`."""

    is_complete: ClassVar[bool] = True
    """False for a capture that never has all fields (a text rendering of the body alone)."""

    def extract_fields(self) -> dict[str, Any]:
        """The article's fields, `body` as a list of paragraphs; fields that are not there may be left out."""
        raise NotImplementedError

    def read(self) -> Reading:
        """The one article of the page."""
        return Reading(page_class=type(self).__name__, articles=(self.read_article(),), entry_count=1)

    def read_article(self) -> Article:
        """The article, identified by its address and the language of its text."""
        fields = self.extract_fields()
        address = self.site.identify(self.snapshot.url) or identify_by_digest(self.snapshot)
        if address is None:
            raise NotAnArticle(f"{self.snapshot.url} is no address of an article of {self.site.name}.")
        return make_article(self, address.native_id, address.url, fields)


def identify_by_digest(snapshot: Snapshot) -> ArticleAddress | None:
    """The identity of a page kept without its address (`stored://sha256/…`): its bytes'."""
    if snapshot.url.startswith("stored://sha256/"):
        return ArticleAddress(f"sha256-{snapshot.url.rpartition('/')[2][:16]}", snapshot.url)
    return None


def make_article(page: Page, native_id: str, url: str, fields: dict[str, Any]) -> Article:
    """An Article from a page's fields; the language is the text's own, whatever the address says."""
    body = "\n".join(fields.pop("body"))
    if not body:
        raise page.make_changed_error("body", "paragraphs", "none")
    spoken = language.detect_language(f"{fields.get('title') or ''}\n{body}")
    asked = page.get_requested_language()
    page.record_rule(
        "language", "letters of the text" if asked in (None, spoken) else REQUESTED_LANGUAGE_NOTE + str(asked)
    )
    article = Article(
        id=f"{page.site.name}:{native_id}:{spoken or 'und'}",
        source=page.site.name,
        url=page.make_public_url(native_id, url, spoken),
        body=body,
        language=spoken,
        fetched_at=page.snapshot.fetched_at,
        snapshot=page.snapshot.ref,
        rights=fields.pop("rights", page.site.rights),
        provenance=dict(page.provenance),
        **fields,
    )
    if getattr(page, "whole", True):
        for name in page.site.required_fields:
            if not getattr(article, name):
                raise PageChanged(name, f"always present ({type(page).__name__})", "nothing", url)
    return article


def get_missing_translation(article: Article) -> str | None:
    """The language an article was asked for in, if its text is in another; None for an article in its own language."""
    _, _, asked = article.provenance.get("language", "").partition(REQUESTED_LANGUAGE_NOTE)
    return asked or None


def read_snapshot(snapshot: Snapshot, site: Site) -> Reading:
    """Read a snapshot by the first of the site's page classes that knows its shape.

    Raises Blocked, Unreachable or PageChanged for what the page is instead, NotAnArticle for what rightly is none.
    """
    page_class = find_page_class(snapshot, site)
    if page_class is not None:
        page = page_class(snapshot, site)
        found = page.read()
        return replace(found, shape=lambda: page.make_structure(found))
    if refusal.is_javascript_shell(snapshot):
        raise refusal.make_shell_error(snapshot.url)
    raise PageChanged(
        "page",
        f"a shape that {site.name} is known to have",
        f"{snapshot.kind} of {len(snapshot.body)} bytes",
        snapshot.url,
    )


def find_page_class(snapshot: Snapshot, site: Site) -> type[Page] | None:
    """The first of the site's page classes that knows the snapshot's shape, None when none does.

    Raises what the snapshot is, if it is no page.
    """
    refusal.raise_if_refused(snapshot)
    if site.non_article_pattern and site.non_article_pattern.search(snapshot.url):
        raise NotAnArticle(f"{snapshot.url} is a page of {site.name} that is no article.")
    for page in site.page_classes:
        if snapshot.fetched_at and page.is_retired(snapshot.fetched_at):
            continue
        if page.can_read(snapshot, site):
            return page
    return None
