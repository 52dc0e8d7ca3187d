"""What changed between two versions of an article: sentence by sentence, with kinds, a severity and its reason.

Changes are *cosmetic* (punctuation, capitals, spaces, paragraphs), *editorial* (other words, another order, a new
headline that claims the same) or *substantive* (figures, dates, names, negations, attributions; sentences added or
removed; the page taken away). Two texts give the same kinds and severity in either order, but that what is added one
way is removed the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from crawler.items import Article, Verdict, format_time
from crawler.revisions.alignment import AlignedSentence, ChangeType, DiffSpan, align_texts, list_words, split_sentences
from crawler.revisions.claims import Claims, find_certain_names, find_claims, list_unmatched_names

COMPARED_FIELDS = ("title", "lead", "body")
MIN_SENTENCE_WORDS = 4
"""Words below which a sentence added or removed is taken for a caption or a signature: editorial."""


class ClaimType(StrEnum):
    """What an edit touches."""

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
    """How much an edit weighs, the least first."""

    NONE = "none"
    COSMETIC = "cosmetic"
    EDITORIAL = "editorial"
    SUBSTANTIVE = "substantive"


SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
CLAIM_TYPES = frozenset(
    {ClaimType.FIGURES, ClaimType.DATES, ClaimType.NAMES, ClaimType.NEGATION, ClaimType.ATTRIBUTION}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceChange:
    """One sentence of one field, with what an edit did to it; `kinds` is empty for one that stayed as it was.

    For a fact of the page (`field` is `published_at`, `attribution` or `page`) the sentence is its value.
    """

    field: str
    sentence: AlignedSentence
    kinds: tuple[ClaimType, ...] = ()
    severity: Severity = Severity.NONE
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDiff:
    """All sentences of two versions in reading order, and what the edits amount to."""

    edits: tuple[SentenceChange, ...]

    @property
    def changed(self) -> tuple[SentenceChange, ...]:
        """The edits that changed something."""
        return tuple(edit for edit in self.edits if edit.kinds)

    @property
    def kinds(self) -> frozenset[ClaimType]:
        """Everything that was touched."""
        return frozenset(kind for edit in self.edits for kind in edit.kinds)

    @property
    def severity(self) -> Severity:
        """The gravest edit's."""
        return max((edit.severity for edit in self.edits), key=SEVERITY_RANKS.__getitem__, default=Severity.NONE)

    @property
    def reason(self) -> str:
        """Why the severity is what it is, in a few words: the reasons of the gravest edits, each once."""
        gravest = [edit for edit in self.changed if edit.severity is self.severity]
        told = [edit.reason or "" for edit in gravest]
        counted = [f"{why} ({number} times)" if number > 1 else why for why, number in Counter(told).items()]
        more = f" and {len(counted) - 5} more" if len(counted) > 5 else ""
        return "; ".join(counted[:5]) + more if counted else "nothing changed"

    def list_sentences(self, field: str) -> tuple[AlignedSentence, ...]:
        """The alignment of one field, for `alignment.apply`."""
        return tuple(edit.sentence for edit in self.edits if edit.field == field)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: only sentences that changed."""
        return {
            "severity": self.severity,
            "reason": self.reason,
            "kinds": sorted(self.kinds),
            "edits": [
                {
                    "field": edit.field,
                    "fate": edit.sentence.change_type,
                    "kinds": list(edit.kinds),
                    "severity": edit.severity,
                    "reason": edit.reason,
                    "old": edit.sentence.old.strip() or None,
                    "new": edit.sentence.new.strip() or None,
                    "parts": [asdict(part) for part in edit.sentence.spans],
                }
                for edit in self.changed
            ],
        }


def diff_articles(old: Article, new: Article) -> RevisionDiff:
    """What changed from one version of an article to another."""
    texts = {field: (getattr(old, field) or "", getattr(new, field) or "") for field in COMPARED_FIELDS}
    return RevisionDiff(edits=(*_diff_page_state(old, new), *_diff_fields(texts), *_diff_metadata(old, new)))


def diff_texts(old: str, new: str) -> RevisionDiff:
    """What changed from one plain text to another."""
    return RevisionDiff(edits=tuple(_diff_fields({"body": (old, new)})))


def _diff_fields(texts: Mapping[str, tuple[str, str]]) -> Iterator[SentenceChange]:
    names = find_certain_names(
        sentence for pair in texts.values() for text in pair for sentence in split_sentences(text)
    )
    for field, (old, new) in texts.items():
        for sentence in align_texts(old, new):
            yield _classify_sentence(field, sentence, names)


def _classify_sentence(field: str, sentence: AlignedSentence, names: frozenset[str]) -> SentenceChange:
    """The sentence with what its edit means."""
    if sentence.change_type is ChangeType.SAME:
        return SentenceChange(field=field, sentence=sentence)
    kinds, severity, reason = _classify_change(sentence, names)
    if field == "body":
        return SentenceChange(field=field, sentence=sentence, kinds=kinds, severity=severity, reason=reason)
    return SentenceChange(field=field, sentence=sentence, kinds=(ClaimType(field), *kinds), severity=severity,
                reason=f"{field}: {reason}")  # fmt: skip


def _classify_change(sentence: AlignedSentence, names: frozenset[str]) -> tuple[tuple[ClaimType, ...], Severity, str]:
    if sentence.change_type is ChangeType.MOVED:
        return (ClaimType.MOVED,), Severity.EDITORIAL, "a sentence stands elsewhere"
    if sentence.change_type in (ChangeType.ADDED, ChangeType.REMOVED):
        number = len(list_words(sentence.old + sentence.new))
        severity = (
            Severity.SUBSTANTIVE
            if number >= MIN_SENTENCE_WORDS
            else Severity.EDITORIAL
            if number
            else Severity.COSMETIC
        )
        return (ClaimType(sentence.change_type.value),), severity, f"a sentence {sentence.change_type}"
    claims = dict(_compare_claims(find_claims(sentence.old, names), find_claims(sentence.new, names)))
    if claims:
        reason = ", ".join(f"{kind}: {told}" for kind, told in claims.items())
        return tuple(claims), Severity.SUBSTANTIVE, reason
    if _list_wording(sentence.old) == _list_wording(sentence.new):
        return (ClaimType.FORM,), Severity.COSMETIC, "punctuation, capitals or spaces"
    return (ClaimType.WORDING,), Severity.EDITORIAL, "other words"


def _list_wording(sentence: str) -> list[str]:
    return [word for word in list_words(sentence) if not word[0].isdigit()]  # figures were compared as numbers


def _compare_claims(old: Claims, new: Claims) -> Iterator[tuple[ClaimType, str]]:
    """The claims that differ, each with what it was and is."""
    for kind, one, other in (
        (ClaimType.FIGURES, old.figures, new.figures),
        (ClaimType.DATES, old.dates, new.dates),
        (ClaimType.NEGATION, old.negations, new.negations),
        (ClaimType.ATTRIBUTION, old.attributions, new.attributions),
    ):
        if kind is ClaimType.NEGATION and one.total() == other.total():
            continue  # "is not" and "isn't" deny the same
        if one != other:
            yield kind, _format_difference((one - other).elements(), (other - one).elements())
    gone, come = list_unmatched_names(old.names, new.names), list_unmatched_names(new.names, old.names)
    if gone or come:
        yield ClaimType.NAMES, _format_difference(gone, come)


def _format_difference(gone: Iterable[str], come: Iterable[str]) -> str:
    return f"{' '.join(gone) or '–'} → {' '.join(come) or '–'}"


def _diff_page_state(old: Article, new: Article) -> Iterator[SentenceChange]:
    """Whether the page itself went away or came back."""
    was, now = (each.verdict is Verdict.UNPUBLISHED for each in (old, new))
    if was is not now:
        kind = ClaimType.UNPUBLISHED if now else ClaimType.REPUBLISHED
        told = "the page was taken away" if now else "the page is there again"
        yield _make_metadata_change("page", "gone" if was else "there", "gone" if now else "there", kind, told)


def _diff_metadata(old: Article, new: Article) -> Iterator[SentenceChange]:
    """What the page says about the text."""
    for field, kind in (("published_at", ClaimType.DATES), ("attribution", ClaimType.ATTRIBUTION)):
        one, other = (getattr(each, field) for each in (old, new))
        if one != other:
            one, other = (format_time(each) if field == "published_at" else each for each in (one, other))
            yield _make_metadata_change(field, one or "", other or "", kind, f"{field}: {one or '–'} → {other or '–'}")


def _make_metadata_change(field: str, old: str, new: str, kind: ClaimType, told: str) -> SentenceChange:
    marks = (DiffSpan("removed", old), DiffSpan("added", new))
    sentence = AlignedSentence(change_type=ChangeType.EDITED, spans=tuple(part for part in marks if part.text))
    return SentenceChange(field=field, sentence=sentence, kinds=(kind,), severity=Severity.SUBSTANTIVE, reason=told)
