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
from crawler.extract import blocks, refusal, shape
from crawler.extract.blocks import Block
from crawler.extract.site import Address, Reading, Site
from crawler.items import Article, Rights, Shape
from crawler.snapshot import Snapshot
from crawler.text import clean, dates, language

ASKED = "letters of the text, asked for as "
"""Where a language was found to be another than the one asked for, by this and the language asked for."""


class Page:
    """One snapshot read by one class. Subclasses give `accepts` and `read`."""

    until: ClassVar[date | None] = None
    """The day (UTC) from which the site no longer has this shape, None while it has."""

    def __init__(self, snapshot: Snapshot, site: Site) -> None:
        self.snapshot = snapshot
        self.site = site
        self.provenance: dict[str, str] = {}
        self.places: dict[str, Any] = {}

    @classmethod
    def is_over(cls, at: datetime) -> bool:
        """Whether the site no longer has this shape at a moment (aware)."""
        return cls.until is not None and at.astimezone(UTC).date() >= cls.until

    @classmethod
    def accepts(cls, snapshot: Snapshot, site: Site) -> bool:
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
            return blocks.of_text(self.snapshot.text)
        return blocks.of_html(self.root.root)

    def one(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """The only element that `css` selects; PageChanged when it selects none or several."""
        found = (within or self.root).css(css)
        if len(found) != 1:
            raise self.changed(field, css, "nothing" if not found else f"{len(found)} of them")
        self.places[field] = (found[0].root,)
        return found[0]

    def first(self, field: str, css: str, within: Selector | None = None) -> Selector:
        """The first element that `css` selects; PageChanged when it selects none."""
        found = (within or self.root).css(css)
        if not found:
            raise self.changed(field, css, "nothing")
        self.places[field] = (found[0].root,)
        return found[0]

    def text_of(self, node: Selector) -> str | None:
        """The element's text as one clean line, None for nothing."""
        return clean.line_or_none("".join(node.root.itertext()))

    def changed(self, field: str, selector: str, found: str) -> PageChanged:
        """The error for a field that is not where the class looks for it."""
        return PageChanged(field, selector, found, self.snapshot.url)

    def note(self, field: str, rule: str) -> None:
        """Keep which rule gave a field."""
        self.provenance[field] = f"{type(self).__name__}:{rule}"

    def stands(self, field: str, lines: Sequence[Block]) -> None:
        """Keep which lines gave a field; `one` and `first` keep it by themselves.

        A paragraph stands for what it is in: so a text of one has the path of a text of many.
        """
        if lines and lines[0].node is not None:
            ends = (lines[0].node, lines[-1].node)
            self.places[field] = tuple(node.getparent() if node.tag in shape.PARAGRAPHS else node for node in ends)

    def shape(self, found: Reading) -> Shape | None:
        """The page's structure, once it was read; None for a text, which has none."""
        kind, name = self.snapshot.kind, type(self).__name__
        paths = {field: place for field, place in self.places.items() if isinstance(place, str)}
        if kind == "json":
            return Shape(page=name, paths=paths, template=shape.of_json(self.snapshot.json))
        if kind == "xml":
            return Shape(page=name, paths=paths, template=shape.of_xml(self.snapshot.text))
        if kind != "html":
            return None
        nodes = {field: place for field, place in self.places.items() if not isinstance(place[0], str)}
        paths |= {field: shape.path(place) for field, place in nodes.items()}
        if found.links and (path := shape.links(self.root.root, lambda href: self.listed(href) in found.links)):
            paths["links"] = path
        text = [shape.innermost(nodes["body"])] if "body" in nodes else []
        return Shape(page=name, paths=paths, template=shape.of_html(self.root.root, text))

    def listed(self, href: str) -> str | None:
        """The article's address that a link leads to, None for another's."""
        address = self.site.identify(urljoin(self.snapshot.url, href.strip()))
        return address.url if address else None

    def absolute(self, address: str | None) -> str | None:
        """An address as the site meant it, absolute on the public origin."""
        return urljoin(self.site.origin, address.strip()) if address and address.strip() else None

    def date(self, field: str, raw: str, selector: str) -> dates.When:
        """The date that `raw` is, wall time in the site's zone; PageChanged when it is none."""
        when = dates.read(raw, self.site.zone)
        if when is None:
            raise self.changed(field, selector, repr(raw[:60]))
        return when

    def public(self, native_id: str, url: str, spoken: str | None) -> str:
        """The article's public address; sources whose addresses name a language give the one of its text."""
        return url

    def asked(self) -> str | None:
        """The language that the page was asked for in, None where nothing says it."""
        address = self.site.identify(self.snapshot.url)
        return address.language if address else None

    def rights(self, wording: str | None = None) -> Rights:
        """The source's rights, with the page's own wording where it has one."""
        return replace(self.site.rights, wording=wording, source=self.snapshot.url) if wording else self.site.rights


class ListingPage(Page):
    """A page that lists articles: a feed, a section, an archive page. Its links are canonical article addresses."""

    def addresses(self) -> list[str]:
        """Every address on the page that may be an article's, as written."""
        raise NotImplementedError

    def read(self) -> Reading:
        """The article addresses in page order, each once; PageChanged when there is none."""
        found: dict[str, None] = {}
        for written in self.addresses():
            if url := self.listed(written):
                found.setdefault(url)
        if not found:
            raise self.changed("links", "addresses of articles", "none")
        return Reading(page=type(self).__name__, links=tuple(found), entries=len(found))


class ArticlePage(Page):
    """A page that is one article. Subclasses give `fields`."""

    whole: ClassVar[bool] = True
    """False for a capture that never has all fields (a text rendering of the body alone)."""

    def fields(self) -> dict[str, Any]:
        """The article's fields, `body` as a list of paragraphs; fields that are not there may be left out."""
        raise NotImplementedError

    def read(self) -> Reading:
        """The one article of the page."""
        return Reading(page=type(self).__name__, articles=(self.article(),), entries=1)

    def article(self) -> Article:
        """The article, identified by its address and the language of its text."""
        fields = self.fields()
        address = self.site.identify(self.snapshot.url) or unaddressed(self.snapshot)
        if address is None:
            raise NotAnArticle(f"{self.snapshot.url} is no address of an article of {self.site.name}.")
        return build(self, address.native_id, address.url, fields)


def unaddressed(snapshot: Snapshot) -> Address | None:
    """The identity of a page kept without its address (`stored://sha256/…`): its bytes'."""
    if snapshot.url.startswith("stored://sha256/"):
        return Address(f"sha256-{snapshot.url.rpartition('/')[2][:16]}", snapshot.url)
    return None


def build(page: Page, native_id: str, url: str, fields: dict[str, Any]) -> Article:
    """An Article from a page's fields; the language is the text's own, whatever the address says."""
    body = "\n".join(fields.pop("body"))
    if not body:
        raise page.changed("body", "paragraphs", "none")
    spoken = language.detect(f"{fields.get('title') or ''}\n{body}")
    asked = page.asked()
    page.note("language", "letters of the text" if asked in (None, spoken) else ASKED + str(asked))
    article = Article(
        id=f"{page.site.name}:{native_id}:{spoken or 'und'}",
        source=page.site.name,
        url=page.public(native_id, url, spoken),
        body=body,
        language=spoken,
        fetched_at=page.snapshot.fetched_at,
        snapshot=page.snapshot.ref,
        rights=fields.pop("rights", page.site.rights),
        provenance=dict(page.provenance),
        **fields,
    )
    if getattr(page, "whole", True):
        for name in page.site.always:
            if not getattr(article, name):
                raise PageChanged(name, f"always present ({type(page).__name__})", "nothing", url)
    return article


def untranslated(article: Article) -> str | None:
    """The language an article was asked for in, if its text is in another; None for an article in its own language."""
    _, _, asked = article.provenance.get("language", "").partition(ASKED)
    return asked or None


def read(snapshot: Snapshot, site: Site) -> Reading:
    """Read a snapshot by the first of the site's page classes that knows its shape.

    Raises Blocked, Unreachable or PageChanged for what the page is instead, NotAnArticle for what rightly is none.
    """
    page_class = class_of(snapshot, site)
    if page_class is not None:
        page = page_class(snapshot, site)
        found = page.read()
        return replace(found, shape=lambda: page.shape(found))
    if refusal.is_shell(snapshot):
        raise refusal.shell(snapshot.url)
    raise PageChanged(
        "page",
        f"a shape that {site.name} is known to have",
        f"{snapshot.kind} of {len(snapshot.body)} bytes",
        snapshot.url,
    )


def class_of(snapshot: Snapshot, site: Site) -> type[Page] | None:
    """The first of the site's page classes that knows the snapshot's shape, None when none does.

    Raises what the snapshot is, if it is no page.
    """
    refusal.check(snapshot)
    if site.no_article and site.no_article.search(snapshot.url):
        raise NotAnArticle(f"{snapshot.url} is a page of {site.name} that is no article.")
    for page in site.pages:
        if snapshot.fetched_at and page.is_over(snapshot.fetched_at):
            continue
        if page.accepts(snapshot, site):
            return page
    return None
