"""Hashes of an article's text: one to notice every edit, one to find the same text elsewhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from crawler.items import Article, Verdict

TYPOGRAPHY = str.maketrans(dict.fromkeys("«»„“”‟″", '"') | dict.fromkeys("‘’‛′ʼ", "'") | dict.fromkeys("–—‑−", "-"))
NOT_WORD = re.compile(r"[\W_]+")
SHORT = 200
"""Letters below which a text alone says too little: its title is hashed with it."""
UNPUBLISHED = "unpublished:"
"""Stands before the hash of a text whose page is gone, so that its return is a change."""


def revision_hash(article: Article) -> str:
    """Hash of title, lead and body as a reader sees them; quotes and dashes of another shape are no edit."""
    parts = (article.title or "", article.lead or "", article.body)
    text = unicodedata.normalize("NFKC", "\x1f".join(parts)).translate(TYPOGRAPHY)
    gone = UNPUBLISHED if article.verdict is Verdict.UNPUBLISHED else ""
    return gone + hashlib.sha256(text.encode()).hexdigest()


def copy_hash(article: Article) -> str:
    """Hash of the body's words alone, whatever case, punctuation and paragraphs they stand in."""
    words = _words(article.body)
    if len(words) < SHORT:
        words = f"{_words(article.title or '')} {words}"
    return hashlib.sha256(words.encode()).hexdigest()


def _words(text: str) -> str:
    return NOT_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
