"""Routes of sources, rules and runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from crawler.items import Run
from crawler.roles import Role
from crawler.service.schedules import make_timings
from crawler.service.source_state import SourceState
from crawler.store.reading_lists import StoryFilter
from crawler.web.api.models import (
    AlarmReport,
    RuleList,
    RuleReport,
    RunPage,
    RunProblem,
    RunReport,
    RunRow,
    SourceList,
    SourceReport,
)
from crawler.web.api.parameters import ListParameters, Name, RowNumber, format_cursor, parse_row_cursor
from crawler.web.api.routing import Context, answer_in_thread, make_router
from crawler.web.errors import PageMissing
from crawler.web.newsroom import Newsroom
from crawler.web.pages.sources import find_next_run

router = make_router("sources, rules and runs")


class RunParameters(ListParameters):
    """The filters of the list of runs."""

    source: Name | None = None


@router.get("/sources", response_model=SourceList)
@answer_in_thread(Role.READER)
def list_sources(context: Context) -> SourceList:
    """List the enabled sources with their states, which are at most 20 s old."""
    newsroom = context.newsroom
    return SourceList(items=[make_source_report(newsroom, state) for state in newsroom.get_states().values()])


@router.get("/sources/{name}", response_model=SourceReport)
@answer_in_thread(Role.READER)
def get_source(context: Context, name: Annotated[Name, Path(description="The source's name.")]) -> SourceReport:
    """Return the state of an enabled source."""
    state = context.newsroom.get_states().get(name)
    if state is None:
        raise PageMissing(f"There is no enabled source {name!r}.")
    return make_source_report(context.newsroom, state)


@router.get("/rules", response_model=RuleList)
@answer_in_thread(Role.READER)
def list_rules(context: Context) -> RuleList:
    """List the rules in force."""
    newsroom = context.newsroom
    languages = next(iter(newsroom.profiles.values())).titles
    return RuleList(
        items=[
            RuleReport(
                name=name,
                titles={language: newsroom.get_rule_title(name, language) for language in languages},
                story_count=newsroom.story_counts.get(StoryFilter(rule=name)),
            )
            for name in newsroom.list_rule_names()
        ]
    )


@router.get("/runs", response_model=RunPage)
@answer_in_thread(Role.READER)
def list_runs(context: Context, wanted: Annotated[RunParameters, Query()]) -> RunPage:
    """List the runs, the newest first."""
    before = parse_row_cursor(wanted.cursor)
    found = context.newsroom.store.reading_lists.list_runs(wanted.limit + 1, source=wanted.source, before=before)
    shown = found[: wanted.limit]
    following = format_cursor(shown[-1].id) if len(found) > len(shown) else None
    return RunPage(items=[RunRow.model_validate(each, from_attributes=True) for each in shown], next=following)


@router.get("/runs/{run_id}", response_model=RunReport)
@answer_in_thread(Role.READER)
def get_run(context: Context, run_id: Annotated[RowNumber, Path(description="The run's number.")]) -> RunReport:
    """Return a run with its failures."""
    run = context.newsroom.store.runs.get(run_id)
    if run is None:
        raise PageMissing(f"There is no run {run_id}.")
    return _make_run_report(run, run_id)


def make_source_report(newsroom: Newsroom, state: SourceState) -> SourceReport:
    """Return the state of a source as an answer shows it."""
    profile, name = newsroom.profiles[state.source], state.source
    timing = make_timings(newsroom.config, newsroom.store, (name,))[name]
    last, healthy, alarm = state.last_run, state.last_healthy_run, state.alarm
    return SourceReport(
        name=name,
        titles=dict(profile.titles),
        address=profile.address,
        enabled=profile.is_enabled,
        health=state.assessment.health,
        exit_code=state.assessment.exit_code,
        reason=state.assessment.reason,
        paused=state.is_paused,
        since=state.since,
        last_run_at=last.started_at if last else None,
        last_healthy_run_at=healthy.started_at if healthy else None,
        next_run_at=find_next_run(newsroom, name, state, timing),
        silence=state.silence,
        unclustered=state.unclustered,
        alarm=AlarmReport(
            kind=alarm.kind,
            since=alarm.opened_at,
            runs=alarm.run_count,
            told=state.alarm_delivery.sent_at,
            failure=state.alarm_delivery.failure,
        )
        if alarm
        else None,
    )


def _make_run_report(run: Run, run_id: int) -> RunReport:
    return RunReport(
        id=run_id,
        source=run.source,
        mode=run.mode,
        started_at=run.started_at,
        finished_at=run.finished_at,
        health=run.health,
        reason=run.reason,
        exit_code=run.exit_code,
        counts=run.counts,
        problem_count=len(run.problems),
        problems=[RunProblem(kind=each.kind, message=each.message, url=each.url) for each in run.problems],
    )
