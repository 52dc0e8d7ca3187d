"""Match all stored versions again by the rules in force. An interrupted rematch is continued where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from crawler.config import Config
from crawler.context.configured_store import open_configured_store
from crawler.items import Article
from crawler.keywords import Matcher, RuleSet, load_rules
from crawler.publish.atomic_write import write_atomic
from crawler.store import Store, redact_url

STATE_NAME = "rules-apply.json"
ARTICLES_PER_STATE = 500
"""Articles after which the place is written down."""


@dataclass(slots=True)
class RematchState:
    """How far a rematch of a store by these rules is, and what it counted so far.

    `source` and `article_id` are the last article that is done. `gained` and `lost` count versions that match strongly
    now, or no longer.
    """

    store: str
    rules_digest: str
    source: str = ""
    article_id: str = ""
    articles: int = 0
    versions: int = 0
    changed: int = 0
    gained: int = 0
    lost: int = 0
    was_continued: bool = field(default=False)


def rematch_articles(
    config: Config, *, dry_run: bool, on_progress: Callable[[str, int, int | None], None] = lambda *_: None
) -> tuple[RuleSet, RematchState]:
    """Match every version of every article again, each in its own transaction. Return the rules and what changed.

    If this is interrupted, the next call with the same rules continues. A dry run stores nothing and begins anew.
    """
    rules = load_rules(config.rules)
    matcher, at, file = Matcher(rules), datetime.now(UTC), config.data_folder / STATE_NAME
    with open_configured_store(config) as store:
        begun = RematchState(redact_url(config.database_url), rules.digest)
        state = begun if dry_run else _read_state(file, begun)
        total = store.articles.count()
        try:
            for versions in _iter_articles(store, state):
                for version in versions:
                    _rematch_version(store, matcher, version, state, None if dry_run else at)
                state.source, state.article_id = versions[-1].source, versions[-1].id
                state.articles += 1
                if state.articles % ARTICLES_PER_STATE == 0:
                    on_progress("matching articles", state.articles, total)
                    if not dry_run:
                        _write_state(file, state)
        except BaseException:  # Ctrl-C too
            if not dry_run and state.articles:
                _write_state(file, state)
            raise
    if not dry_run:
        file.unlink(missing_ok=True)
    return rules, state


def _iter_articles(store: Store, state: RematchState) -> Iterator[list[Article]]:
    """Yield the versions of each article behind the place of a rematch."""
    for source in store.articles.list_sources():
        if source >= state.source:
            yield from store.versions.iter_by_source(source, after=state.article_id if source == state.source else "")


def _rematch_version(
    store: Store, matcher: Matcher, version: Article, state: RematchState, at: datetime | None
) -> None:
    """Match a version again, and store what changed unless `at` is None. A removed text keeps its matches."""
    state.versions += 1
    if version.text_removed_at:
        return
    matches = matcher.find_matches(version.texts, language=version.language, source=version.source)
    if version.matches == matches:
        return
    rematched = replace(version, matches=matches)
    state.changed += 1
    state.gained += rematched.is_matched and not version.is_matched
    state.lost += version.is_matched and not rematched.is_matched
    if at is not None:
        store.rematches.save_matches(rematched, version.matches, rules_digest=state.rules_digest, at=at)


def _read_state(file: Path, begun: RematchState) -> RematchState:
    """Return the state of an interrupted rematch of the same store by the same rules, else the one that begins."""
    try:
        found = RematchState(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return begun
    if (found.store, found.rules_digest) != (begun.store, begun.rules_digest):
        return begun
    found.was_continued = True
    return found


def _write_state(file: Path, state: RematchState) -> None:
    write_atomic(file, json.dumps(asdict(state)).encode(), STATE_NAME)
