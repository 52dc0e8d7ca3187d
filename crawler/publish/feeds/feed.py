"""What the three kinds of feed have in common: a feed's head, and entries as items with permanent ids.

An id is made of names that outlive a run, a rule, an address and a story's number: an article's id, and for a story the
id of its article that was seen first. When two stories merge, the entry of the one seen first takes in the other. A
feed with entries contains no time of this machine: the same store makes the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from markupsafe import Markup, escape

from crawler.items import ArticleFlag, Verdict
from crawler.publish.entries import Entry, RelatedArticle
from crawler.publish.phrases import OUTPUT_LANGUAGES, Phrases, describe_flags
from crawler.publish.templates import mark_html
from crawler.publish.xml_text import sanitize_text

ID_NAMESPACE = UUID("6f1d9f0e-5c0b-4b77-9a53-0d6b8a4f2c11")
"""Another one would make every entry new to every reader."""
GENERATOR = "crawler"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHead:
    """What a feed says of itself.

    `home` is a page for people, `address` that of the feed. `labels` are titles of rules by name. With `by_story` an
    entry is a story, else an article. `made_at` dates a feed without entries.
    """

    id: str
    title: str
    home: str
    address: str | None = None
    language: str | None = None
    by_story: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """An entry as feeds show it: texts without characters that XML forbids, times in UTC. `rules`: name and title."""

    id: str
    url: str
    title: str
    html: str
    credit: str
    author: str
    language: str | None
    verdict: Verdict
    published: datetime | None
    updated: datetime
    rules: tuple[tuple[str, str], ...]
    flags: tuple[ArticleFlag, ...]
    related: tuple[RelatedArticle, ...]


def make_urn(*names: str) -> str:
    """Return the id of these names, the same on every machine.

    >>> make_urn("article", "mfa:1:ru")
    'urn:uuid:e52f1a89-5f57-5abb-8ae1-8aaec5684300'
    """
    return uuid5(ID_NAMESPACE, "\n".join(names)).urn


def make_items(feed: FeedHead, entries: Iterable[Entry]) -> list[FeedItem]:
    """Return the entries as items."""
    return [_make_item(feed, entry) for entry in entries]


def get_update_time(feed: FeedHead, items: Sequence[FeedItem]) -> datetime:
    """Return when the feed last changed: the time of its newest entry."""
    return max((item.updated for item in items), default=feed.made_at.astimezone(UTC))


def _make_item(feed: FeedHead, entry: Entry) -> FeedItem:
    words = Phrases(entry.language if entry.language in OUTPUT_LANGUAGES else "en", UTC)
    prefix = f"{words['unpublished']}: " if entry.verdict is Verdict.UNPUBLISHED else ""
    updated = entry.changed_at or entry.effective_at or feed.made_at
    return FeedItem(
        id=make_urn("story", entry.anchor or entry.id) if feed.by_story else make_urn("article", entry.id),
        url=sanitize_text(entry.url),
        title=" ".join(sanitize_text(f"{prefix}{entry.title}").split()),
        html=sanitize_text(_format_html(entry, words)),
        credit=sanitize_text(_format_credit(entry, words)),
        author=sanitize_text(entry.author or entry.source_title),
        language=entry.language,
        verdict=entry.verdict,
        published=entry.published_at.astimezone(UTC) if entry.published_at else None,
        updated=updated.astimezone(UTC),
        rules=tuple((rule, sanitize_text(feed.labels.get(rule) or rule)) for rule in entry.rules),
        flags=entry.flags,
        related=entry.others,
    )


def _format_html(entry: Entry, words: Phrases) -> str:
    """Return the matched sentences first, then the opening, the credit, the link, the story's other articles."""
    parts: list[str] = []
    if entry.verdict is Verdict.UNPUBLISHED:
        parts.append(f"<p><em>{escape(words['page_gone'])}</em></p>")
    if doubts := describe_flags(entry.flags, words.language):
        sentence = "; ".join(doubts)
        parts.append(f"<p><em>{escape(sentence[:1].upper() + sentence[1:])}.</em></p>")
    if entry.lead and _is_lead_shown(entry):
        surfaces = [match.surface for match in entry.matches if match.field == "lead" and match.surface]
        parts.append(f"<p>{_mark_surfaces(entry.lead, surfaces)}</p>")
    parts += [f"<p>{mark_html(piece, 'strong')}</p>".replace("\n", "<br>") for piece in entry.excerpt.pieces]
    link = f'<a href="{escape(entry.url)}">{escape(words["read"])}</a>'
    parts.append(f"<p>{escape(_format_credit(entry, words))} {link}</p>")
    if entry.others:
        others = "".join(f"<li>{_format_related(other, words)}</li>" for other in entry.others)
        parts.append(f"<p>{escape(words['others'])}:</p><ul>{others}</ul>")
    return "".join(parts)


def _is_lead_shown(entry: Entry) -> bool:
    """Return whether the lead says why the entry is here: it has a match, or the body has none."""
    fields = {match.field for match in entry.matches}
    return "lead" in fields or "body" not in fields


def _mark_surfaces(text: str, surfaces: Iterable[str]) -> Markup:
    """Return a text with words marked wherever they occur."""
    words = "|".join(re.escape(word) for word in sorted(set(surfaces), key=len, reverse=True))
    parts = re.split(f"({words})", text) if words else [text]
    marked = [f"<strong>{escape(part)}</strong>" if at % 2 else str(escape(part)) for at, part in enumerate(parts)]
    return Markup("".join(marked).replace("\n", "<br>"))


def _format_credit(entry: Entry, words: Phrases) -> str:
    """Return whom to name."""
    reference, attribution = entry.credit.reference, entry.credit.attribution
    names = [
        words.fill("reference", name=reference) if reference else f"{words['source']}: {entry.source_title}",
        *([words.fill("attribution", name=attribution)] if attribution else []),
    ]
    return ". ".join(names) + "."


def _format_related(other: RelatedArticle, words: Phrases) -> str:
    copied = f", {words['copies'].lower()}" if other.is_copy else ""
    facts = f"{other.source_title}, {words.tongue(other.language)}{copied}"
    return f'<a href="{escape(other.url)}">{escape(other.headline)}</a> ({escape(facts)})'
