"""Sources: the state of each one in words, the worst first, with its clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler import spiders
from crawler.config.source_folder import find_definition
from crawler.errors import EXIT_CODE_PRECEDENCE, DefinitionError
from crawler.fixtures.source_files import change_definition
from crawler.service.cron import parse_cron
from crawler.service.schedule_state import Timing
from crawler.service.schedules import make_timings, set_paused
from crawler.service.source_state import UNWATCHED, SourceState
from crawler.store import RUN_NOW
from crawler.web.charts import BarChart, make_weekly_bars
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues
from crawler.web.newsroom import Newsroom, SourceProfile
from crawler.web.pages.account import record_change
from crawler.web.rendering import PageRenderer, make_address

MAX_LISTED_PROBLEMS = 3
SOURCE_CHANGES = {
    "enable": {"enabled": True, "retired": False},
    "disable": {"enabled": False},
    "retire": {"enabled": False, "retired": True},
}
"""What each button sets in the file of a source."""
CADENCE_WEEKS = 26
"""Weeks of which a source's articles are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSource:
    """A source with its state. `next_run_at` is None for a paused or unwatched one. `problems` are of its last run."""

    profile: SourceProfile
    state: SourceState
    timing: Timing
    next_run_at: datetime | None
    article_count: int
    problems: tuple[str, ...]
    failed_url_count: int


def show_sources(site: PageRenderer, request: Request) -> Response:
    """Return the page of sources."""
    newsroom = site.newsroom
    timings = make_timings(newsroom.config, newsroom.store)
    shown = [make_shown_source(newsroom, name, state, timings) for name, state in newsroom.get_states().items()]
    shown.sort(key=lambda source: _get_rank(source.state.assessment.exit_code))
    idle = [profile for profile in newsroom.profiles.values() if not profile.is_enabled]
    added = request.query_params.get("added", "")[:64]
    turned = request.query_params.get("turned", "")[:64]
    begin = datetime.now(UTC) - CADENCE_WEEKS * timedelta(weeks=1)
    bars = {name: make_bars(newsroom, name, begin) for name in newsroom.get_states()}
    return site.render(
        request,
        "sources.html",
        sources=shown,
        idle=idle,
        retired=list_retired(),
        bars=bars,
        weeks=CADENCE_WEEKS,
        added=added if added in newsroom.profiles else "",
        overruled=turned if newsroom.can_edit_sources and is_overruled(newsroom, turned) else "",
    )


def list_retired() -> list[str]:
    """Return the names of the retired sources."""
    return sorted(set(spiders.list_names(with_retired=True)) - set(spiders.list_names()))


def is_overruled(newsroom: Newsroom, name: str) -> bool:
    """Return whether crawler.toml decides against what the file of a source says about its being enabled."""
    try:
        definition = find_definition(name)
    except DefinitionError:
        return False
    wanted = definition is not None and definition.enabled and not definition.retired
    return definition is not None and newsroom.config.get_source(name).enabled != wanted


def pause_source(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Pause a source, or let it run again, and return to the page."""
    newsroom, name = site.newsroom, form.get_first("source")
    timings = make_timings(newsroom.config, newsroom.store)
    if name not in timings or form.get_first("do") not in ("pause", "resume"):
        raise BadAddress
    set_paused(newsroom.store, name, timings[name], paused=form.get_first("do") == "pause")
    newsroom.forget_states()
    return RedirectResponse(form.get_back_address() + form.get_anchor(), 303)


def change_source(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Enable, disable or retire a source that a file in `sources/` describes, and return to the page."""
    newsroom, name, action = site.newsroom, form.get_first("source"), form.get_first("do")
    if not newsroom.can_edit_sources or action not in SOURCE_CHANGES:
        raise BadAddress
    change_definition(name, SOURCE_CHANGES[action])
    record_change(site, request, f"source.{action}", name)
    newsroom.reload()
    return RedirectResponse(f"{make_address('/sources', {'turned': name})}#{name}", 303)


def make_shown_source(newsroom: Newsroom, name: str, state: SourceState, timings: Mapping[str, Timing]) -> ShownSource:
    """Return a source as the page shows it."""
    store = newsroom.store
    problems = tuple(each.message for each in state.last_run.problems) if state.last_run else ()
    return ShownSource(
        profile=newsroom.profiles[name],
        state=state,
        timing=timings[name],
        next_run_at=find_next_run(newsroom, name, state, timings[name]),
        article_count=store.articles.count(source=name),
        problems=problems[:MAX_LISTED_PROBLEMS],
        failed_url_count=len(store.failures.list_by_source(name)),
    )


def make_bars(newsroom: Newsroom, name: str, begin: datetime) -> BarChart:
    """Return the articles of a source in each week since `begin`, the current one last."""
    times = newsroom.store.articles.list_publication_times(name, begin, with_backfilled=True)
    return make_weekly_bars(times, begin, datetime.now(UTC), newsroom.zone)


def find_next_run(newsroom: Newsroom, name: str, state: SourceState, timing: Timing) -> datetime | None:
    """Return when a watch starts the source next, or None."""
    if newsroom.is_demo or state.is_paused or state.assessment.health == UNWATCHED:
        return None
    now = datetime.now(UTC)
    row = newsroom.store.schedules.get(name)
    if row is not None and row.next_due_at is not None and row.next_due_at != RUN_NOW and row.next_due_at > now:
        return row.next_due_at
    due: datetime | None = parse_cron(timing.cron, "cron", newsroom.config.timezone).get_next_fire_time(None, now)
    return due


def _get_rank(exit_code: int) -> int:
    return EXIT_CODE_PRECEDENCE.index(exit_code) if exit_code in EXIT_CODE_PRECEDENCE else len(EXIT_CODE_PRECEDENCE)
