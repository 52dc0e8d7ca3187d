"""An article as the JSON text that a version keeps: exact, also for times of less than a second and broken letters."""

from __future__ import annotations

import json
from typing import Any

from crawler.items import Article

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_encode_escaped = json.JSONEncoder(separators=(",", ":")).encode


def as_json(article: Article) -> str:
    """The article as one line of JSON. Cyrillic stays readable and small; what no database takes is escaped."""
    values: dict[str, Any] = article.to_dict()
    for name, moment in (("published_at", article.published_at), ("fetched_at", article.fetched_at)):
        values[name] = None if moment is None else moment.isoformat()
    line = _encode(values)
    try:
        line.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return _encode_escaped(values)
    return line


def as_article(line: str) -> Article:
    """The article that `as_json` was given."""
    return Article.from_dict(json.loads(line))
