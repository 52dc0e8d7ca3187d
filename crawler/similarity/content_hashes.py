"""Hashes of an article's text: one to notice every edit, one to find the same text elsewhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from crawler.items import Article, Verdict

TYPOGRAPHY_TABLE = str.maketrans(
    dict.fromkeys("«»„“”‟″", '"') | dict.fromkeys("‘’‛′ʼ", "'") | dict.fromkeys("–—‑−", "-")
)
WORD_PATTERN = re.compile(r"[^\W_]+")
MIN_BODY_CHARACTERS = 200
"""Letters below which a text alone says too little: its title is hashed with it."""
UNPUBLISHED_PREFIX = "unpublished:"
"""Stands before the hash of a text whose page is gone, so that its return is a change."""


def hash_revision(article: Article) -> str:
    """Hash of title, lead and body as a reader sees them; quotes and dashes of another shape are no edit."""
    gone = UNPUBLISHED_PREFIX if article.verdict is Verdict.UNPUBLISHED else ""
    return gone + _hash_revision_text(article.title or "", article.lead or "", article.body)


def hash_body(article: Article) -> str:
    """Hash of the body's words alone, whatever case, punctuation and paragraphs they stand in."""
    return _hash_body_text(article.title or "", article.body)


# Dedupe and store ask for the same article's hashes one after the other: the second answer, 0.1 ms, is remembered.
@lru_cache(maxsize=4)
def _hash_revision_text(title: str, lead: str, body: str) -> str:
    text = unicodedata.normalize("NFKC", f"{title}\x1f{lead}\x1f{body}").translate(TYPOGRAPHY_TABLE)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _hash_body_text(title: str, body: str) -> str:
    words = _join_words(body)
    if len(words) < MIN_BODY_CHARACTERS:
        words = f"{_join_words(title)} {words}"
    return hashlib.sha256(words.encode()).hexdigest()


def _join_words(text: str) -> str:
    return " ".join(WORD_PATTERN.findall(unicodedata.normalize("NFKC", text).casefold()))
