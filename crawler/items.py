"""Frozen values that every layer shares: articles, matches, runs and their parts. Change them by `dataclasses.replace`.

Times are aware `datetime`s. Every output writes them as ISO 8601 with offset and whole seconds (`format_time`). An
unknown value is None and an unknown list is the empty tuple, never an empty string.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The result of comparing an article with everything stored before it.

    An unpublished version has the last known text: two runs found its page gone. A republished one came back. A
    reprocessed one is no change of the site's: an archived page was read again by today's page classes and rules.
    """

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    COPY = "copy"
    UNPUBLISHED = "unpublished"
    REPUBLISHED = "republished"
    REPROCESSED = "reprocessed"


class ArticleFlag(StrEnum):
    """What was repaired in an article, or is doubtful about it. The article is stored and matched anyway."""

    BOILERPLATE_REMOVED = "boilerplate_removed"
    CUT_OFF = "cut_off"
    """The answer ended early, so that a part of the text may be missing."""
    WRONG_ENCODING = "wrong_encoding"
    """The text as a whole was decoded wrongly."""
    UNDECODABLE_CHARACTERS = "undecodable_characters"
    FUTURE_DATE = "future_date"
    IMPOSSIBLE_DATE = "impossible_date"


class Extraction(StrEnum):
    """How an article's text was read, where it was not the source's own page class."""

    GENERIC = "generic"
    """By the reader of pages of any site (`crawler.generic`)."""


DAMAGE_FLAGS = frozenset((ArticleFlag.CUT_OFF, ArticleFlag.WRONG_ENCODING))
"""Flags of a text that is not as the site publishes it. It is no revision, and nobody is notified of it."""
DATE_FLAGS = frozenset((ArticleFlag.FUTURE_DATE, ArticleFlag.IMPOSSIBLE_DATE))


class Strength(StrEnum):
    """Certainty of a match. Weak matches are stored and shown, but by default they send no notification."""

    STRONG = "strong"
    WEAK = "weak"


class Precision(StrEnum):
    """Precision of a publication time."""

    MINUTE = "minute"
    DAY = "day"


class Health(StrEnum):
    """State of a source in one run."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    CHANGED = "changed"
    SILENT = "silent"
    FAILED = "failed"
    STOPPED = "stopped"
    """A person or the end of the watch stopped the run: it says nothing about the source."""


HEADLINE_LENGTH = 120
"""Characters of a headline that is derived from the text."""
MAX_HEADLINE_LENGTH = 300
"""Characters of any headline in an output. The title itself is stored whole."""


def shorten_headline(text: str, max_length: int = MAX_HEADLINE_LENGTH) -> str:
    """Return the text, or its beginning with an ellipsis, cut between words where possible.

    >>> shorten_headline("Red Cross opens an office", 12)
    'Red Cross…'
    """
    return text if len(text) <= max_length else text[: max_length - 1].rsplit(" ", 1)[0] + "…"


def format_time(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 with offset and whole seconds, or None."""
    return None if time is None else time.isoformat(timespec="seconds")


def _parse_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


TIME_METADATA = {"serializer": format_time}
INTERNAL_METADATA = {"is_internal": True}
"""Marks a field that is stored, but is in no output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of an article. `url` is absolute, or None where only the caption is known."""

    url: str | None
    caption: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a source permits with its texts in outputs that leave this machine.

    `excerpt_share` is the share of the body's characters that may be quoted (0.3 = 30 %). `source` is where the wording
    was read. `reference` is the name that the source wants to be mentioned.
    """

    excerpt_share: float
    link_required: bool
    wording: str | None
    source: str | None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One place where a rule's term is in an article. `start` and `end` are offsets into the text of `field`."""

    rule: str
    term: str
    surface: str
    field: str
    start: int
    end: int
    sentence: str
    strength: Strength = Strength.STRONG
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRef:
    """Where the page of an article is stored.

    `offset` is the byte position of the WARC record in `file`, or None for a page in a file of its own. `digest` is
    `sha256:<hex>` of the page's bytes as received.
    """

    file: str | None
    offset: int | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One text at one address in one language.

    `id` is `<source>:<native id>:<language>`. `title`, `lead` and `body` are plain text: entities decoded, no soft
    hyphens, one space where the page had several. `body` has one paragraph a line and no blank line.
    `published_raw` is the time as the page writes it. `provenance` names the page class and the rule of each field.
    `flags` name what was repaired in the text or is doubtful about it.
    `site_verdict` is set if `verdict` is `reprocessed`: the verdict of the version that was read again.
    `requested_language` is the language that was requested, where the text is in another one, else None.
    `extraction` is None for a text that the source's own page class read.
    `text_removed_at` is when the retention policy removed lead and body, which are then empty.
    """

    id: str
    source: str
    url: str
    title: str | None = None
    lead: str | None = None
    body: str
    language: str | None = None
    published_at: datetime | None = field(default=None, metadata=TIME_METADATA)
    published_raw: str | None = None
    published_precision: Precision | None = None
    fetched_at: datetime | None = field(default=None, metadata=TIME_METADATA)
    section: str | None = None
    place: str | None = None
    author: str | None = None
    attribution: str | None = None
    images: tuple[Image, ...] = ()
    reading_minutes: int | None = None
    rights: Rights | None = None
    matches: tuple[Match, ...] = ()
    verdict: Verdict | None = None
    site_verdict: Verdict | None = None
    copy_of: str | None = None
    version: int | None = None
    snapshot: SnapshotRef | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    flags: tuple[ArticleFlag, ...] = ()
    extraction: Extraction | None = None
    requested_language: str | None = field(default=None, metadata=INTERNAL_METADATA)
    text_removed_at: datetime | None = field(default=None, metadata=INTERNAL_METADATA)

    @property
    def native_id(self) -> str:
        """The source's own id of the article, the middle part of `id`."""
        return self.id.split(":", 1)[1].rsplit(":", 1)[0]

    @property
    def texts(self) -> dict[str, str | None]:
        """The texts in which rules are searched, by field."""
        return {"title": self.title, "lead": self.lead, "body": self.body}

    @property
    def edit_verdict(self) -> Verdict | None:
        """What the site did with the article: the verdict, or that of the version that was only read again."""
        return self.site_verdict or self.verdict

    @property
    def is_damaged(self) -> bool:
        """Whether the text is not as the site publishes it: a part of it, or letters from a wrong encoding."""
        return not DAMAGE_FLAGS.isdisjoint(self.flags)

    @property
    def is_matched(self) -> bool:
        """Whether a rule has a strong match in the article."""
        return any(match.strength is Strength.STRONG for match in self.matches)

    @property
    def headline(self) -> str:
        """The title, or the beginning of the text in angle quotes where the page has no title. Both are bounded.

        The address of an article that has neither, because its text was removed.
        """
        if self.title:
            return shorten_headline(self.title)
        if self.text_removed_at:
            return self.url
        first = shorten_headline(self.body.split("\n", 1)[0], HEADLINE_LENGTH)
        return f"‹{first}›"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values of every field but the internal ones. `from_dict` returns the same article again."""
        values = _to_plain_dict(self)  # `asdict` copies every string, which takes six times as long
        for name in INTERNAL_FIELDS:
            del values[name]
        for name in ("published_at", "fetched_at"):
            values[name] = format_time(values[name])
        for name in ("images", "matches"):
            values[name] = tuple(_to_plain_dict(value) for value in values[name])
        for name in ("rights", "snapshot"):
            values[name] = _to_plain_dict(values[name]) if values[name] else None
        values["provenance"] = dict(self.provenance)
        values["flags"] = tuple(flag.value for flag in self.flags)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Article:
        """Return the article of `to_dict`, of one exported JSON line, or of a stored version. Skip unknown keys."""
        names = {each.name for each in fields(cls)}
        known = {key: value for key, value in values.items() if key in names}
        for name in ("published_at", "fetched_at", "text_removed_at"):
            known[name] = _parse_time(known.get(name))
        known["images"] = tuple(Image(**image) for image in known.get("images") or ())
        known["matches"] = tuple(_parse_match(match) for match in known.get("matches") or ())
        known["flags"] = tuple(ArticleFlag(flag) for flag in known.get("flags") or ())
        for name, part in (("rights", Rights), ("snapshot", SnapshotRef)):
            known[name] = part(**known[name]) if known.get(name) else None
        for name, enum in ENUM_FIELDS.items():
            known[name] = enum(known[name]) if known.get(name) else None
        return cls(**known)


ENUM_FIELDS: dict[str, type[StrEnum]] = {
    "verdict": Verdict,
    "site_verdict": Verdict,
    "published_precision": Precision,
    "extraction": Extraction,
}
INTERNAL_FIELDS = tuple(each.name for each in fields(Article) if each.metadata.get("is_internal"))
ARTICLE_FIELDS = tuple(each.name for each in fields(Article) if each.name not in INTERNAL_FIELDS)
"""The fields of every output, in order."""
TIME_FIELDS = tuple(each.name for each in fields(Article) if each.metadata == TIME_METADATA)


def _to_plain_dict(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _parse_match(values: dict[str, Any]) -> Match:
    return Match(**{**values, "strength": Strength(values["strength"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One failure in a run, for a person. `kind` is the stored name of its error class."""

    kind: str
    message: str
    exit_code: int
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStructure:
    """The structure of one page without its content, as its page class read it (see `pages.structure`).

    `page` is the name of the page class, `paths` the path of each field, `template` a hash that is similar for similar
    pages.
    """

    page: str
    paths: dict[str, str]
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One crawl of one source. `counts` has pages, articles by verdict, matched, dropped and the like.

    `complete` says that the run read every list page that it planned to read. Only then may a later run stop paging at
    articles that this one stored. `health` and `exit_code` are None while the run is active. `measures` are plain JSON
    values by name, with which later runs are compared.
    """

    id: int | None = None
    source: str
    mode: str = "live"
    started_at: datetime = field(metadata=TIME_METADATA)
    finished_at: datetime | None = field(default=None, metadata=TIME_METADATA)
    health: Health | None = None
    reason: str | None = None
    exit_code: int | None = None
    complete: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values of every field."""
        values = asdict(self)
        for name in ("started_at", "finished_at"):
            values[name] = format_time(values[name])
        return values
