"""Article cards: what a list shows of each matched article, in columns of its own.

To draw a list, no whole version is read. A card is written in the transaction that writes the version, for an article
in which a rule finds something or once found something. It shows the current version. Its `version` is the last
one that was news.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, select

from crawler.items import Article, Match, Precision, Strength, Verdict
from crawler.revisions.kinds import SEVERITY_RANKS, Severity
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange
from crawler.store.database import Database
from crawler.store.reading_schema import article_cards, unwritten_cards
from crawler.store.schema import articles, change_events, revision_diffs, versions
from crawler.store.serialization import parse_article, parse_diff
from crawler.store.statements import make_upsert
from crawler.text.sentences import locate_sentence

MAX_EXCERPTS = 2
MAX_EXCERPT_LENGTH = 420
"""Characters of a sentence in a list."""
MAX_FOUND_LATE = timedelta(hours=1)
"""An article that is found later than this after its publication is listed when it was found, so that it is seen."""
CARDS_PER_BATCH = 100
PARSED_TEXTS = 500
"""Texts of a column, of up to 5 kB, whose values are kept: lists show the same newest cards again and again."""
log = logging.getLogger(__name__)


class TimeKind(StrEnum):
    """What `ArticleCard.active_at` is. The database stores these values."""

    PUBLISHED = "published"
    DAY = "day"
    """The day of publication; the page names no time of day."""
    SEEN = "seen"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class CardExcerpt:
    """A sentence of an article. `marks` are the spans of its matches, `field` is title, lead or body."""

    field: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleCard:
    """An article in a list. `active_at` (aware) is its place in time. `change` are spans (mark, text) of its change.

    `is_strong`: a rule has, or once had, a certain match. `rules` are empty once nothing in the text matches any more.
    """

    article_id: str
    source: str
    language: str | None
    version: int
    verdict: Verdict
    severity: Severity | None
    active_at: datetime
    time_kind: TimeKind
    is_strong: bool
    headline: str
    rules: tuple[str, ...]
    excerpts: tuple[CardExcerpt, ...]
    change: tuple[tuple[str, str], ...]


class CardTime(NamedTuple):
    """When a version was first seen (aware), and whether its change event is suppressed: it was there before."""

    seen_at: datetime
    is_suppressed: bool


CARD_COLUMNS = tuple(field.name for field in fields(ArticleCard))
_UPSERT = make_upsert(article_cards, key=("article_id",))
_GET_STRENGTH = select(article_cards.c.is_strong).where(article_cards.c.article_id == bindparam("of_article"))
_GET_CARD = select(*(article_cards.c[name] for name in CARD_COLUMNS)).where(
    article_cards.c.article_id == bindparam("of_article")
)
_DELETE = delete(article_cards).where(article_cards.c.article_id == bindparam("of_article"))
_LIST_UNWRITTEN = select(unwritten_cards.c.article_id).order_by(unwritten_cards.c.article_id).limit(CARDS_PER_BATCH)
_DELETE_UNWRITTEN = delete(unwritten_cards).where(unwritten_cards.c.article_id == bindparam("of_article"))
_GET_CURRENT = (
    select(
        versions.c.article,
        versions.c.seen_at,
        change_events.c.id.label("event_id"),
        change_events.c.suppressed_because.label("suppressed_because"),
        revision_diffs.c.rules,
        revision_diffs.c.diff,
    )
    .select_from(articles)
    .join(versions, (versions.c.article_id == articles.c.id) & (versions.c.version == articles.c.current_version))
    .outerjoin(
        change_events,
        (change_events.c.article_id == articles.c.id) & (change_events.c.version == articles.c.current_version),
    )
    .outerjoin(
        revision_diffs,
        (revision_diffs.c.article_id == articles.c.id) & (revision_diffs.c.version == articles.c.current_version),
    )
    .where(articles.c.id == bindparam("of_article"))
)


def write_card(connection: Connection, article: Article, time: CardTime, diff: RevisionDiff | None) -> None:
    """Write the card of a version in the caller's transaction, if the article matches or has a card already."""
    is_first = article.version == 1
    known = [] if is_first else connection.execute(_GET_STRENGTH, {"of_article": article.id}).all()
    if not article.matches and not known:
        return
    card = make_card(article, time, diff)
    if known and known[0].is_strong:
        card = replace(card, is_strong=True)
    _save(connection, card)


def refresh_card(connection: Connection, article: Article, seen_at: datetime) -> None:
    """Write what a new reading of an old page shows, in the caller's transaction.

    It is no news: time and version of the card stay, so a reader who saw the article has seen it.
    """
    former = connection.execute(_GET_CARD, {"of_article": article.id}).first()
    if former is not None:
        _save(connection, _keep_history(make_card(article, CardTime(seen_at, True), None), parse_card(former)))
    elif article.matches:
        # It is no news: it is listed as if it had matched when it was found.
        _save(connection, make_card(article, CardTime(seen_at, True), None, is_first=True))


def rewrite_card(connection: Connection, article_id: str) -> None:
    """Write the card of an article's current version again, or delete it if no rule finds anything any more.

    For matches that changed because the rules did: then what an earlier rule found is of no interest.
    """
    row = connection.execute(_GET_CURRENT, {"of_article": article_id}).first()
    article = parse_article(row.article) if row else None
    if row is None or article is None or not article.matches:
        connection.execute(_DELETE, {"of_article": article_id})
        return
    diff = parse_diff(row.diff, row.rules) if row.diff else None
    is_suppressed = row.event_id is None or row.suppressed_because is not None
    card = make_card(article, CardTime(row.seen_at, is_suppressed), diff)
    former = connection.execute(_GET_CARD, {"of_article": article_id}).first()
    if former is not None:
        card = replace(_keep_history(card, parse_card(former)), is_strong=card.is_strong)
    _save(connection, card)


def _keep_history(card: ArticleCard, former: ArticleCard) -> ArticleCard:
    """Return a card with what happened to the article as the former card says it."""
    return replace(
        card,
        version=former.version,
        verdict=former.verdict,
        severity=former.severity,
        active_at=former.active_at,
        time_kind=former.time_kind,
        change=former.change,
        is_strong=card.is_strong or former.is_strong,
    )


def make_card(
    article: Article, time: CardTime, diff: RevisionDiff | None, *, is_first: bool | None = None
) -> ArticleCard:
    """Return the card of a version. `diff` is what it changed, None for a first version.

    `is_first` (None: by the version's number) says whether its time is that of the article or of a change.
    """
    is_new = (article.version or 1) == 1 if is_first is None else is_first
    active_at, kind = _choose_time(article, time, is_first=is_new)
    return ArticleCard(
        article_id=article.id,
        source=article.source,
        language=article.language,
        version=article.version or 1,
        verdict=article.verdict or Verdict.NEW,
        severity=diff.severity if diff else None,
        active_at=active_at,
        time_kind=kind,
        is_strong=article.is_matched,
        headline=article.headline,
        rules=tuple(dict.fromkeys(match.rule for match in article.matches)),
        excerpts=_make_excerpts(article),
        change=_make_change(diff) if diff else (),
    )


class CardRepository:
    """`store.cards`. `store.articles.save` and `store.rematches.save_matches` write them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, article_id: str) -> ArticleCard | None:
        """Return the card of an article, or None."""
        rows = self._database.fetch_all(_GET_CARD, {"of_article": article_id})
        return parse_card(rows[0]) if rows else None

    def write_missing(self) -> int:
        """Write the cards that a store of an older version lacks, a batch a transaction. Return how many."""
        count = 0
        while batch := self._database.fetch_all(_LIST_UNWRITTEN):
            if count == 0:
                log.info("Writing what lists show of the matched articles in the store, once")
            with self._database.transaction() as connection:
                for row in batch:
                    rewrite_card(connection, row.article_id)
                    connection.execute(_DELETE_UNWRITTEN, {"of_article": row.article_id})
            count += len(batch)
        return count


def parse_card(row: Row[Any]) -> ArticleCard:
    """Return the card from a row that has `CARD_COLUMNS`."""
    return ArticleCard(
        article_id=row.article_id,
        source=row.source,
        language=row.language,
        version=row.version,
        verdict=Verdict(row.verdict),
        severity=Severity(row.severity) if row.severity else None,
        active_at=row.active_at,
        time_kind=TimeKind(row.time_kind),
        is_strong=row.is_strong,
        headline=row.headline,
        rules=parse_rules(row.rules),
        excerpts=_parse_excerpts(row.excerpts),
        change=_parse_change(row.change),
    )


@lru_cache(maxsize=PARSED_TEXTS)
def parse_rules(text: str) -> tuple[str, ...]:
    """Return the names of the rules in a card's column."""
    return tuple(json.loads(text))


@lru_cache(maxsize=PARSED_TEXTS)
def _parse_excerpts(text: str) -> tuple[CardExcerpt, ...]:
    return tuple(
        CardExcerpt(field, excerpt, tuple((start, end) for start, end in marks))
        for field, excerpt, marks in json.loads(text)
    )


@lru_cache(maxsize=PARSED_TEXTS)
def _parse_change(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((mark, span) for mark, span in json.loads(text))


def _save(connection: Connection, card: ArticleCard) -> None:
    row = {name: getattr(card, name) for name in CARD_COLUMNS}
    row |= {
        "rules": json.dumps(card.rules, ensure_ascii=False),
        # Escaped: a database may refuse a part of a page's text, such as a lone surrogate.
        "excerpts": json.dumps([[each.field, each.text, each.marks] for each in card.excerpts]),
        "change": json.dumps(card.change),
    }
    connection.execute(_UPSERT[connection.dialect.name], row)


def _choose_time(article: Article, time: CardTime, *, is_first: bool) -> tuple[datetime, TimeKind]:
    if not is_first:
        return time.seen_at, TimeKind.CHANGED
    published = article.published_at
    if published is None or published > time.seen_at:
        return time.seen_at, TimeKind.SEEN
    is_day = article.published_precision is Precision.DAY
    if time.is_suppressed or (is_day and time.seen_at - published < timedelta(days=1)):
        return published, TimeKind.DAY if is_day else TimeKind.PUBLISHED
    is_late = time.seen_at - published > MAX_FOUND_LATE
    return (time.seen_at, TimeKind.SEEN) if is_late else (published, TimeKind.PUBLISHED)


def _make_excerpts(article: Article) -> tuple[CardExcerpt, ...]:
    """Return the first sentences with a match, those of certain matches and of the body first."""
    found: dict[tuple[str, int, int], list[Match]] = {}
    headline = article.headline
    ordered = sorted(article.matches, key=lambda match: (match.strength is not Strength.STRONG, match.field == "title"))
    for match in ordered:
        text = article.texts.get(match.field)
        if not text:
            continue
        start, end = locate_sentence(text, match.start, match.end)
        if match.field == "title" and (found or text[start:end] in headline):
            continue
        if (match.field, start, end) in found or len(found) < MAX_EXCERPTS:
            found.setdefault((match.field, start, end), []).append(match)
    return tuple(_cut_excerpt(article, *place, matches) for place, matches in found.items())


def _cut_excerpt(article: Article, field: str, start: int, end: int, found: Sequence[Match]) -> CardExcerpt:
    """Return a sentence of bounded length around its first match."""
    text = article.texts[field] or ""
    if end - start > MAX_EXCERPT_LENGTH:
        start = max(start, found[0].start - MAX_EXCERPT_LENGTH // 3)
        end = min(end, start + MAX_EXCERPT_LENGTH)
    marks = sorted({(m.start - start, min(m.end, end) - start) for m in found if start <= m.start < end})
    disjoint: list[tuple[int, int]] = []
    for mark in marks:
        if not disjoint or mark[0] >= disjoint[-1][1]:
            disjoint.append(mark)
    return CardExcerpt(field, text[start:end], tuple(disjoint))


def _make_change(diff: RevisionDiff) -> tuple[tuple[str, str], ...]:
    """Return the spans of the most severe changed sentence of the text, cut to a bounded length around the change."""
    changed = [each for each in diff.changed if each.field in ("title", "lead", "body")]
    if not changed:
        return ()
    worst: SentenceChange = max(changed, key=lambda each: SEVERITY_RANKS[each.severity])
    spans: list[tuple[str, str]] = []
    left = MAX_EXCERPT_LENGTH
    for span in worst.sentence.spans:
        text = span.text
        if span.mark == "same" and len(text) > MAX_EXCERPT_LENGTH // 3:
            part = MAX_EXCERPT_LENGTH // 6
            text = f"… {text[-part:]}" if not spans else f"{text[:part]} … {text[-part:]}"
        if left <= 0:
            break
        spans.append((span.mark, text[:left] + ("…" if len(text) > left else "")))
        left -= len(text)
    return tuple(spans)
