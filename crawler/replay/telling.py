"""Who would be told of a past run today, against who was: its news sorted once more, over what had been told till then.

The rest of what was sorted with it is sorted again too, for the story of an article decides, and that may have come
from another source.
"""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler.alerts.sorting import sort
from crawler.archive.past import PastRun
from crawler.config import Config
from crawler.dedupe.content import copy_hash, revision_hash
from crawler.dedupe.meaning import embedding
from crawler.items import Run
from crawler.replay.difference import Difference
from crawler.store import Store, open_store
from crawler.store.retell import Answer, Decided, Told, decided, retell
from crawler.store.rewind import rewind
from crawler.text.dates import zone


def told_differences(store: Store, copy: Store, config: Config, past: PastRun, then: Run, now: Run) -> list[Difference]:
    """Who is told otherwise of a run, that was `then` in the store and is `now` in the copy it was made over again.

    Only subscriptions are asked that are there today and were then. Nothing differs where nobody was asked then.
    """
    before = decided(store, then)
    if before is None or then.id is None or now.id is None:
        return []
    with TemporaryDirectory(prefix="crawler-") as folder, open_store(f"sqlite:///{Path(folder) / 'told.db'}") as desk:
        rewind(store, desk, past.source, past.started_at, others=before.at)
        retell(store, desk, then.id, before.at)
        asked = desk.news.begun() & set(config.subscriptions)
        after = _asked_again(desk, copy, config, before, now.id)
    return _compared(_of(asked, before.answers), _of(asked, after))


def _asked_again(desk: Store, copy: Store, config: Config, before: Decided, run: int) -> dict[Told, Answer]:
    """What subscribers make of the articles of a run in the copy, at the time they were asked then."""
    order = before.order
    articles = sorted(copy.articles.of_run(run), key=lambda each: order.get((each.id, each.version or 1), math.inf))
    for article in articles:
        quiet = {news.version: news.quiet for news in copy.news.of_article(article.id)}
        desk.articles.save(
            article,
            content_hash=revision_hash(article),
            copy_hash=copy_hash(article),
            run_id=None,
            seen_at=article.fetched_at or before.at,
            quiet=quiet.get(article.version or 1),
        )
    desk.same.settle(zone(config.timezone), embedding=embedding() if config.semantic else None)
    sort(desk, config, before.at)
    return {
        (notice.article_id, article.version or 1, notice.subscription): (notice.outcome, notice.why)
        for article in articles
        for news in desk.news.of_article(article.id)
        if news.version == article.version
        for notice in desk.news.notices(article.id)
        if notice.news_id == news.id
    }


def _of(names: set[str], answers: dict[Told, Answer]) -> dict[Told, Answer]:
    return {key: answer for key, answer in answers.items() if key[2] in names}


def _compared(then: dict[Told, Answer], now: dict[Told, Answer]) -> list[Difference]:
    return [
        Difference(kind="told", of=key[0], field=key[2], then=_said(then.get(key)), now=_said(now.get(key)))
        for key in sorted({*then, *now})
        if (then[key][0] if key in then else None) != (now[key][0] if key in now else None)
    ]


def _said(answer: Answer | None) -> str | None:
    """An answer in words; why somebody was not told goes with it."""
    if answer is None:
        return None
    outcome, why = answer
    return f"{outcome}: {why}" if why else str(outcome)
