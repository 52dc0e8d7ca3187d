"""An article as dedupe sees it: the text that is compared, its day, and what is one story with it by identity."""

from __future__ import annotations

from datetime import tzinfo

from crawler.dedupe.identity import story_of
from crawler.dedupe.judge import Document, document
from crawler.dedupe.meaning import Embedding
from crawler.items import Article


def document_of(article: Article, zone: tzinfo, embedding: Embedding | None = None) -> Document:
    """The article made ready to be judged; its day is the one in `zone`; its meaning counts if a rule matches it."""
    published = article.published_at.astimezone(zone).date() if article.published_at else None
    text = f"{article.lead}\n{article.body}" if article.lead else article.body
    return document(
        text,
        published=published,
        title=article.title,
        story=story_of(article.url),
        embedding=embedding if article.is_matched else None,
    )
