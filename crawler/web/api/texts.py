"""The models of articles, from entries: an entry holds no more text than the rights of the source allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crawler.items import Article, Strength
from crawler.publish.builder import EntryRequest
from crawler.publish.entries import Entry, EntryEdit, RelatedArticle
from crawler.rights import Credit, Piece
from crawler.store.article_lists import ListedArticle
from crawler.store.reading_lists import ListedStory, StoryArticle
from crawler.web.api.models import (
    ArticleCredit,
    ArticleSummary,
    ArticleText,
    ClaimEdit,
    ExcerptPiece,
    MatchedWord,
    RelatedLink,
    SentenceEdit,
    StoryMemberRow,
    StorySummary,
    VersionDiff,
)
from crawler.web.newsroom import Newsroom

DERIVED_START = "‹"
"""How a card writes a headline that is the beginning of the text: without its length no list may show it."""
MAX_RELATED = 60


def make_texts(newsroom: Newsroom, articles: Iterable[Article], language: str, **wanted: Any) -> list[ArticleText]:
    """Return articles with as much text as one answer may contain. `language` is that of the sources' titles."""
    requests = [
        EntryRequest(article=article, strength=Strength.WEAK, language=language, **wanted) for article in articles
    ]
    return [make_text(entry) for entry in newsroom.entry_builder.build(requests)]


def make_text(entry: Entry) -> ArticleText:
    """Return an entry as an answer shows it."""
    return ArticleText(
        id=entry.id,
        source=entry.source,
        source_title=entry.source_title,
        url=entry.url,
        language=entry.language,
        version=entry.version,
        verdict=entry.verdict,
        headline=entry.headline,
        headline_derived=entry.is_derived,
        lead=entry.lead,
        excerpt=[_make_piece(piece) for piece in entry.excerpt.pieces],
        excerpt_whole=entry.excerpt.whole,
        published_at=entry.published_at,
        published_precision=entry.precision,
        first_seen_at=entry.seen_at,
        changed_at=entry.changed_at,
        text_removed_at=entry.text_removed_at,
        section=entry.section,
        place=entry.place,
        author=entry.author,
        rules=list(entry.rules),
        matches=[
            MatchedWord(
                rule=match.rule, term=match.term, surface=match.surface, field=match.field, strength=match.strength
            )
            for match in entry.matches
        ],
        story=entry.story,
        copy_of=entry.copy_of,
        credit=make_credit(entry.credit),
        flags=list(entry.flags),
        related=[_make_link(other) for other in entry.others[:MAX_RELATED]],
    )


def make_diff(entry: Entry) -> VersionDiff:
    """Return the edits of an entry that was built with them."""
    assert entry.severity is not None
    assert entry.base_version is not None
    return VersionDiff(
        article=entry.id,
        base_version=entry.base_version,
        version=entry.version,
        severity=entry.severity,
        kinds=list(entry.kinds),
        edits=[_make_edit(edit) for edit in entry.edits],
        credit=make_credit(entry.credit),
    )


def make_credit(credit: Credit) -> ArticleCredit:
    """Return what to print beside a text."""
    return ArticleCredit(
        allowed_share=credit.share,
        link_required=credit.link_required,
        reference=credit.reference,
        attribution=credit.attribution,
    )


def make_summary(listed: ListedArticle) -> ArticleSummary:
    """Return an article of a list."""
    return ArticleSummary(
        id=listed.id,
        source=listed.source,
        language=listed.language,
        url=listed.url,
        version=listed.version,
        verdict=listed.verdict,
        published_at=listed.published_at,
        first_seen_at=listed.first_seen_at,
        headline=get_listed_title(listed.headline),
        rules=list(listed.rules),
        is_matched=listed.is_matched,
        severity=listed.severity,
        story=listed.story,
        copy_of=listed.copy_of,
    )


def make_story_summary(story: ListedStory) -> StorySummary:
    """Return a story of a list."""
    card = story.card
    return StorySummary(
        id=story.id,
        article=card.article_id,
        source=card.source,
        language=card.language,
        version=card.version,
        verdict=card.verdict,
        severity=card.severity,
        headline=get_listed_title(card.headline),
        active_at=card.active_at,
        time_kind=card.time_kind,
        rules=list(card.rules),
        articles=make_members(story.articles),
    )


def make_members(articles: Sequence[StoryArticle]) -> list[StoryMemberRow]:
    """Return the articles of a listed story."""
    return [
        StoryMemberRow(
            id=each.article_id,
            source=each.source,
            language=each.language,
            cluster=each.cluster,
            headline=get_listed_title(each.headline),
            version=each.version,
        )
        for each in articles
    ]


def get_listed_title(title: str | None) -> str | None:
    """Return the headline of a card if it is the page's title. The beginning of a text counts as text."""
    return None if title is None or title.startswith(DERIVED_START) else title


def _make_piece(piece: Piece) -> ExcerptPiece:
    before, after = piece.ends
    shift = len(before)
    return ExcerptPiece(
        text=f"{before}{piece.text}{after}", marks=[(start + shift, end + shift) for start, end in piece.marks]
    )


def _make_link(other: RelatedArticle) -> RelatedLink:
    return RelatedLink(
        id=other.id,
        source=other.source,
        language=other.language,
        url=other.url,
        headline=other.headline,
        published_at=other.published_at,
        is_copy=other.is_copy,
        is_possible=other.is_possible,
    )


def _make_edit(edit: EntryEdit) -> SentenceEdit:
    return SentenceEdit(
        field=edit.field,
        alignment=edit.alignment,
        severity=edit.severity,
        old=edit.old,
        new=edit.new,
        claims=[ClaimEdit(kind=claim.kind, old=claim.old or None, new=claim.new or None) for claim in edit.claims],
        is_cut=edit.is_cut,
    )
