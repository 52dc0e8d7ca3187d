"""Compare two versions of an article: each changed sentence, what the change touches, its severity and the reason.

Changes are *cosmetic* (punctuation, capitals, spaces, paragraphs), *editorial* (other words, another order, a new
headline with the same claims) or *substantive* (figures, dates, names, negations, attributions; sentences added or
removed; the page removed). In either order two texts have the same kinds and severity, except that *added* becomes
*removed*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from crawler.items import Article, Verdict, format_time
from crawler.revisions.alignment import AlignedSentence, AlignmentType, DiffSpan, align_texts, list_words
from crawler.revisions.claims import Claims, find_certain_names, find_claims, list_unmatched_names
from crawler.text.sentences import split_into_sentences

COMPARED_FIELDS = ("title", "lead", "body")
MIN_SENTENCE_WORDS = 4
"""A shorter sentence that is added or removed is a caption or a signature: an editorial change."""
MAX_LISTED_REASONS = 5


class ChangeKind(StrEnum):
    """What a change touches: a claim, the wording or form, or a whole sentence, field or page."""

    FIGURES = "figures"
    DATES = "dates"
    NAMES = "names"
    NEGATION = "negation"
    ATTRIBUTION = "attribution"
    WORDING = "wording"
    FORM = "form"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    TITLE = "title"
    LEAD = "lead"
    UNPUBLISHED = "unpublished"
    REPUBLISHED = "republished"


class Severity(StrEnum):
    """How severe a change is, the least first."""

    NONE = "none"
    COSMETIC = "cosmetic"
    EDITORIAL = "editorial"
    SUBSTANTIVE = "substantive"


SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChange:
    """A claim that differs between two sentences. `old` and `new` are its words, empty if there are none."""

    kind: ChangeKind
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceChange:
    """One sentence of one field and how it changed. `kinds` is empty for an unchanged sentence.

    `claims` are the claims that differ, of an edited sentence. For a fact about the page (`field` is `published_at`,
    `attribution` or `page`) the sentence is its value.
    """

    field: str
    sentence: AlignedSentence
    kinds: tuple[ChangeKind, ...] = ()
    severity: Severity = Severity.NONE
    reason: str | None = None
    claims: tuple[ClaimChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDiff:
    """All sentences of two versions in reading order."""

    sentences: tuple[SentenceChange, ...]

    @property
    def changed(self) -> tuple[SentenceChange, ...]:
        """The sentences that changed."""
        return tuple(each for each in self.sentences if each.kinds)

    @property
    def kinds(self) -> frozenset[ChangeKind]:
        """Everything that the changes touch."""
        return frozenset(kind for each in self.sentences for kind in each.kinds)

    @property
    def severity(self) -> Severity:
        """The severity of the most severe change."""
        return max((each.severity for each in self.sentences), key=SEVERITY_RANKS.__getitem__, default=Severity.NONE)

    @property
    def reason(self) -> str:
        """The reasons of the most severe changes, each once with its count."""
        counts = Counter(edit.reason or "" for edit in self.changed if edit.severity is self.severity)
        reasons = [f"{reason} ({count} times)" if count > 1 else reason for reason, count in counts.items()]
        if not reasons:
            return "nothing changed"
        left = len(reasons) - MAX_LISTED_REASONS
        return "; ".join(reasons[:MAX_LISTED_REASONS]) + (f" and {left} more" if left > 0 else "")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values of the sentences that changed."""
        return {
            "severity": self.severity,
            "reason": self.reason,
            "kinds": sorted(self.kinds),
            "edits": [
                {
                    "field": edit.field,
                    "fate": edit.sentence.alignment,
                    "kinds": list(edit.kinds),
                    "severity": edit.severity,
                    "reason": edit.reason,
                    "old": edit.sentence.old.strip() or None,
                    "new": edit.sentence.new.strip() or None,
                    "parts": [asdict(span) for span in edit.sentence.spans],
                }
                for edit in self.changed
            ],
        }


def diff_articles(old: Article, new: Article) -> RevisionDiff:
    """Return what changed from one version of an article to another."""
    texts = {field: (getattr(old, field) or "", getattr(new, field) or "") for field in COMPARED_FIELDS}
    return RevisionDiff(sentences=(*_diff_page_state(old, new), *_diff_fields(texts), *_diff_metadata(old, new)))


def _diff_fields(texts: Mapping[str, tuple[str, str]]) -> Iterator[SentenceChange]:
    sentences = (sentence for pair in texts.values() for text in pair for sentence in split_into_sentences(text))
    names = find_certain_names(sentences)
    for field, (old, new) in texts.items():
        for sentence in align_texts(old, new):
            yield _classify_sentence(field, sentence, names)


def _classify_sentence(field: str, sentence: AlignedSentence, names: frozenset[str]) -> SentenceChange:
    if sentence.alignment is AlignmentType.SAME:
        return SentenceChange(field=field, sentence=sentence)
    kinds, severity, reason, claims = _classify_change(sentence, names)
    if field != "body":
        kinds, reason = (ChangeKind(field), *kinds), f"{field}: {reason}"
    return SentenceChange(field=field, sentence=sentence, kinds=kinds, severity=severity, reason=reason, claims=claims)


def _classify_change(
    sentence: AlignedSentence, names: frozenset[str]
) -> tuple[tuple[ChangeKind, ...], Severity, str, tuple[ClaimChange, ...]]:
    """Return what the change touches, its severity, the reason, and the claims that differ."""
    if sentence.alignment is AlignmentType.MOVED:
        return (ChangeKind.MOVED,), Severity.EDITORIAL, "a sentence moved", ()
    if sentence.alignment in (AlignmentType.ADDED, AlignmentType.REMOVED):
        count = len(list_words(sentence.old + sentence.new))
        severity = Severity.EDITORIAL if count else Severity.COSMETIC
        if count >= MIN_SENTENCE_WORDS:
            severity = Severity.SUBSTANTIVE
        return (ChangeKind(sentence.alignment.value),), severity, f"a sentence {sentence.alignment}", ()
    claims = tuple(_compare_claims(find_claims(sentence.old, names), find_claims(sentence.new, names)))
    if claims:
        reason = ", ".join(f"{claim.kind}: {_format_change(claim.old, claim.new)}" for claim in claims)
        return tuple(claim.kind for claim in claims), Severity.SUBSTANTIVE, reason, claims
    if _list_wording(sentence.old) == _list_wording(sentence.new):
        return (ChangeKind.FORM,), Severity.COSMETIC, "punctuation, capitals or spaces", ()
    return (ChangeKind.WORDING,), Severity.EDITORIAL, "other words", ()


def _list_wording(sentence: str) -> list[str]:
    """Return the words without figures, which are compared as claims."""
    return [word for word in list_words(sentence) if not word[0].isdigit()]


def _compare_claims(old: Claims, new: Claims) -> Iterator[ClaimChange]:
    for kind, before, after in (
        (ChangeKind.FIGURES, old.figures, new.figures),
        (ChangeKind.DATES, old.dates, new.dates),
        (ChangeKind.NEGATION, old.negations, new.negations),
        (ChangeKind.ATTRIBUTION, old.attributions, new.attributions),
    ):
        if kind is ChangeKind.NEGATION and before.total() == after.total():
            continue  # "is not" and "isn't" deny the same.
        if before != after:
            yield _make_claim_change(kind, (before - after).elements(), (after - before).elements())
    removed, added = list_unmatched_names(old.names, new.names), list_unmatched_names(new.names, old.names)
    if removed or added:
        yield _make_claim_change(ChangeKind.NAMES, removed, added)


def _make_claim_change(kind: ChangeKind, old: Iterable[str], new: Iterable[str]) -> ClaimChange:
    return ClaimChange(kind=kind, old=" ".join(old), new=" ".join(new))


def _format_change(old: str, new: str) -> str:
    return f"{old or '–'} → {new or '–'}"


def _diff_page_state(old: Article, new: Article) -> Iterator[SentenceChange]:
    """Yield a change if the page itself disappeared or returned."""
    was_gone, is_gone = (each.verdict is Verdict.UNPUBLISHED for each in (old, new))
    if was_gone is not is_gone:
        kind = ChangeKind.UNPUBLISHED if is_gone else ChangeKind.REPUBLISHED
        reason = "the page was taken away" if is_gone else "the page is there again"
        old_state, new_state = ("gone" if gone else "there" for gone in (was_gone, is_gone))
        yield _make_metadata_change("page", old_state, new_state, kind, reason)


def _diff_metadata(old: Article, new: Article) -> Iterator[SentenceChange]:
    """Yield the changed facts about the text."""
    for field, kind in (("published_at", ChangeKind.DATES), ("attribution", ChangeKind.ATTRIBUTION)):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            if field == "published_at":
                before, after = format_time(before), format_time(after)
            reason = f"{field}: {_format_change(before, after)}"
            yield _make_metadata_change(field, before or "", after or "", kind, reason)


def _make_metadata_change(field: str, old: str, new: str, kind: ChangeKind, reason: str) -> SentenceChange:
    spans = tuple(span for span in (DiffSpan("removed", old), DiffSpan("added", new)) if span.text)
    sentence = AlignedSentence(alignment=AlignmentType.EDITED, spans=spans)
    return SentenceChange(field=field, sentence=sentence, kinds=(kind,), severity=Severity.SUBSTANTIVE, reason=reason)
