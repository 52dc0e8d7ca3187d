"""The nouns of outputs. An Entry holds no article: nothing but what may be shown can be reached through it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler.items import Precision, Strength, Verdict
from crawler.revisions.alignment import ChangeType
from crawler.revisions.changes import Severity
from crawler.rights import ELLIPSIS, Credit, Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMatch:
    """A match: the rule and its term that asked for it, and the field it stands in. `surface` is the word as the text
    has it, None where the share has no room for it."""

    rule: str
    term: str
    surface: str | None
    field: str
    strength: Strength

    @property
    def word(self) -> str:
        """The term as a person would write it."""
        return self.term.lstrip("=").replace("*", ELLIPSIS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedArticle:
    """Another article of the story, as a link. `is_copy` says that it is the same text, edited or not."""

    id: str
    source: str
    source_title: str
    url: str
    language: str | None
    headline: str
    published_at: datetime | None
    is_copy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEdit:
    """A sentence that a revision touched: `old` or `new` is None where it is not there, or may not be shown.

    `fate` says whether it was edited, added, removed or moved, `why` in a few words (English) what was touched.
    """

    field: str
    old: str | None
    new: str | None
    severity: Severity
    reason: str | None
    change_type: ChangeType = ChangeType.EDITED


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article as an output shows it, with its story.

    `headline` is the title, or `is_derived` from the text. Times are aware, in UTC; `published_at` is None where the
    page names none. `edits` are what a revised version changed, empty for others; `rules` are those that fired.
    `found` are the matched words that the share leaves room to name. `story` is the story's number, None for an article
    that stands alone; `anchor` is the id of its article that was seen first, by which the story is known for good: its
    number changes when stories become one. `others` are the story's other articles, the oldest first.
    """

    id: str
    source: str
    source_title: str
    url: str
    language: str | None
    headline: str
    is_derived: bool
    lead: str | None
    excerpt: Excerpt
    credit: Credit
    published_at: datetime | None
    precision: Precision | None
    seen_at: datetime | None
    changed_at: datetime | None
    section: str | None
    place: str | None
    author: str | None
    verdict: Verdict
    version: int
    rules: tuple[str, ...]
    matches: tuple[EntryMatch, ...]
    story: int | None
    anchor: str | None = None
    copy_of: str | None = None
    others: tuple[RelatedArticle, ...] = ()
    edits: tuple[EntryEdit, ...] = ()
    severity: Severity | None = None

    @property
    def title(self) -> str:
        """The headline; one that was made from the text stands in angle quotes."""
        return f"‹{self.headline}›" if self.is_derived else self.headline

    @property
    def copies(self) -> tuple[RelatedArticle, ...]:
        """Other pages with the same text."""
        return tuple(other for other in self.others if other.is_copy)

    @property
    def versions(self) -> tuple[RelatedArticle, ...]:
        """Other articles of the story: other languages, other words."""
        return tuple(other for other in self.others if not other.is_copy)

    @property
    def effective_at(self) -> datetime | None:
        """The time it is sorted by: publication, else when it was read."""
        return self.published_at or self.seen_at
