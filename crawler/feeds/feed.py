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

from crawler.entries import Entry, Other, Phrases
from crawler.entries.phrases import LANGUAGES
from crawler.entries.templates import marked_html
from crawler.feeds.signs import clean
from crawler.items import Verdict

NAMES = UUID("6f1d9f0e-5c0b-4b77-9a53-0d6b8a4f2c11")
"""The name space of our ids. Another one would make every entry new to every reader."""
GENERATOR = "crawler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
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
class Item:
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
    related: tuple[Other, ...]


def urn(*names: str) -> str:
    """The id of what has these names, the same on every machine.

    >>> urn("article", "mfa:1:ru")
    'urn:uuid:e52f1a89-5f57-5abb-8ae1-8aaec5684300'
    """
    return uuid5(NAMES, "\n".join(names)).urn


def items(feed: Feed, entries: Iterable[Entry]) -> list[Item]:
    """The entries as items."""
    return [_item(feed, entry) for entry in entries]


def updated(feed: Feed, items: Sequence[Item]) -> datetime:
    """When the feed last changed: as its newest entry."""
    return max((item.updated for item in items), default=feed.made_at.astimezone(UTC))


def _item(feed: Feed, entry: Entry) -> Item:
    words = Phrases(entry.language if entry.language in LANGUAGES else "en", UTC)
    gone = f"{words['unpublished']}: " if entry.verdict is Verdict.UNPUBLISHED else ""
    when = entry.when or feed.made_at
    return Item(
        id=urn("story", entry.anchor or entry.id) if feed.by_story else urn("article", entry.id),
        url=clean(entry.url),
        title=" ".join(clean(f"{gone}{entry.title}").split()),
        html=clean(_html(entry, words)),
        credit=clean(_credit(entry, words)),
        author=clean(entry.author or entry.source_title),
        language=entry.language,
        verdict=entry.verdict,
        published=entry.published_at.astimezone(UTC) if entry.published_at else None,
        updated=(entry.changed_at or when).astimezone(UTC),
        rules=tuple((rule, clean(feed.labels.get(rule) or rule)) for rule in entry.rules),
        related=entry.others,
    )


def _html(entry: Entry, words: Phrases) -> str:
    """The matched sentences first, then the opening, whom to name, the link, the story's other articles."""
    parts: list[str] = []
    if entry.verdict is Verdict.UNPUBLISHED:
        parts.append(f"<p><em>{escape(words['page_gone'])}</em></p>")
    if entry.lead and _shows_lead(entry):
        parts.append(
            f"<p>{_marked(entry.lead, [f.surface for f in entry.found if f.field == 'lead' and f.surface])}</p>"
        )
    parts += [f"<p>{marked_html(piece, 'strong')}</p>".replace("\n", "<br>") for piece in entry.excerpt.pieces]
    link = f'<a href="{escape(entry.url)}">{escape(words["read"])}</a>'
    parts.append(f"<p>{escape(_credit(entry, words))} {link}</p>")
    if entry.others:
        others = "".join(f"<li>{_other(other, words)}</li>" for other in entry.others)
        parts.append(f"<p>{escape(words['others'])}:</p><ul>{others}</ul>")
    return "".join(parts)


def _shows_lead(entry: Entry) -> bool:
    """Whether the lead says why the entry is here: a matched word stands in it, or none in the text below."""
    fields = {found.field for found in entry.found}
    return "lead" in fields or "body" not in fields


def _marked(text: str, surfaces: Iterable[str]) -> Markup:
    """A text with words marked wherever they stand."""
    words = "|".join(re.escape(word) for word in sorted(set(surfaces), key=len, reverse=True))
    parts = re.split(f"({words})", text) if words else [text]
    marked = [f"<strong>{escape(part)}</strong>" if at % 2 else str(escape(part)) for at, part in enumerate(parts)]
    return Markup("".join(marked).replace("\n", "<br>"))


def _credit(entry: Entry, words: Phrases) -> str:
    """Whom to name."""
    said = [
        words.fill("reference", name=entry.credit.reference)
        if entry.credit.reference
        else f"{words['source']}: {entry.source_title}"
    ]
    if entry.credit.attribution:
        said.append(words.fill("attribution", name=entry.credit.attribution))
    return ". ".join(said) + "."


def _other(other: Other, words: Phrases) -> str:
    copied = f", {words['copies'].lower()}" if other.is_copy else ""
    facts = f"{other.source_title}, {words.tongue(other.language)}{copied}"
    return f'<a href="{escape(other.url)}">{escape(other.headline)}</a> ({escape(facts)})'
