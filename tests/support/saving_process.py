"""A process that works on a store until it is killed or done. Tests start it with `WORK URL NAME COUNT`.

`save` prints the number of each article once it is saved; `batch` saves ten at a time; `open` only opens the store.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from crawler.items import Article, Match, Run, Verdict
from crawler.store import HttpCacheEntry, Store, open_store

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)


def save_article(store: Store, number: int, run_id: int | None, text: str) -> int:
    """Save one article with two matches and a cache entry."""
    match = Match(rule="r", term="t", surface="t", field="body", start=0, end=1, sentence="s")
    article = Article(
        id=f"mfa:{number}:ru",
        source="mfa",
        url=f"https://mfa.example/{number}",
        body=text,
        matches=(match, match),
        verdict=Verdict.NEW,
        version=1,
    )
    entry = HttpCacheEntry(source="mfa", url=article.url, digest=f"digest of {text}", checked_at=NOW)
    return store.articles.save(article, content_hash=text, run_id=run_id, seen_at=NOW, cache_entry=entry)


def main(work: str, url: str, text: str, count: int) -> None:
    """Do the work, and print one line for each article that is certainly stored."""
    with open_store(url) as store:
        if work == "open":
            print(store.articles.count(), flush=True)
            return
        run = store.runs.record_start(Run(source="mfa", started_at=NOW))
        print("began", flush=True)
        step = 10 if work == "batch" else 1
        for start in range(0, count, step):
            with store.transaction():
                for number in range(start, start + step):
                    save_article(store, number, run.id, text)
            print(*range(start, start + step), sep="\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
