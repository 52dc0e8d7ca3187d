"""Read an article from a page of any site, with the evidence of each field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.errors import UsageError
from crawler.generic.article_body import choose_body, judge_lines
from crawler.generic.article_language import find_article_language
from crawler.generic.byline import find_byline
from crawler.generic.headline import find_headline
from crawler.generic.page import GenericPage
from crawler.generic.publication_date import find_publication_date
from crawler.text.decoding import decode_text


@dataclass(frozen=True, slots=True)
class GenericArticle:
    """An article as a page of any site states it. Fields that the page does not state are None.

    `published_at` is ISO 8601: a day, or a time with the offset that the page states; without one it is the site's
    local time. `language` is an ISO 639-1 code. `evidence` says for each field where it is from, and for the date also
    the text that was read.
    """

    title: str | None
    body: str | None
    published_at: str | None
    author: str | None
    language: str | None
    evidence: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "title": self.title,
            "body": self.body,
            "published_at": self.published_at,
            "author": self.author,
            "language": self.language,
            "evidence": dict(self.evidence),
        }


def read_stored_page(file: Path, url: str = "", content_type: str | None = None) -> GenericArticle:
    """Return the article of a page's file. `content_type` is its header, if known. Raise UsageError for no file."""
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"The file {file} cannot be read: {reason}.") from error
    return read_article(decode_text(content, content_type), url)


def read_article(html: str, url: str = "") -> GenericArticle:
    """Return the article of a page. Needs the extra `sites` (see `extractors.raise_if_not_installed`)."""
    page = GenericPage(html, url)
    headline = find_headline(page)
    title = headline.text if headline else ""
    body = choose_body(judge_lines(page, title), title)
    published = find_publication_date(page, title)
    author = find_byline(page)
    language = find_article_language(body.text if body else title, page.html_language)
    evidence: dict[str, Any] = {}
    if headline:
        evidence["title"] = headline.origin
    if body:
        evidence["body"] = body.origin
    if published:
        evidence["published_at"] = {"from": published.origin, "text": published.text}
    if author:
        evidence["author"] = author.origin
    if language:
        evidence["language"] = language.origin
    return GenericArticle(
        title or None,
        body.text if body else None,
        published.value if published else None,
        author.name if author else None,
        language.code if language else None,
        evidence,
    )
