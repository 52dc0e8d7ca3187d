"""Publish, revise and take down articles in a real store, as a run does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from support.shipped_rules import get_shipped_matcher

from crawler.items import Article, Run, Verdict
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import Store

NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
URL_PATTERNS = {
    "mfa": "https://www.gov.kz/memleket/entities/mfa/press/news/details/{}?lang={}",
    "ktkz": "https://www.kt.kz/rus/x_{}.html",
}
BODIES = {
    "ru": "Министр принял в Астане президента МККК Мирьяну Сполярич. Стороны обсудили {topic}. "
    "Собеседники условились продолжить консультации в ближайшие месяцы. {more}",
    "en": "The minister received in Astana the ICRC president Mirjana Spoljaric. The sides discussed {topic}. "
    "They agreed to go on with consultations in the coming months. {more}",
    "kk": "Министр Астанада ХҚКК президенті Мирьяна Споляричті қабылдады. Тараптар {topic} талқылады. "
    "Олар алдағы айларда кеңестерді жалғастыруға келісті. {more}",
}


class ArticlePublisher:
    """Writes articles to a store. `clock` is when they are seen; each step takes a minute."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, NOON
        self.run: int | None = None

    def begin_run(self, source: str = "mfa") -> int:
        """Begin a run; later events belong to it."""
        begun = self.store.runs.record_start(Run(source=source, started_at=self.clock))
        assert begun.id is not None
        self.run = begun.id
        return begun.id

    def publish(
        self,
        name: str,
        language: str = "ru",
        *,
        source: str = "mfa",
        title: str | None = None,
        body: str | None = None,
        topic: str = "гуманитарное сотрудничество",
        more: str = "",
        quiet: str | None = None,
        verdict: Verdict = Verdict.NEW,
        **values: Any,
    ) -> Article:
        """Add a first version. `values` replace any other field."""
        article = Article(
            id=f"{source}:{name}:{language}",
            source=source,
            url=URL_PATTERNS.get(source, "https://qazmonitor.com/news/{}/x").format(name, language),
            title=title or f"О встрече {name}",
            body=body or BODIES[language].format(topic=topic, more=more),
            language=language,
            published_at=self.clock,
            fetched_at=self.clock,
            verdict=verdict,
            version=1,
        )
        return self.save(replace(article, **values), quiet)

    def revise(self, article: Article, old: str, new: str) -> Article:
        """Add a version with these words changed."""
        assert old in article.body
        changed = replace(article, body=article.body.replace(old, new), version=(article.version or 1) + 1)
        return self.save(replace(changed, verdict=Verdict.REVISED, fetched_at=self.clock))

    def take_down(self, article: Article) -> Article:
        """Add a version whose page is gone."""
        gone = replace(article, version=(article.version or 1) + 1, verdict=Verdict.UNPUBLISHED)
        return self.save(replace(gone, fetched_at=self.clock))

    def save(self, article: Article, quiet: str | None = None) -> Article:
        """Match the article and store it, as the last two pipelines do."""
        found = get_shipped_matcher().find_matches(article.texts, language=article.language, source=article.source)
        article = replace(article, matches=found)
        self.store.articles.save(
            article,
            content_hash=hash_revision(article),
            copy_hash=hash_body(article),
            run_id=self.run,
            seen_at=self.clock,
            suppressed_because=quiet,
        )
        self.clock += timedelta(minutes=1)
        return article

    def cluster_articles(self) -> None:
        """Group articles into texts and stories, as at the end of a run."""
        self.store.clusters.assign_pending(UTC)
