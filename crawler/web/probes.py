"""What other programs ask about the server: is it alive, is it ready, and the figures of `crawler health`.

`/healthz` and `/readyz` answer everyone and say nothing about the content. `/metrics` has Prometheus's text format.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from crawler.errors import StoreError
from crawler.items import Health
from crawler.roles import Role
from crawler.service.source_state import UNWATCHED, SourceState
from crawler.web.access import OPEN_TO_ALL, GuardedRoute, KeyScope, declare_access, needs_role
from crawler.web.answer_threads import AnswerThreads
from crawler.web.newsroom import Newsroom

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_STORE = {"cache-control": "no-store"}
HEALTHS = (*(str(health) for health in Health), UNWATCHED)
SourceFigure = Callable[[SourceState], float | None]


def _get_timestamp(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


SOURCE_FIGURES: dict[str, tuple[str, SourceFigure]] = {
    "crawler_source_exit_code": ("Exit code of `crawler health`.", lambda state: state.assessment.exit_code),
    "crawler_source_paused": ("1 if the source is paused.", lambda state: state.is_paused),
    "crawler_source_alarm": ("1 if an alarm is open.", lambda state: state.alarm is not None),
    "crawler_source_silent": ("1 if it publishes less than it used to.", lambda state: state.silence is not None),
    "crawler_source_unclustered_articles": ("Articles that are in no story yet.", lambda state: state.unclustered),
    "crawler_source_archive_waiting_files": (
        "WARC files that waited to be uploaded when the last run began.",
        lambda state: state.archive_waiting,
    ),
    "crawler_source_health_since_seconds": (
        "Time when the health began.",
        lambda state: _get_timestamp(state.since),
    ),
    "crawler_source_last_run_seconds": (
        "Time when the last run started.",
        lambda state: _get_timestamp(state.last_run.started_at if state.last_run else None),
    ),
    "crawler_source_last_healthy_run_seconds": (
        "Time when the last healthy run started.",
        lambda state: _get_timestamp(state.last_healthy_run.started_at if state.last_healthy_run else None),
    ),
    "crawler_source_delay_p95_seconds": (
        "95th percentile of the time from publication to message in 30 days.",
        lambda state: state.delay.p95.total_seconds() if state.delay else None,
    ),
}
"""Name, help and value of each figure of a source. A figure without a value is left out."""


class NewsroomCollector(Collector):
    """The figures of a newsroom, read from the store at each request."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of the sources, at most 20 s old, then those of the store."""
        states = self._newsroom.get_states().values()
        yield _make_health_metric(states)
        for name, (description, get_figure) in SOURCE_FIGURES.items():
            metric = GaugeMetricFamily(name, description, labels=["source"])
            for state in states:
                value = get_figure(state)
                if value is not None:
                    metric.add_metric([state.source], float(value))
            yield metric
        store = self._newsroom.store
        deliveries = GaugeMetricFamily("crawler_deliveries", "Deliveries of messages, by state.", labels=["state"])
        for delivery_state, count in store.deliveries.count_by_state().items():
            deliveries.add_metric([delivery_state], count)
        yield deliveries
        yield GaugeMetricFamily("crawler_articles", "Stored articles.", value=store.articles.count())
        waiting = store.search.get_state().waiting
        yield GaugeMetricFamily("crawler_search_waiting_versions", "Versions that wait to be indexed.", value=waiting)


def _make_health_metric(states: Collection[SourceState]) -> Metric:
    metric = GaugeMetricFamily(
        "crawler_source_health", "1 for the health that a source has.", labels=["source", "health"]
    )
    for state in states:
        for name in HEALTHS:
            metric.add_metric([state.source, name], float(state.assessment.health == name))
    return metric


def make_probe_routes(newsroom: Newsroom, threads: AnswerThreads) -> list[GuardedRoute]:
    """Return the routes for programs that watch the server."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NewsroomCollector(newsroom))
    ProcessCollector(registry=registry)

    @declare_access(OPEN_TO_ALL)
    async def report_life(request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=NO_STORE)

    @declare_access(OPEN_TO_ALL)
    async def report_readiness(request: Request) -> Response:
        try:
            await threads.run(read_store, newsroom)
        except StoreError:
            return PlainTextResponse("The store cannot be read.\n", 503, NO_STORE)
        return PlainTextResponse("ready\n", headers=NO_STORE)

    @needs_role(Role.READER, KeyScope.METRICS)
    async def send_metrics(request: Request) -> Response:
        text = await threads.run(generate_latest, registry)
        return Response(text, media_type=METRICS_TYPE, headers=NO_STORE)

    endpoints = {"/healthz": report_life, "/readyz": report_readiness, "/metrics": send_metrics}
    return [GuardedRoute(path, endpoint, methods=["GET"]) for path, endpoint in endpoints.items()]


def read_store(newsroom: Newsroom) -> None:
    """Read something from the store. Raise StoreError if that fails."""
    newsroom.store.raise_if_lost()
    newsroom.store.is_empty()
