"""What the answers of the API contain. The OpenAPI document is made from these classes and their texts.

Times have an offset and are in UTC. An unknown value is null, an unknown list is empty. Names and values are those of
`crawler export` and of the other commands with `--json`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from crawler.items import ArticleFlag, Health, Precision, Strength, Verdict
from crawler.publish.xml_text import sanitize_text
from crawler.revisions.alignment import AlignmentType
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.store import DeliveryState
from crawler.store.article_cards import TimeKind
from crawler.store.reader_actions import ActionKind


def clean_text(value: object) -> object:
    """Return a text without characters that no JSON reader accepts. Other values stay."""
    return sanitize_text(value) if isinstance(value, str) else value


CleanString = Annotated[str, BeforeValidator(clean_text)]
"""A text from a page."""


class ApiModel(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AnswerPage(ApiModel):
    """A page of a list."""

    next: str | None
    """The `cursor` of the next page. Null at the end of the list."""


class ArticleSummary(ApiModel):
    """An article in a list, without its text."""

    id: str
    """`<source>:<the source's own id>:<language>`."""
    source: str
    language: str | None
    url: CleanString
    version: int
    """The number of the current version."""
    verdict: Verdict
    """What the last version was."""
    published_at: datetime | None
    first_seen_at: datetime
    headline: CleanString | None
    """The title. Null if the page has no title, and for an article in which no rule ever found anything."""
    rules: list[str]
    """The rules that find something in the current version."""
    is_matched: bool
    """Whether a rule has a certain match."""
    severity: Severity | None
    """How much the last version changed. Null for a first version."""
    story: int | None
    copy_of: str | None
    """The id of the article that had this text first."""


class ArticleList(AnswerPage):
    """A page of articles, the newest first."""

    items: list[ArticleSummary]


class ExcerptPiece(ApiModel):
    """A passage of a text."""

    text: CleanString
    """The passage, with an ellipsis where text is left out."""
    marks: list[tuple[int, int]]
    """Start and end of each matched word in `text`."""


class MatchedWord(ApiModel):
    """A word that a rule found."""

    rule: str
    term: CleanString
    """The rule's term."""
    surface: CleanString | None
    """The word as written in the text. Null if the rights leave no room for it."""
    field: str
    """`title`, `lead` or `body`."""
    strength: Strength


class ArticleCredit(ApiModel):
    """What to print beside a text."""

    allowed_share: float
    """The share of the body's characters that may be shown."""
    link_required: bool
    reference: CleanString | None
    """The publisher to name."""
    attribution: CleanString | None
    """Whom the page itself names as its source."""


class RelatedLink(ApiModel):
    """Another article of the story."""

    id: str
    source: str
    language: str | None
    url: CleanString
    headline: CleanString
    published_at: datetime | None
    is_copy: bool
    """Whether it has the same text, perhaps edited."""
    is_possible: bool
    """Whether it is in the story on little evidence."""


class ArticleText(ApiModel):
    """A version of an article, with as much of its text as the source allows."""

    id: str
    source: str
    source_title: str
    url: CleanString
    language: str | None
    version: int
    verdict: Verdict
    headline: CleanString
    headline_derived: bool
    """Whether the headline is the beginning of the text: the page has no title."""
    lead: CleanString | None
    excerpt: list[ExcerptPiece]
    """The sentences with a match, then the beginning of the text."""
    excerpt_whole: bool
    """Whether the excerpt is the whole text."""
    published_at: datetime | None
    published_precision: Precision | None
    first_seen_at: datetime | None
    changed_at: datetime | None
    """When the site's last change was read. Null for a first version."""
    text_removed_at: datetime | None
    """When the retention policy removed the text of this version, which is then empty."""
    section: CleanString | None
    place: CleanString | None
    author: CleanString | None
    rules: list[str]
    matches: list[MatchedWord]
    story: int | None
    copy_of: str | None
    credit: ArticleCredit
    flags: list[ArticleFlag]
    """What is doubtful about the text or its date."""
    related: list[RelatedLink]
    """The other articles of the story, the oldest first."""


class VersionRow(ApiModel):
    """A version without its text."""

    version: int
    verdict: Verdict
    seen_at: datetime
    severity: Severity | None
    """How much it changed. Null for a first version."""


class VersionPage(AnswerPage):
    """A page of an article's versions, the newest first."""

    items: list[VersionRow]


class ClaimEdit(ApiModel):
    """A figure, a date or a name that differs."""

    kind: ChangeKind
    old: CleanString | None
    new: CleanString | None


class SentenceEdit(ApiModel):
    """A sentence that a version changed, as far as the rights allow."""

    field: str
    alignment: AlignmentType
    severity: Severity
    old: CleanString | None
    """The sentence before, or the words around the change. Null if there was none or it may not be shown."""
    new: CleanString | None
    claims: list[ClaimEdit]
    is_cut: bool
    """Whether the rights leave no room for all of it."""


class VersionDiff(ApiModel):
    """What changed between two versions of an article: the twelve most severe sentences."""

    article: str
    base_version: int
    version: int
    severity: Severity
    kinds: list[ChangeKind]
    """What the changes touch."""
    edits: list[SentenceEdit]
    """The changed sentences, the most severe first."""
    credit: ArticleCredit


class StoryMemberRow(ApiModel):
    """An article of a story. Those of one `cluster` are one text."""

    id: str
    source: str
    language: str | None
    cluster: int
    headline: CleanString | None
    version: int | None


class StorySummary(ApiModel):
    """A story in a list, at its newest article that the filters select."""

    id: int | None
    """The story's number. Null for an article that is in no story yet. Numbers change when stories merge."""
    article: str
    source: str
    language: str | None
    version: int
    verdict: Verdict
    severity: Severity | None
    headline: CleanString | None
    """The title of the newest article. Null if its page has none."""
    active_at: datetime
    """The story's place in the list."""
    time_kind: TimeKind
    """What `active_at` is: of publication, or when it was seen or changed."""
    rules: list[str]
    articles: list[StoryMemberRow]
    """Its articles, the oldest first, at most 200."""


class StoryPage(AnswerPage):
    """A page of stories, the newest first."""

    items: list[StorySummary]


class StoryReport(ApiModel):
    """A story with its articles, the oldest first, at most 60."""

    id: int
    article_count: int
    articles: list[ArticleText]


class HitSummary(ApiModel):
    """An article that a search found, in its newest version that fulfils the query."""

    article: ArticleText
    versions: list[int]
    """All versions that fulfil the query, the oldest first."""
    current_version: int
    is_current: bool
    """Whether the article still fulfils the query."""
    left_at: datetime | None
    """When the first version was read that no longer fulfils it."""


class HitPage(AnswerPage):
    """A page of the articles that a search found."""

    query: CleanString
    """The query as it was understood."""
    items: list[HitSummary]


class RuleReport(ApiModel):
    """A rule in force."""

    name: str
    titles: dict[str, str]
    """Its title by language."""
    story_count: int
    """Stories in which it finds something. The count ends at 1,001."""


class RuleList(ApiModel):
    """The rules in force, in the order of the rules file."""

    items: list[RuleReport]


class AlarmReport(ApiModel):
    """An open alarm about a source."""

    kind: str
    since: datetime
    runs: int
    told: datetime | None
    """When the operator was notified."""
    failure: CleanString | None
    """Why the operator could not be notified."""


class SourceReport(ApiModel):
    """The state of a source now, as `crawler health` prints it."""

    name: str
    titles: dict[str, str]
    address: str
    enabled: bool
    health: str
    """`healthy`, `degraded`, `unreachable`, `blocked`, `changed`, `silent`, `failed`, `stopped` or `unwatched`."""
    exit_code: int
    reason: CleanString
    paused: bool
    since: datetime | None
    """When this health began."""
    last_run_at: datetime | None
    last_healthy_run_at: datetime | None
    next_run_at: datetime | None
    silence: CleanString | None
    unclustered: int
    """Articles that are in no story yet."""
    alarm: AlarmReport | None


class SourceList(ApiModel):
    """The enabled sources."""

    items: list[SourceReport]


class RunRow(ApiModel):
    """One crawl of a source."""

    id: int
    source: str
    mode: str
    """`live` or `replay`."""
    started_at: datetime
    finished_at: datetime | None
    health: Health | None
    """Null while it is active."""
    reason: CleanString | None
    exit_code: int | None
    counts: dict[str, int]
    problem_count: int


class RunPage(AnswerPage):
    """A page of runs, the newest first."""

    items: list[RunRow]


class RunProblem(ApiModel):
    """One failure in a run."""

    kind: str
    message: CleanString
    url: CleanString | None


class RunReport(RunRow):
    """A run with its failures."""

    problems: list[RunProblem]


class DeliveryRow(ApiModel):
    """A message on one channel."""

    channel: str
    """The channel's name in crawler.toml. Addresses of channels are secrets: no answer has them."""
    state: DeliveryState
    tries: int
    next_try_at: datetime
    sent_at: datetime | None


class MessageArticle(ApiModel):
    """An article that a message is about."""

    id: str
    headline: CleanString | None


class MessageRow(ApiModel):
    """A message of a subscription, with what became of it."""

    id: int
    subscription: str
    kind: str
    created_at: datetime
    deferred: bool
    """Whether quiet hours or a pause held it back."""
    deliveries: list[DeliveryRow]
    articles: list[MessageArticle]


class MessagePage(AnswerPage):
    """A page of messages, the newest first."""

    items: list[MessageRow]


class ActionRow(ApiModel):
    """What someone did with an article. The articles that were acted on together have one `batch`.

    `note` is the text of a note, and of `assigned` the name of the user.
    """

    id: int
    batch: int
    article: str
    version: int
    kind: ActionKind
    note: CleanString | None
    made_at: datetime
    made_by: str


class ActionPage(AnswerPage):
    """A page of actions that are not undone, the newest first."""

    items: list[ActionRow]


class ActionResult(ApiModel):
    """An action that was recorded."""

    batch: int
    """The number with which it can be undone."""


class LiveArticle(ApiModel):
    """The data of the live events `article` (something new) and `revision` (something changed)."""

    article: str
    version: int
    verdict: Verdict
    source: str
    language: str | None
    headline: CleanString | None
    """The title. Null if the page has none."""
    rules: list[str]
    severity: Severity | None
    story: int | None
    """The story's number. Null as long as the article is in none."""
    stored_at: datetime


class LiveSource(ApiModel):
    """The data of the live event `source`: a run has ended."""

    source: str
    run: int
    health: Health
    reason: CleanString | None
    finished_at: datetime
