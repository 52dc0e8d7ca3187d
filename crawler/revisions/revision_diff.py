"""What changed between two versions of an article. Nothing that judges is imported, so that commands start fast."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from crawler.revisions.alignment import AlignedSentence
from crawler.revisions.kinds import SEVERITY_RANKS, ChangeKind, ClaimChange, Severity

MAX_LISTED_REASONS = 5


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
    """All sentences of two versions in reading order. `rules` is the version of the rules that judged them."""

    sentences: tuple[SentenceChange, ...]
    rules: str

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

    @property
    def summary(self) -> str:
        """The severity and the reason. Of a version that was only read again, what is read otherwise."""
        is_reprocessed = ChangeKind.REPROCESSED in self.kinds
        return f"{ChangeKind.REPROCESSED if is_reprocessed else self.severity}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values of the sentences that changed."""
        return {
            "severity": self.severity,
            "reason": self.reason,
            "kinds": sorted(self.kinds),
            "rules": self.rules,
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
