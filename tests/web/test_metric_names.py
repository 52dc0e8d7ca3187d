"""The alert rules and the dashboard in docs/deploy use figures that `/metrics` really has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families
from support.newsroom_articles import SaveArticle

from crawler.items import Health
from crawler.service.source_state import UNWATCHED
from crawler.store import DeliveryState

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
METRIC_NAME = re.compile(r"\b(?:crawler|process)_[a-z0-9_]+")
LABEL_MATCHER = re.compile(r'(\w+)=~?"([^"$]*)"')
VALUES = {
    "health": {*map(str, Health), UNWATCHED},
    "state": set(map(str, DeliveryState)),
    "job": {"crawler"},
}


def find_values(container: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key in nested tables and lists."""
    if isinstance(container, dict):
        if key in container:
            yield container[key]
        container = list(container.values())
    if isinstance(container, list):
        for each in container:
            yield from find_values(each, key)


def list_expressions() -> list[str]:
    rules = yaml.safe_load((FOLDER / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    dashboard = json.loads((FOLDER / "grafana" / "crawler.json").read_text(encoding="utf-8"))
    found = [*find_values(rules, "expr"), *find_values(dashboard, "expr"), *find_values(dashboard, "definition")]
    assert len(found) > 30
    return found


def test_every_name_is_in_the_metrics(client: httpx.Client, save: SaveArticle) -> None:
    save("1")
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    names = {family.name for family in families} | {sample.name for family in families for sample in family.samples}
    used = {name for expression in list_expressions() for name in METRIC_NAME.findall(expression)}
    assert len(used) > 10
    assert used - names == set()


def test_every_value_of_a_label_is_one_that_a_figure_has() -> None:
    used = {
        (label, value)
        for expression in list_expressions()
        for label, values in LABEL_MATCHER.findall(expression)
        for value in values.split("|")
        if label != "source"
    }
    assert {label for label, _ in used} == set(VALUES)
    assert [each for each in used if each[1] not in VALUES[each[0]]] == []


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    dashboard = json.loads((FOLDER / "grafana" / "crawler.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
