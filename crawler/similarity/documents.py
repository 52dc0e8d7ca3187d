"""An article as dedupe sees it: the text that is compared, its day, and what is one story with it by identity."""

from __future__ import annotations

from datetime import tzinfo

from crawler.items import Article
from crawler.similarity.comparison import Document, make_document
from crawler.similarity.semantic import Embedding
from crawler.similarity.url_identity import find_release_id


def make_article_document(article: Article, zone: tzinfo, embedding: Embedding | None = None) -> Document:
    """The article made ready to be judged; its day is the one in `zone`; its meaning counts if a rule matches it."""
    published = article.published_at.astimezone(zone).date() if article.published_at else None
    text = f"{article.lead}\n{article.body}" if article.lead else article.body
    return make_document(
        text,
        published=published,
        title=article.title,
        release_id=find_release_id(article.url),
        embedding=embedding if article.is_matched else None,
    )
