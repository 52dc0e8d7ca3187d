"""The routes for programs that watch the server."""

from __future__ import annotations

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from support.newsroom_articles import NOW, SaveArticle

from crawler.items import Health, Run
from crawler.store import Store


def read_metrics(client: httpx.Client) -> dict[tuple[str, tuple[str, ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_server_is_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").text == "alive\n"
    assert client.get("/readyz").text == "ready\n"


def test_server_without_a_store_is_alive_but_not_ready(client: httpx.Client, tmp_path: Path) -> None:
    assert client.get("/readyz").status_code == 200
    for file in tmp_path.glob("crawler.db*"):
        file.unlink()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_metrics_have_what_health_prints(client: httpx.Client, store: Store, save: SaveArticle) -> None:
    save("1")
    run = store.runs.record_start(Run(source="mfa", started_at=NOW))
    ended = Run(id=run.id, source="mfa", started_at=NOW, finished_at=NOW, health=Health.BLOCKED, exit_code=11)
    store.runs.record_end(ended)
    store.messages.add(key="1", subscription="press", kind="alert", channels=["mail"], created_at=NOW, due_at=NOW)
    found = read_metrics(client)
    assert found["crawler_source_health", ("blocked", "mfa")] == 1
    assert found["crawler_source_health", ("healthy", "mfa")] == 0
    assert found["crawler_source_health", ("unwatched", "ktkz")] == 1
    assert found["crawler_source_exit_code", ("mfa",)] == 11
    assert found["crawler_source_last_run_seconds", ("mfa",)] == NOW.timestamp()
    assert ("crawler_source_last_healthy_run_seconds", ("mfa",)) not in found
    assert found["crawler_articles", ()] == 1
    assert found["crawler_deliveries", ("pending",)] == 1
    assert found["process_resident_memory_bytes", ()] > 1_000_000
