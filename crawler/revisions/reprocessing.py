"""Compare an article as it was stored with the same page as today's page classes and rules read it.

Nothing here is an edit of the site: every difference has the kind `reprocessed` and no severity.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crawler.items import Article, Match, format_time
from crawler.revisions.alignment import AlignedSentence, AlignmentType, DiffSpan, align_texts
from crawler.revisions.changes import COMPARED_FIELDS, get_rules_version
from crawler.revisions.kinds import ChangeKind
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange

MATCHES_FIELD = "matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """A field that is read otherwise today. `before` and `after` are texts, or plain JSON values."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingDifference:
    """What differs between two readings of one page. A match that only moved with its text is in neither list."""

    fields: tuple[FieldDifference, ...] = ()
    gained: tuple[Match, ...] = ()
    lost: tuple[Match, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.gained or self.lost)


def _list_images(article: Article) -> list[dict[str, Any]]:
    return [asdict(image) for image in article.images]


READ_FIELDS: dict[str, Callable[[Article], Any]] = {
    "title": lambda article: article.title,
    "lead": lambda article: article.lead,
    "body": lambda article: article.body,
    "language": lambda article: article.language,
    "published_at": lambda article: format_time(article.published_at),
    "published_raw": lambda article: article.published_raw,
    "published_precision": lambda article: article.published_precision,
    "url": lambda article: article.url,
    "section": lambda article: article.section,
    "place": lambda article: article.place,
    "author": lambda article: article.author,
    "attribution": lambda article: article.attribution,
    "images": _list_images,
    "reading_minutes": lambda article: article.reading_minutes,
    "rights": lambda article: article.rights.wording if article.rights else None,
    "flags": lambda article: list(article.flags),
    "extraction": lambda article: article.extraction,
    "requested_language": lambda article: article.requested_language,
}
"""The fields that a page class reads, and their values. Only the wording of the rights comes from the page."""


def compare_readings(stored: Article, reread: Article) -> ReadingDifference:
    """Return which fields and matches of a stored version a new reading of its page has otherwise.

    The instants of two times are compared, so the same time in another zone is no difference.
    """
    gained, lost = (Counter(map(_make_match_key, article.matches)) for article in (reread, stored))
    return ReadingDifference(
        fields=tuple(_list_field_differences(stored, reread)),
        gained=tuple(_select_matches(reread.matches, gained - lost)),
        lost=tuple(_select_matches(stored.matches, lost - gained)),
    )


def diff_reprocessed(old: Article, new: Article) -> RevisionDiff:
    """Return what a reprocessed version reads otherwise than the version before it."""
    difference = compare_readings(old, new)
    changed = {each.field: each for each in difference.fields}
    sentences: list[SentenceChange] = []
    for field in COMPARED_FIELDS:
        if field in changed:
            texts = align_texts(getattr(old, field) or "", getattr(new, field) or "")
            sentences += (_mark_sentence(field, sentence) for sentence in texts)
    for field, each in changed.items():
        if field not in COMPARED_FIELDS:
            spans = (DiffSpan("removed", format_value(each.before)), DiffSpan("added", format_value(each.after)))
            visible = tuple(span for span in spans if span.text)
            sentence = AlignedSentence(alignment=AlignmentType.EDITED, spans=visible)
            sentences.append(_mark_sentence(field, sentence))
    for alignment, matches in ((AlignmentType.REMOVED, difference.lost), (AlignmentType.ADDED, difference.gained)):
        for match in matches:
            span = DiffSpan("removed" if alignment is AlignmentType.REMOVED else "added", format_match(match))
            sentences.append(_mark_sentence(MATCHES_FIELD, AlignedSentence(alignment=alignment, spans=(span,))))
    return RevisionDiff(sentences=tuple(sentences), rules=get_rules_version())


def format_value(value: Any) -> str:
    """Return a field's value as text: a text as it is, nothing for None, JSON for a list."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def format_match(match: Match) -> str:
    """Return a match as one line: rule, word, strength and sentence."""
    return f"{match.rule}, {match.surface!r}, {match.strength}: {' '.join(match.sentence.split())}"


def _list_field_differences(stored: Article, reread: Article) -> Iterator[FieldDifference]:
    for field, get_value in READ_FIELDS.items():
        before, after = get_value(stored), get_value(reread)
        is_same = stored.published_at == reread.published_at if field == "published_at" else before == after
        if not is_same:
            yield FieldDifference(field=field, before=before, after=after)


def _make_match_key(match: Match) -> tuple[str, str, str]:
    return match.rule, match.term, match.strength


def _select_matches(matches: Sequence[Match], counts: Counter[tuple[str, str, str]]) -> Iterator[Match]:
    """Yield as many matches of each kind as are counted."""
    left = counts.copy()
    for match in matches:
        if left[_make_match_key(match)] > 0:
            left[_make_match_key(match)] -= 1
            yield match


def _mark_sentence(field: str, sentence: AlignedSentence) -> SentenceChange:
    is_same = sentence.alignment is AlignmentType.SAME
    kinds = () if is_same else (ChangeKind.REPROCESSED,)
    return SentenceChange(field=field, sentence=sentence, kinds=kinds, reason=None if is_same else field)
