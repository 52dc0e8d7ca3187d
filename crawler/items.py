"""The nouns, frozen: changed only by evolving (`dataclasses.replace`), never in place.

Times are aware `datetime`s; every output writes them as ISO 8601 with offset and whole seconds (`iso`). Unknown is
None, an unknown list the empty tuple, never an empty string.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What dedupe found an article to be, against everything stored before it.

    An unpublished version has the last text known, after its page was found gone twice; a republished one came back.
    """

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    COPY = "copy"
    UNPUBLISHED = "unpublished"
    REPUBLISHED = "republished"


class Strength(StrEnum):
    """How sure a match is. Weak matches are kept and shown, but no one is alerted by default."""

    STRONG = "strong"
    WEAK = "weak"


class Precision(StrEnum):
    """How exactly a page says when it was published."""

    MINUTE = "minute"
    DAY = "day"


class Health(StrEnum):
    """How a source did in one run."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    CHANGED = "changed"
    SILENT = "silent"
    FAILED = "failed"


def format_time(time: datetime | None) -> str | None:
    """ISO 8601 with offset and whole seconds, as every output writes it."""
    return None if time is None else time.isoformat(timespec="seconds")


def _parse_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


TIME_METADATA = {"serializer": format_time}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of an article. `url` is absolute, None where only its caption is known."""

    url: str | None
    caption: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a source allows of its texts in outputs that leave this machine.

    `excerpt_share` is a share of the characters of the body (0.3 = 30 %); `source` says where the wording was read;
    `reference` is whom the source wants to be named.
    """

    excerpt_share: float
    link_required: bool
    wording: str | None
    source: str | None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One place where a rule's term stands. `start` and `end` are offsets into the article's `field` text."""

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
    """Where the page stands that an article was read from.

    `offset` is the byte position of a WARC record in `file`, None for a page in a file of its own. `digest` is
    `sha256:<hex>` of the page's bytes as received.
    """

    file: str | None
    offset: int | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One text at one address in one language.

    `id` is `<source>:<native id>:<language>`. `title`, `lead` and `body` are plain text: entities decoded, no soft
    hyphens, one space where the page had several; `body` has a paragraph a line and no blank line. `published_raw` is
    what the page wrote. `provenance` names, for each field, the page class and the rule that gave it.
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
    copy_of: str | None = None
    version: int | None = None
    snapshot: SnapshotRef | None = None
    provenance: dict[str, str] = field(default_factory=dict)

    @property
    def native_id(self) -> str:
        """The source's own name for the article, the middle part of `id`."""
        return self.id.split(":", 1)[1].rsplit(":", 1)[0]

    @property
    def texts(self) -> dict[str, str | None]:
        """The texts that rules are tried on, by field."""
        return {"title": self.title, "lead": self.lead, "body": self.body}

    @property
    def is_matched(self) -> bool:
        """Whether a rule matches it strongly."""
        return any(match.strength is Strength.STRONG for match in self.matches)

    @property
    def headline(self) -> str:
        """The title, or the first sentence in angle quotes where a page has none (a derived headline)."""
        if self.title:
            return self.title
        first = self.body.split("\n", 1)[0]
        return f"‹{first if len(first) <= 120 else first[:119].rsplit(' ', 1)[0] + '…'}›"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, every field present; `from_dict` gives the same article again."""
        values = _to_plain_dict(self)  # not `asdict`, which copies every string: six times the cost, at every page
        for name in ("published_at", "fetched_at"):
            values[name] = format_time(values[name])
        for name in ("images", "matches"):
            values[name] = tuple(_to_plain_dict(value) for value in values[name])
        for name in ("rights", "snapshot"):
            values[name] = _to_plain_dict(values[name]) if values[name] else None
        values["provenance"] = dict(self.provenance)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Article:
        """The article that `to_dict` (or one exported JSON line) describes; unknown keys are left out."""
        known = {f.name for f in fields(cls)}
        given = {key: value for key, value in values.items() if key in known}
        for name in ("published_at", "fetched_at"):
            given[name] = _parse_time(given.get(name))
        given["images"] = tuple(Image(**image) for image in given.get("images") or ())
        given["matches"] = tuple(_parse_match(match) for match in given.get("matches") or ())
        for name, kind in (("rights", Rights), ("snapshot", SnapshotRef)):
            given[name] = kind(**given[name]) if given.get(name) else None
        for name, enum in (("verdict", Verdict), ("published_precision", Precision)):
            given[name] = enum(given[name]) if given.get(name) else None
        return cls(**given)


def _to_plain_dict(value: Any) -> dict[str, Any]:
    """The fields of a noun by name."""
    return {name: getattr(value, name) for name in value.__slots__}


def _parse_match(values: dict[str, Any]) -> Match:
    return Match(**{**values, "strength": Strength(values["strength"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that went wrong in a run, as told to a person. `kind` is the name of its error class."""

    kind: str
    message: str
    exit_code: int
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStructure:
    """The structure of one page without its content, as its page class `page` read it: the path of the node that gave
    each field, and the `template`, a hash that is much alike for pages that are much alike (see `extract.shape`)."""

    page: str
    paths: dict[str, str]
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One crawl of one source. `counts` holds pages, articles by verdict, matched, dropped and the like.

    `complete` says that every list page the run set out to read was read: only then may a later run stop paging at
    articles this one stored. `health` and `exit_code` are None while the run is going on. `measures` holds what later
    runs are compared with: plain JSON values, by name.
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
        """Plain JSON values, every field present."""
        values = asdict(self)
        for name in ("started_at", "finished_at"):
            values[name] = format_time(values[name])
        return values
