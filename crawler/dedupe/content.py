"""Hashes of an article's text: one to notice every edit, one to find the same text elsewhere."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from crawler.items import Article, Verdict

TYPOGRAPHY = str.maketrans(dict.fromkeys("«»„“”‟″", '"') | dict.fromkeys("‘’‛′ʼ", "'") | dict.fromkeys("–—‑−", "-"))
WORD = re.compile(r"[^\W_]+")
SHORT = 200
"""Letters below which a text alone says too little: its title is hashed with it."""
UNPUBLISHED = "unpublished:"
"""Stands before the hash of a text whose page is gone, so that its return is a change."""


def revision_hash(article: Article) -> str:
    """Hash of title, lead and body as a reader sees them; quotes and dashes of another shape are no edit."""
    gone = UNPUBLISHED if article.verdict is Verdict.UNPUBLISHED else ""
    return gone + _revision(article.title or "", article.lead or "", article.body)


def copy_hash(article: Article) -> str:
    """Hash of the body's words alone, whatever case, punctuation and paragraphs they stand in."""
    return _copy(article.title or "", article.body)


# Dedupe and store ask for the same article's hashes one after the other: the second answer, 0.1 ms, is remembered.
@lru_cache(maxsize=4)
def _revision(title: str, lead: str, body: str) -> str:
    text = unicodedata.normalize("NFKC", f"{title}\x1f{lead}\x1f{body}").translate(TYPOGRAPHY)
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _copy(title: str, body: str) -> str:
    words = _words(body)
    if len(words) < SHORT:
        words = f"{_words(title)} {words}"
    return hashlib.sha256(words.encode()).hexdigest()


def _words(text: str) -> str:
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
