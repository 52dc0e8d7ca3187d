"""Warnings of the samples of `crawler add`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.discovery.samples import DATE_OF_VISIT, SampleArticle, SampleField, mark_dates_of_visit

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "is_warned"),
    [
        (["2026-11-29T12:00:00", "2026-11-29T12:01:00", "2026-11-29T12:03:00"], True),
        (["2026-11-29"] * 3, True),
        (["2026-11-30"] * 3, True),  # it is tomorrow in Almaty
        (["2026-11-26"] * 3, False),
        (["2026-11-29T12:00:00", "2026-11-29T12:01:00", "2026-11-29T14:03:00"], False),
        (["2026-11-29T12:00:00"] * 2, False),
        (["2026-11-29", "2026-11-29", None], False),
        (["2026-11-29", "2026-11-29", "2026-11-28"], False),
    ],
)
def test_dates_that_are_those_of_the_visit_are_warned_of(values: list[str | None], is_warned: bool) -> None:
    samples = [
        SampleArticle(f"https://a.example/{number}", {"published_at": SampleField(value)})
        for number, value in enumerate(values)
    ]
    warnings = [f"published_at: {DATE_OF_VISIT}"] if is_warned else []
    assert [sample.warnings for sample in mark_dates_of_visit(samples, NOW)] == [warnings] * len(values)
