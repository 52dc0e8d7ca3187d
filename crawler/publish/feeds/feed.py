"""What the three kinds of feed say alike: a feed's head, and entries as items with ids that stay.

An id is made of names that outlive a run, a rule, an address and a story's number: an article's own id, and for a story
that of its article seen first. When two stories become one, the entry of the one seen first stays and takes the other
in. No time of this machine goes into a feed that has entries: the same store gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from markupsafe import Markup, escape

from crawler.items import Verdict
from crawler.publish import Entry, RelatedArticle, Translations
from crawler.publish.templates import mark_html
from crawler.publish.translations import OUTPUT_LANGUAGES
from crawler.publish.xml_text import sanitize_text

ID_NAMESPACE = UUID("6f1d9f0e-5c0b-4b77-9a53-0d6b8a4f2c11")
"""The name space of our ids. Another one would make every entry new to every reader."""
GENERATOR = "crawler"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHead:
    """A feed's head. `home` is a page for people, `address` where the feed itself is to be had; `labels` are the titles
    of rules by name. `by_story`: an entry is a story, else an article. `made_at` dates a feed without entries."""

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
    """An entry as a feed says it: texts without signs that XML cannot hold, times in UTC. `rules` are (name, title)."""

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
    related: tuple[RelatedArticle, ...]


def make_urn(*names: str) -> str:
    """The id of what has these names, the same on every machine.

    >>> urn("article", "mfa:1:ru")
    'urn:uuid:e52f1a89-5f57-5abb-8ae1-8aaec5684300'
    """
    return uuid5(ID_NAMESPACE, "\n".join(names)).urn


def make_items(feed: FeedHead, entries: Iterable[Entry]) -> list[FeedItem]:
    """The entries as items."""
    return [_make_item(feed, entry) for entry in entries]


def get_update_time(feed: FeedHead, items: Sequence[FeedItem]) -> datetime:
    """When the feed last changed: as its newest entry."""
    return max((item.updated for item in items), default=feed.made_at.astimezone(UTC))


def _make_item(feed: FeedHead, entry: Entry) -> FeedItem:
    words = Translations(entry.language if entry.language in OUTPUT_LANGUAGES else "en", UTC)
    gone = f"{words['unpublished']}: " if entry.verdict is Verdict.UNPUBLISHED else ""
    when = entry.effective_at or feed.made_at
    return FeedItem(
        id=make_urn("story", entry.anchor or entry.id) if feed.by_story else make_urn("article", entry.id),
        url=sanitize_text(entry.url),
        title=" ".join(sanitize_text(f"{gone}{entry.title}").split()),
        html=sanitize_text(_format_html(entry, words)),
        credit=sanitize_text(_format_credit(entry, words)),
        author=sanitize_text(entry.author or entry.source_title),
        language=entry.language,
        verdict=entry.verdict,
        published=entry.published_at.astimezone(UTC) if entry.published_at else None,
        updated=(entry.changed_at or when).astimezone(UTC),
        rules=tuple((rule, sanitize_text(feed.labels.get(rule) or rule)) for rule in entry.rules),
        related=entry.others,
    )


def _format_html(entry: Entry, words: Translations) -> str:
    """The matched sentences first, then the opening, whom to name, the link, the story's other articles."""
    parts: list[str] = []
    if entry.verdict is Verdict.UNPUBLISHED:
        parts.append(f"<p><em>{escape(words['page_gone'])}</em></p>")
    if entry.lead and _is_lead_shown(entry):
        parts.append(
            f"<p>{_mark_surfaces(entry.lead, [f.surface for f in entry.matches if f.field == 'lead' and f.surface])}</p>"
        )
    parts += [f"<p>{mark_html(piece, 'strong')}</p>".replace("\n", "<br>") for piece in entry.excerpt.pieces]
    link = f'<a href="{escape(entry.url)}">{escape(words["read"])}</a>'
    parts.append(f"<p>{escape(_format_credit(entry, words))} {link}</p>")
    if entry.others:
        others = "".join(f"<li>{_format_related(other, words)}</li>" for other in entry.others)
        parts.append(f"<p>{escape(words['others'])}:</p><ul>{others}</ul>")
    return "".join(parts)


def _is_lead_shown(entry: Entry) -> bool:
    """Whether the lead says why the entry is here: a matched word stands in it, or none in the text below."""
    fields = {found.field for found in entry.matches}
    return "lead" in fields or "body" not in fields


def _mark_surfaces(text: str, surfaces: Iterable[str]) -> Markup:
    """A text with words marked wherever they stand."""
    words = "|".join(re.escape(word) for word in sorted(set(surfaces), key=len, reverse=True))
    parts = re.split(f"({words})", text) if words else [text]
    marked = [f"<strong>{escape(part)}</strong>" if at % 2 else str(escape(part)) for at, part in enumerate(parts)]
    return Markup("".join(marked).replace("\n", "<br>"))


def _format_credit(entry: Entry, words: Translations) -> str:
    """Whom to name."""
    said = [
        words.fill("reference", name=entry.credit.reference)
        if entry.credit.reference
        else f"{words['source']}: {entry.source_title}"
    ]
    if entry.credit.attribution:
        said.append(words.fill("attribution", name=entry.credit.attribution))
    return ". ".join(said) + "."


def _format_related(other: RelatedArticle, words: Translations) -> str:
    copied = f", {words['copies'].lower()}" if other.is_copy else ""
    facts = f"{other.source_title}, {words.tongue(other.language)}{copied}"
    return f'<a href="{escape(other.url)}">{escape(other.headline)}</a> ({escape(facts)})'
