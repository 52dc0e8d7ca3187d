"""The demo: the stored sample pages, read into a throw-away store, with a crawler.toml of its own.

Two things are invented, and their runs say so (`RunCount.INVENTED`): an edit of an article, and a site that refuses.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import spiders
from crawler.archive.snapshot_folder import find_source_folder, load_stored_pages
from crawler.config import Config, load_config
from crawler.config.source_folder import FOLDER_NAME, get_sources_folder
from crawler.errors import Blocked, CrawlerError, NoSnapshots
from crawler.items import Health, Run, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name
from crawler.pages.refusal import raise_if_refused
from crawler.pages.snapshot import Snapshot
from crawler.service.child import run_all
from crawler.service.run import RunPlan
from crawler.service.saved_search import RULES_NAME
from crawler.similarity.content_hashes import hash_body, hash_revision
from crawler.store import Store, open_store

PROJECT_SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
"""The sample pages of a clone. An installed package has none."""
MAX_REMOVAL_TIME = timedelta(hours=3)
"""Longest time between the invented removal of a paragraph and its return."""
CONFIG_TEXT = """# The demo's own configuration. Nothing is sent to this channel.
[channels]
demo-mail = "mailto://demo:demo@example.org"
"""


@contextmanager
def make_demo_config(config: Config, config_path: Path | None) -> Iterator[Config]:
    """Read the sample pages into a store of its own. Yield the configuration of that store; then delete both.

    Raise NoSnapshots where there are no sample pages, and CrawlerError if none could be read.
    """
    folder = find_samples()
    with TemporaryDirectory(prefix="crawler-demo-") as temporary:
        database = f"sqlite:///{Path(temporary) / 'crawler.db'}"
        variables = {"CRAWLER_DATA_DIR": temporary, "CRAWLER_DATABASE": database}
        plans = [
            RunPlan(source=name, config=config_path, replay=folder, limits=config.limits, variables=variables)
            for name in list_sampled_sources(folder)
        ]
        outcomes = run_all(plans, lambda event: None)
        if all(outcome.run is None for outcome in outcomes):
            raise CrawlerError(f"No sample page could be read: {' '.join(outcome.reason for outcome in outcomes)}")
        with open_store(database) as store:
            edited_source = add_edits(store)
            refused = find_refusal(folder, except_source=edited_source)
            if refused is not None:
                add_refusal(store, *refused)
        update = {"data_dir": Path(temporary), "database": database}
        yield config.model_copy(update={**update, **make_own_files(config, Path(temporary))})


def make_own_files(config: Config, folder: Path) -> dict[str, object]:
    """Write the files that pages of the demo change. Return the settings that come from them.

    They are copies, so that no page of the demo changes a file of the user.
    """
    path, sources = folder / "crawler.toml", get_sources_folder()
    rules = folder / RULES_NAME if config.rules is not None else None
    path.touch(mode=0o600)
    path.write_text(f'rules = "{RULES_NAME}"\n\n{CONFIG_TEXT}' if rules else CONFIG_TEXT, encoding="utf-8")
    if config.rules is not None:
        shutil.copyfile(config.rules, folder / RULES_NAME)
    if sources.is_dir():
        shutil.copytree(sources, folder / FOLDER_NAME)
    own = load_config(path)
    return {"path": own.path, "channels": own.channels, "subscriptions": {}, "rules": rules}


def add_edits(store: Store) -> str | None:
    """Take the last paragraph of an article away and put it back, so that the demo has a history to show.

    Return the article's source, or None if no article is long enough.
    """
    for article in store.articles.iter_newest(matched=True):
        start = article.body.rfind("\n")
        if start < 0 or any(match.field == "body" and match.end > start for match in article.matches):
            continue
        first, now = article.version or 1, datetime.now(UTC)
        state = store.articles.get_state(article.id)
        known = now - state.first_seen_at if state else timedelta()
        removed_at = now - min(MAX_REMOVAL_TIME, known / 2)
        edits = ((first + 1, article.body[:start], removed_at), (first + 2, article.body, now))
        for version, body, seen_at in edits:
            edited = replace(article, body=body, version=version, verdict=Verdict.REVISED)
            content_hash, copy_hash = hash_revision(edited), hash_body(edited)
            run = add_invented_run(
                store,
                article.source,
                Health.HEALTHY,
                "0 new, 1 revised.",
                {get_count_name(Verdict.REVISED): 1},
                seen_at,
            )
            store.articles.save(
                edited, content_hash=content_hash, copy_hash=copy_hash, run_id=run.id, seen_at=run.started_at
            )
        return article.source
    return None


def find_refusal(folder: Path, *, except_source: str | None) -> tuple[str, Blocked] | None:
    """Return a source of which a stored page is a refusal, with the error that the page raises, or None."""
    for source in reversed(list_sampled_sources(folder)):
        if source == except_source:
            continue
        for page in load_stored_pages(folder, source, on_error=lambda error: None):
            if (error := get_refusal(page.snapshot)) is not None:
                return source, error
    return None


def get_refusal(snapshot: Snapshot) -> Blocked | None:
    """Return the error of a page that is a refusal, None for any other page."""
    try:
        raise_if_refused(snapshot)
    except Blocked as error:
        return error
    except CrawlerError:
        return None
    return None


def add_refusal(store: Store, source: str, error: Blocked) -> None:
    """Record a run that the site refused, so that the demo has a source in trouble to show."""
    add_invented_run(store, source, Health.BLOCKED, str(error), {}, datetime.now(UTC), exit_code=error.exit_code)


def add_invented_run(
    store: Store,
    source: str,
    health: Health,
    reason: str,
    counts: dict[str, int],
    started_at: datetime,
    *,
    exit_code: int = 0,
) -> Run:
    """Record a run that there was not, marked as invented, and return it."""
    run = store.runs.record_start(Run(source=source, mode="replay", started_at=started_at))
    ended = replace(
        run,
        finished_at=started_at,
        health=health,
        reason=reason,
        exit_code=exit_code,
        counts={"pages": 1, **counts, RunCount.INVENTED: 1},
    )
    store.runs.record_end(ended)
    return ended


def find_samples() -> Path:
    """Return the folder `snapshots` here, or that of the project's clone. Raise NoSnapshots."""
    for folder in (Path("snapshots"), PROJECT_SNAPSHOTS):
        if folder.is_dir() and list_sampled_sources(folder):
            return folder
    raise NoSnapshots("There are no sample pages here: run `crawler serve --demo` in the project's folder.")


def list_sampled_sources(folder: Path) -> list[str]:
    """Return the sources of which a folder has stored pages."""
    found = []
    for name in spiders.list_names():
        try:
            find_source_folder(folder, name)
        except NoSnapshots:
            continue
        found.append(name)
    return found
