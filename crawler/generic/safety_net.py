"""Read the article of a page of a new shape, if the generic reader is sure of it.

Sure means: the title is a heading of the page, two extractors confirm the text, and the page states a date. A page that
has several articles, such as kt.kz's, is read up to its second one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crawler.errors import PageChanged, UsageError
from crawler.generic.article_page import GenericArticlePage
from crawler.generic.extractors import raise_if_not_installed
from crawler.generic.headline import HEADING_WEIGHTS
from crawler.generic.page_lines import MIN_PARAGRAPH_WORDS, list_words
from crawler.items import Extraction
from crawler.pages.markup import parse_document
from crawler.pages.site import Reading, Site
from crawler.pages.snapshot import Snapshot

MIN_BODY_WORDS = 40
MIN_PARAGRAPHS = 2
"""What a text has that is surely no notice and no teaser: so many words in so many paragraphs. Shorter lines do not
count, nor does the title."""
MIN_CONFIRMATIONS = 2
"""Extractors that read almost the same text."""


def read_changed_page(snapshot: Snapshot, site: Site, error: PageChanged) -> Reading:
    """Return the reading of an article's page that raised `error`. Raise PageChanged if the reader is not sure.

    Without the extra `sites` the message says how to install it.
    """
    try:
        raise_if_not_installed()
    except UsageError as missing:
        advice = f"With the extra `sites` the generic reader reads such pages until then. {missing}"
        raise PageChanged(
            error.field, error.selector, error.found, snapshot.url, repair=error.repair, advice=advice
        ) from error
    if snapshot.kind != "html":
        raise error
    page = FirstArticlePage(snapshot, site)
    try:
        article = page.read_article()
        doubt = page.find_doubt()
    except PageChanged as failure:
        doubt = f"it finds no {failure.field}"
    if doubt:
        advice = f"The generic reader is not sure of the page: {doubt}."
        raise PageChanged(
            error.field, error.selector, error.found, snapshot.url, repair=error.repair, advice=advice
        ) from error
    article = replace(article, provenance={**article.provenance, "extraction": f"generic, because {error.field} moved"})
    return Reading(page_class=GenericArticlePage.__name__, articles=(article,), entry_count=1)


class FirstArticlePage(GenericArticlePage):
    """A changed page of a known source: only its first article counts."""

    def get_markup(self) -> str:
        """Return the page up to its second article."""
        return cut_after_first_article(self.snapshot.text)

    def extract_fields(self) -> dict[str, Any]:
        """Return the fields. Raise PageChanged for a page without a title or a text."""
        if not self.generic_article.title:
            raise self.make_changed_error("title", "the generic reader", "nothing")
        return {**self.make_generic_fields(), "extraction": Extraction.GENERIC}

    def find_doubt(self) -> str | None:
        """Return why the reading may be wrong, or None for one that is sure."""
        article = self.generic_article
        if article.evidence.get("title") not in HEADING_WEIGHTS:
            return "the title is no heading of the page"
        if not article.published_at:
            return "the page states no date"
        title = list_words(article.title or "")
        lines = [words for line in (article.body or "").splitlines() if (words := list_words(line)) != title]
        paragraphs = [words for words in lines if len(words) >= MIN_PARAGRAPH_WORDS]
        if len(paragraphs) < MIN_PARAGRAPHS or sum(map(len, paragraphs)) < MIN_BODY_WORDS:
            return "the text is short"
        if len(article.confirmations) < MIN_CONFIRMATIONS:
            return "the extractors read different texts"
        return None


def cut_after_first_article(html: str) -> str:
    """Return the markup up to the second `h1` with another text, because another article begins there."""
    from lxml.etree import tostring

    root = parse_document(html)
    headings = [node for node in root.iter("h1") if _list_node_words(node)]
    second = next((node for node in headings if _list_node_words(node) != _list_node_words(headings[0])), None)
    if second is None:
        return html
    node = second
    while (parent := node.getparent()) is not None:
        for later in list(node.itersiblings()):
            parent.remove(later)
        node.tail = None
        node = parent
    second.getparent().remove(second)
    text: str = tostring(root, encoding="unicode", method="html")
    return text


def _list_node_words(node: Any) -> tuple[str, ...]:
    return list_words("".join(node.itertext()))
