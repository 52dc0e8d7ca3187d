"""An article, and the difference of two versions, as the JSON text that the store holds.

An article is exact, also for fractions of a second and for broken characters. `Article.to_dict` drops the fractions
and the internal fields, and copies every value, which takes four times as long.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from crawler.items import Article, Image, Match, Rights, SnapshotRef
from crawler.revisions.alignment import AlignedSentence, AlignmentType, DiffSpan
from crawler.revisions.kinds import ChangeKind, ClaimChange, Severity
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange

FIELDS_BY_CLASS = {cls: tuple(f.name for f in fields(cls)) for cls in (Article, Image, Match, Rights, SnapshotRef)}


def _encode_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return {name: getattr(value, name) for name in FIELDS_BY_CLASS[type(value)]}


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_encode_value).encode
_encode_escaped = json.JSONEncoder(separators=(",", ":"), default=_encode_value).encode


def serialize_article(article: Article) -> str:
    """Return the article as one line of JSON. Cyrillic stays readable; what a database refuses is escaped."""
    return _encode_line(article)


def parse_article(line: str) -> Article:
    """Return the article from a line that `serialize_article` wrote."""
    return Article.from_dict(json.loads(line))


def serialize_diff(diff: RevisionDiff) -> str:
    """Return all sentences of a diff, also unchanged ones, as one line of JSON."""
    return _encode_line(
        [
            [
                sentence.field,
                sentence.sentence.alignment,
                [[span.mark, span.text] for span in sentence.sentence.spans],
                sentence.kinds,
                sentence.severity,
                sentence.reason,
                [[claim.kind, claim.old, claim.new] for claim in sentence.claims],
            ]
            for sentence in diff.sentences
        ]
    )


def parse_diff(line: str, rules: str) -> RevisionDiff:
    """Return the diff from a line that `serialize_diff` wrote."""
    return RevisionDiff(sentences=tuple(_parse_sentence(*values) for values in json.loads(line)), rules=rules)


def _parse_sentence(
    field: str,
    alignment: str,
    spans: list[Any],
    kinds: list[str],
    severity: str,
    reason: str | None,
    claims: list[list[str]],
) -> SentenceChange:
    sentence = AlignedSentence(
        alignment=AlignmentType(alignment), spans=tuple(DiffSpan(mark, text) for mark, text in spans)
    )
    return SentenceChange(
        field=field,
        sentence=sentence,
        kinds=tuple(map(ChangeKind, kinds)),
        severity=Severity(severity),
        reason=reason,
        claims=tuple(ClaimChange(kind=ChangeKind(kind), old=old, new=new) for kind, old, new in claims),
    )


def _encode_line(value: Any) -> str:
    line = _encode(value)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return _encode_escaped(value)
    return line
