"""Runs: each crawl of a source, newest first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from crawler.web.pages.article import parse_number
from crawler.web.pages.today import MAX_PARAMETER_LENGTH
from crawler.web.rendering import PageRenderer, make_address

RUNS_PER_PAGE = 50


def show_runs(site: PageRenderer, request: Request) -> Response:
    """Return the page of runs, of all sources or of one."""
    source = request.query_params.get("source", "")[:MAX_PARAMETER_LENGTH] or None
    found = site.newsroom.store.reading_lists.list_runs(
        RUNS_PER_PAGE + 1, source=source, before=parse_number(request, "before")
    )
    rows = found[:RUNS_PER_PAGE]
    older = make_address("/runs", {"source": source, "before": rows[-1].id}) if len(found) > len(rows) else None
    rows.sort(key=lambda run: run.started_at, reverse=True)  # the demo invents a run before those of the store
    return site.render(request, "runs.html", rows=rows, source=source, older=older, address=make_address)
