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

from crawler.dedupe.alignment import Fate, Part, Sentence, align, split, words
from crawler.dedupe.facts import Facts, capitals, facts, unlike
from crawler.items import Article, Verdict, iso

FIELDS = ("title", "lead", "body")
FEW = 4
"""Words below which a sentence added or removed is taken for a caption or a signature: editorial."""


class Kind(StrEnum):
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


RANK = {severity: rank for rank, severity in enumerate(Severity)}
CLAIMS = frozenset({Kind.FIGURES, Kind.DATES, Kind.NAMES, Kind.NEGATION, Kind.ATTRIBUTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One sentence of one field, with what an edit did to it; `kinds` is empty for one that stayed as it was.

    For a fact of the page (`field` is `published_at`, `attribution` or `page`) the sentence is its value.
    """

    field: str
    sentence: Sentence
    kinds: tuple[Kind, ...] = ()
    severity: Severity = Severity.NONE
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All sentences of two versions in reading order, and what the edits amount to."""

    edits: tuple[Edit, ...]

    @property
    def changed(self) -> tuple[Edit, ...]:
        """The edits that changed something."""
        return tuple(edit for edit in self.edits if edit.kinds)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Everything that was touched."""
        return frozenset(kind for edit in self.edits for kind in edit.kinds)

    @property
    def severity(self) -> Severity:
        """The gravest edit's."""
        return max((edit.severity for edit in self.edits), key=RANK.__getitem__, default=Severity.NONE)

    @property
    def reason(self) -> str:
        """Why the severity is what it is, in a few words: the reasons of the gravest edits, each once."""
        gravest = [edit for edit in self.changed if edit.severity is self.severity]
        told = [edit.reason or "" for edit in gravest]
        counted = [f"{why} ({number} times)" if number > 1 else why for why, number in Counter(told).items()]
        more = f" and {len(counted) - 5} more" if len(counted) > 5 else ""
        return "; ".join(counted[:5]) + more if counted else "nothing changed"

    def sentences(self, field: str) -> tuple[Sentence, ...]:
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
                    "fate": edit.sentence.fate,
                    "kinds": list(edit.kinds),
                    "severity": edit.severity,
                    "reason": edit.reason,
                    "old": edit.sentence.old.strip() or None,
                    "new": edit.sentence.new.strip() or None,
                    "parts": [asdict(part) for part in edit.sentence.parts],
                }
                for edit in self.changed
            ],
        }


def between(old: Article, new: Article) -> Changes:
    """What changed from one version of an article to another."""
    texts = {field: (getattr(old, field) or "", getattr(new, field) or "") for field in FIELDS}
    return Changes(edits=(*_page(old, new), *_texts(texts), *_about(old, new)))


def between_texts(old: str, new: str) -> Changes:
    """What changed from one plain text to another."""
    return Changes(edits=tuple(_texts({"body": (old, new)})))


def _texts(texts: Mapping[str, tuple[str, str]]) -> Iterator[Edit]:
    names = capitals(sentence for pair in texts.values() for text in pair for sentence in split(text))
    for field, (old, new) in texts.items():
        for sentence in align(old, new):
            yield _judged(field, sentence, names)


def _judged(field: str, sentence: Sentence, names: frozenset[str]) -> Edit:
    """The sentence with what its edit means."""
    if sentence.fate is Fate.SAME:
        return Edit(field=field, sentence=sentence)
    kinds, severity, reason = _meaning(sentence, names)
    if field == "body":
        return Edit(field=field, sentence=sentence, kinds=kinds, severity=severity, reason=reason)
    return Edit(field=field, sentence=sentence, kinds=(Kind(field), *kinds), severity=severity,
                reason=f"{field}: {reason}")  # fmt: skip


def _meaning(sentence: Sentence, names: frozenset[str]) -> tuple[tuple[Kind, ...], Severity, str]:
    if sentence.fate is Fate.MOVED:
        return (Kind.MOVED,), Severity.EDITORIAL, "a sentence stands elsewhere"
    if sentence.fate in (Fate.ADDED, Fate.REMOVED):
        number = len(words(sentence.old + sentence.new))
        severity = Severity.SUBSTANTIVE if number >= FEW else Severity.EDITORIAL if number else Severity.COSMETIC
        return (Kind(sentence.fate.value),), severity, f"a sentence {sentence.fate}"
    claims = dict(_claims(facts(sentence.old, names), facts(sentence.new, names)))
    if claims:
        reason = ", ".join(f"{kind}: {told}" for kind, told in claims.items())
        return tuple(claims), Severity.SUBSTANTIVE, reason
    if _wording(sentence.old) == _wording(sentence.new):
        return (Kind.FORM,), Severity.COSMETIC, "punctuation, capitals or spaces"
    return (Kind.WORDING,), Severity.EDITORIAL, "other words"


def _wording(sentence: str) -> list[str]:
    return [word for word in words(sentence) if not word[0].isdigit()]  # figures were compared as numbers


def _claims(old: Facts, new: Facts) -> Iterator[tuple[Kind, str]]:
    """The claims that differ, each with what it was and is."""
    for kind, one, other in (
        (Kind.FIGURES, old.figures, new.figures),
        (Kind.DATES, old.dates, new.dates),
        (Kind.NEGATION, old.negations, new.negations),
        (Kind.ATTRIBUTION, old.attributions, new.attributions),
    ):
        if kind is Kind.NEGATION and one.total() == other.total():
            continue  # "is not" and "isn't" deny the same
        if one != other:
            yield kind, _told((one - other).elements(), (other - one).elements())
    gone, come = unlike(old.names, new.names), unlike(new.names, old.names)
    if gone or come:
        yield Kind.NAMES, _told(gone, come)


def _told(gone: Iterable[str], come: Iterable[str]) -> str:
    return f"{' '.join(gone) or '–'} → {' '.join(come) or '–'}"


def _page(old: Article, new: Article) -> Iterator[Edit]:
    """Whether the page itself went away or came back."""
    was, now = (each.verdict is Verdict.UNPUBLISHED for each in (old, new))
    if was is not now:
        kind = Kind.UNPUBLISHED if now else Kind.REPUBLISHED
        told = "the page was taken away" if now else "the page is there again"
        yield _fact("page", "gone" if was else "there", "gone" if now else "there", kind, told)


def _about(old: Article, new: Article) -> Iterator[Edit]:
    """What the page says about the text."""
    for field, kind in (("published_at", Kind.DATES), ("attribution", Kind.ATTRIBUTION)):
        one, other = (getattr(each, field) for each in (old, new))
        if one != other:
            one, other = (iso(each) if field == "published_at" else each for each in (one, other))
            yield _fact(field, one or "", other or "", kind, f"{field}: {one or '–'} → {other or '–'}")


def _fact(field: str, old: str, new: str, kind: Kind, told: str) -> Edit:
    marks = (Part("removed", old), Part("added", new))
    sentence = Sentence(fate=Fate.EDITED, parts=tuple(part for part in marks if part.text))
    return Edit(field=field, sentence=sentence, kinds=(kind,), severity=Severity.SUBSTANTIVE, reason=told)
