"""Fill a store with made-up articles in three languages: `python -m benchmarks.large_store URL SIZE`.

The texts are those of `benchmarks.corpus`, a thousand a day. 5 % match a rule, and 1 % have a second version. They are
saved as a run saves them, and are not clustered. A SQLite store is made once for each size and kept in a folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.corpus import LANGUAGES, ON_TOPIC_EVERY, Release, make_release, revise_release
from crawler.items import Article, Match, Verdict
from crawler.store import Store, open_store
from crawler.store.schema import SCHEMA_REVISION

FIRST_DAY = datetime(2023, 1, 1, 6, 0, tzinfo=UTC)
ARTICLES_PER_DAY = 1000
REVISED_EVERY = 100
ARTICLES_PER_TRANSACTION = 500
FOLDER = Path("/tmp/crawler-benchmarks")
SOURCES = ("mfa", "qazmonitor", "ktkz")


def make_versions(number: int) -> Iterator[Article]:
    """Yield the versions of an article."""
    release = make_release(number)
    first = _make_article(number, release)
    yield first
    if number % REVISED_EVERY == 0:
        yield replace(_make_article(number, revise_release(release)), verdict=Verdict.REVISED, version=2)


def _make_article(number: int, release: Release) -> Article:
    at = FIRST_DAY + timedelta(days=number // ARTICLES_PER_DAY, seconds=number % ARTICLES_PER_DAY * 60)
    body = "\n".join(release.paragraphs)
    word = body.split()[0]
    match = Match(rule="ihl", term=word, surface=word, field="body", start=0, end=len(word), sentence="")
    source = SOURCES[number % 7 % len(SOURCES)]
    return Article(
        id=f"{source}:{number}:{release.language}",
        source=source,
        url=f"https://{source}.example/{release.slug}",
        title=release.title,
        lead=release.lead,
        body=body,
        language=release.language,
        published_at=at,
        fetched_at=at,
        matches=(match,) if number % ON_TOPIC_EVERY == len(LANGUAGES) else (),
        verdict=Verdict.NEW,
        version=1,
    )


def fill_store(store: Store, start: int, stop: int) -> None:
    """Save the articles of these numbers."""
    for at in range(start, stop, ARTICLES_PER_TRANSACTION):
        with store.transaction():
            for number in range(at, min(at + ARTICLES_PER_TRANSACTION, stop)):
                for article in make_versions(number):
                    key = f"{article.id} {article.version}"
                    store.articles.save(article, content_hash=key, run_id=None, seen_at=article.fetched_at or FIRST_DAY)


def get_store_url(size: int, folder: Path = FOLDER) -> str:
    """Return the URL of a SQLite store with so many articles. Make it if the folder does not have it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{size}-{SCHEMA_REVISION}.db"
    if not file.exists():
        part = folder / f"{size}.part.db"
        part.unlink(missing_ok=True)
        with open_store(f"sqlite:///{part}") as store:
            fill_store(store, 0, size)
        with open_store(f"sqlite:///{part}") as store, store.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("ANALYZE")
        part.rename(file)
    return f"sqlite:///{file}"


if __name__ == "__main__":
    with open_store(sys.argv[1]) as filled:
        fill_store(filled, 0, int(sys.argv[2]))
