"""Read an article from a page of any site, with the evidence of each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any

from crawler.errors import UsageError
from crawler.generic.article_body import (
    ArticleBody,
    choose_body,
    clean_article_lines,
    compare_texts,
    join_chosen,
    judge_lines,
)
from crawler.generic.article_language import find_article_language
from crawler.generic.byline import find_byline
from crawler.generic.date_texts import is_date_line
from crawler.generic.headline import Headline, find_headline, find_title_line, list_title_parts
from crawler.generic.memory_folder import MemoryFolder
from crawler.generic.page import GenericPage
from crawler.generic.publication_date import find_publication_date
from crawler.generic.site_memory import SiteMemory
from crawler.text.decoding import decode_text


@dataclass(frozen=True, slots=True)
class GenericArticle:
    """An article as a page of any site states it. Fields that the page does not state are None.

    `published_at` is ISO 8601: a day, or a time with the offset that the page states; without one it is the site's
    local time. `language` is an ISO 639-1 code. `evidence` says for each field where it is from, and for the date also
    the text that was read. `confirmations` are the extractors that read almost the same text.
    """

    title: str | None
    body: str | None
    published_at: str | None
    author: str | None
    language: str | None
    evidence: Mapping[str, Any]
    confirmations: tuple[str, ...] = ()

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


def read_stored_page(
    file: Path, url: str = "", content_type: str | None = None, memories: MemoryFolder | None = None
) -> GenericArticle:
    """Return the article of a page's file, with the memory of its site, if given, and let the site be remembered.

    A site whose layout changed is learned again. `content_type` is the page's header, if known. Raise UsageError for a
    file that cannot be read.
    """
    page = load_page(file, url, content_type)
    if memories is None or not page.host:
        return read_page(page)
    memory = memories.get_memory(page.host)
    article = read_page(page, memory)
    if memory.has_lost_layout:
        memory.begin_again(datetime.now(UTC).date())
    memories.save_memory(memory)
    return article


def load_page(file: Path, url: str = "", content_type: str | None = None) -> GenericPage:
    """Return the page in a file. Raise UsageError when it cannot be read."""
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"The file {file} cannot be read: {reason}.") from error
    return GenericPage(decode_text(content, content_type), url)


def read_article(html: str, url: str = "") -> GenericArticle:
    """Return the article of a page. Needs the extra `sites` (see `extractors.raise_if_not_installed`)."""
    return read_page(GenericPage(html, url))


def read_page(
    page: GenericPage, memory: SiteMemory | None = None, text_page: GenericPage | None = None
) -> GenericArticle:
    """Return the article of a page. `memory` is what is known about its site; it learns from a page that is judged.

    `text_page` is the page without what is surely not the text; None: the page itself.
    """
    text_page = text_page or page
    headline = find_headline(page, memory.title_parts if memory else ())
    title = headline.text if headline else ""
    body = read_body(text_page, title, memory) if memory else choose_body(judge_lines(text_page, title), title)
    if headline is None and memory and body and (line := find_title_line(body.text)):
        headline, title = Headline(line, "first line of the text"), line
        lines = dropwhile(is_date_line, body.text.split("\n")[1:])
        body = replace(body, text="\n".join(lines))
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
        body.confirmations if body else (),
    )


def read_body(page: GenericPage, title: str, memory: SiteMemory) -> ArticleBody | None:
    """Return the text of a page whose site is known or is being learned."""
    chosen = memory.read_by_template(page.lines, page.key)
    is_recognised = memory.is_known and memory.recognises(page.lines, chosen)
    if is_recognised and memory.is_template_reliable and not memory.needs_check:
        memory.record_unchecked()
        return make_template_body(page, title, chosen, memory)
    opinions = judge_lines(page, title)
    is_odd = False
    if memory.is_known:
        adjusted = memory.adjust_scores(page.lines, opinions.scores, page.key)
        opinions = replace(opinions, scores=adjusted)
        agreement = compare_texts(join_chosen(page.lines, chosen), opinions.text)
        is_odd = memory.is_odd(agreement)
        memory.record_check(agreement, is_recognised=is_recognised)
        if is_recognised and memory.is_template_reliable:
            # A page that is read twice must have the same text: a difference would be a revision that nobody made.
            return make_template_body(page, title, chosen, memory)
    if not is_odd:
        memory.learn_page(page.key, page.lines, opinions.chosen, list_title_parts(page))
    body = choose_body(opinions, title)
    if body and memory.is_known:
        return ArticleBody(body.text, f"{body.origin}, and the site's other pages")
    return body


def make_template_body(page: GenericPage, title: str, chosen: Sequence[bool], memory: SiteMemory) -> ArticleBody:
    """Return the text at the learned places of a page."""
    kept = [line for line, is_chosen in zip(page.lines, chosen, strict=True) if is_chosen]
    text = "\n".join(line.text for line in clean_article_lines(kept, title))
    return ArticleBody(text, f"places of the text on {len(memory.pages)} pages of the site")
