"""An article as the JSON text that a version stores.

It is exact, also for fractions of a second and for broken characters. `Article.to_dict` drops the fractions and the
internal fields, and copies every value, which takes four times as long.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from crawler.items import Article, Image, Match, Rights, SnapshotRef

FIELDS_BY_CLASS = {cls: tuple(f.name for f in fields(cls)) for cls in (Article, Image, Match, Rights, SnapshotRef)}


def _encode_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return {name: getattr(value, name) for name in FIELDS_BY_CLASS[type(value)]}


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_encode_value).encode
_encode_escaped = json.JSONEncoder(separators=(",", ":"), default=_encode_value).encode


def serialize_article(article: Article) -> str:
    """Return the article as one line of JSON. Cyrillic stays readable; what a database refuses is escaped."""
    line = _encode(article)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return _encode_escaped(article)
    return line


def parse_article(line: str) -> Article:
    """Return the article from a line that `serialize_article` wrote."""
    return Article.from_dict(json.loads(line))
