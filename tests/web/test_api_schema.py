"""Every operation of the OpenAPI document against generated requests, good and hostile: no 5xx, all documented.

Schemathesis takes up to a second to import. These tests import it, so that collecting the fast suite does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from support.empty_stores import open_test_store
from support.newsroom_articles import NOW, TEXT, make_story_article
from support.newsroom_server import run_newsroom

from crawler.config import Config
from crawler.items import Health, Run, Verdict
from crawler.store import Store
from crawler.web.api.application import API_PATH
from crawler.web.newsroom import Newsroom

pytestmark = pytest.mark.slow
MAX_EXAMPLES = 40
NEVER_ENDING = "/events"
"""A stream of events has no end; tests/web/test_live_events.py covers it."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import schemathesis

    folder = tmp_path_factory.mktemp("schema")
    with open_test_store(f"sqlite:///{folder / 'crawler.db'}") as store:
        fill_store(store)
        with run_newsroom(Newsroom(config=Config(data_dir=folder), store=store)) as address:
            loaded = schemathesis.openapi.from_url(f"{address}{API_PATH}/openapi.json")
            # Some generated bodies are longer than a request may be.
            rejection = loaded.config.checks.negative_data_rejection
            rejection.expected_statuses = [*rejection.expected_statuses, "413"]
            yield loaded


def fill_store(store: Store) -> None:
    for version, body in enumerate((TEXT, TEXT.replace("Астану", "Алматы")), start=1):
        verdict = Verdict.NEW if version == 1 else Verdict.REVISED
        article = make_story_article("1", body, version=version, verdict=verdict)
        store.articles.save(article, content_hash=body, run_id=None, seen_at=NOW)
    run = store.runs.record_start(Run(source="mfa", started_at=NOW))
    store.runs.record_end(Run(id=run.id, source="mfa", started_at=NOW, finished_at=NOW, health=Health.HEALTHY))
    store.messages.add(key="1", subscription="press", kind="alert", channels=["mail"], created_at=NOW, due_at=NOW)


def list_operations(schema: Any) -> list[Any]:
    found = [each.ok() for each in schema.get_all_operations()]
    return [each for each in found if each.path != NEVER_ENDING]


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_operation_answers_as_documented(schema: Any, mode: str) -> None:
    from schemathesis.core.failures import FailureGroup

    operations = list_operations(schema)
    assert len(operations) >= 15
    failures = []
    for operation in operations:
        try:
            check_operation(operation, mode)
        except Unsatisfiable:  # nothing can be wrong with a request without parameters
            assert mode == "negative"
            assert not operation.query
        except FailureGroup as group:
            failures.append(f"{operation.label}: {group.exceptions}")
    assert not failures, "\n".join(failures)


def check_operation(operation: Any, mode: str) -> None:
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    @settings(
        max_examples=MAX_EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def check(case: Any) -> None:
        # A cursor is opaque, and a note needs a text: the document cannot say which values are good.
        case.call_and_validate(excluded_checks=[positive_data_acceptance], timeout=120)

    check()
