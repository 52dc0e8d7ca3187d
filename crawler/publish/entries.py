"""What outputs show. An Entry holds no article: only what may be shown can be reached through it.

Owners' templates use the field names of Entry, RelatedArticle and EntryEdit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler.items import ArticleFlag, Precision, Strength, Verdict
from crawler.revisions.alignment import AlignmentType
from crawler.revisions.kinds import ChangeKind, ClaimChange, Severity
from crawler.rights import ELLIPSIS, Credit, Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryMatch:
    """A match: the rule, its term, and the field of the article.

    `surface` is the word as written in the text, None if the rights leave no room for it.
    """

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
    """Another article of the story, as a link.

    `is_copy`: it has the same text, perhaps edited. `is_possible`: it is in the story on little evidence.
    """

    id: str
    source: str
    source_title: str
    url: str
    language: str | None
    headline: str
    published_at: datetime | None
    is_copy: bool
    is_possible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEdit:
    """A sentence that a revision changed. `old` or `new` is None if it does not exist or may not be shown.

    `claims` are the figures, dates and names that differ. They are facts, not text: they may always be shown. `is_cut`:
    the rights leave no room for all of it.
    """

    field: str
    old: str | None
    new: str | None
    severity: Severity
    alignment: AlignmentType = AlignmentType.EDITED
    claims: tuple[ClaimChange, ...] = ()
    is_cut: bool = False

    def format_claim(self, kind: ChangeKind) -> str | None:
        """Return the changed words of a claim as `old → new`, or None if it did not change."""
        changed = (claim for claim in self.claims if claim.kind is kind)
        return next((f"{claim.old or '–'} → {claim.new or '–'}" for claim in changed), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article as an output shows it, with its story.

    `headline` is the title, or comes from the text (`is_derived`). Times are aware, in UTC. `published_at` is None if
    the page has no date. `edits` are what changed since `base_version`, else empty; `kinds` what that touches. `rules`
    are those that matched. `story` is the story's number, None without a story. `anchor` is the id of the story's
    article that was seen first: unlike the number it stays when stories merge. `others` are the story's other articles,
    the oldest first. `flags` are what is doubtful about the text or its date. `is_reprocessed`: this version is no
    change of the site's, its page was read again; `verdict` is what the site did last, in `site_version`.
    `text_removed_at` is when the retention policy removed the version's text. `is_id_hidden`: `id` has a hash, because
    the article's own id or address has a name that is blacked out.
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
    flags: tuple[ArticleFlag, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    base_version: int | None = None
    is_reprocessed: bool = False
    site_version: int | None = None
    text_removed_at: datetime | None = None
    is_id_hidden: bool = False

    @property
    def diff_command(self) -> str | None:
        """The command that shows the whole change, or None for an article without edits or whose id is hidden."""
        if not self.edits or self.base_version is None or self.is_id_hidden:
            return None
        last = self.site_version or self.version
        first = "" if self.base_version == last - 1 else f" --from {self.base_version}"
        return f"crawler diff {self.id}{first} --to {last}"

    @property
    def title(self) -> str:
        """The headline, in angle quotes if it comes from the text."""
        return f"‹{self.headline}›" if self.is_derived else self.headline

    @property
    def copies(self) -> tuple[RelatedArticle, ...]:
        """Other pages with the same text."""
        return tuple(other for other in self.others if other.is_copy)

    @property
    def versions(self) -> tuple[RelatedArticle, ...]:
        """Other articles of the story: other languages, other words. Those that are only possibly of it come last."""
        versions = (other for other in self.others if not other.is_copy)
        return tuple(sorted(versions, key=lambda other: other.is_possible))

    @property
    def effective_at(self) -> datetime | None:
        """The time to sort by: publication, else when it was first seen."""
        return self.published_at or self.seen_at
