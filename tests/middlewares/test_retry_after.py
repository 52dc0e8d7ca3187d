"""Any Retry-After header is a pause, or none. No value raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Response

from crawler.middlewares.retry import MAX_RETRY_AFTER, parse_retry_after

FETCHED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def parse_header(value: str, date: str = "Sun, 01 Nov 2026 00:00:00 GMT") -> timedelta | None:
    response = Response("https://example.org/", headers={"Retry-After": value.encode("latin-1"), "Date": date})
    return parse_retry_after(response, FETCHED_AT)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("0" * 5000 + "7", 7),
        ("Sun, 01 Nov 2026 00:01:00 GMT", 60),
        ("Sun Nov  1 00:01:00 2026", 60),
    ],
)
def test_wait_is_read(value: str, seconds: int) -> None:
    assert parse_header(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        *("", "soon", "-5", "-99999999", "1.5", "+5", "\xb2", "1e9", "-" + "9" * 5000),
        *("Sun, 99 Foo 2026 00:00:00 GMT", "Sun, 01 Nov 0000 00:00:00 GMT", "Sun, 32 Nov 2026 00:00:00 GMT"),
        *("Sun, 01 Nov 2026 00:00:00 +9999", "Sat, 31 Oct 2026 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359"),
        *("Sun, 01 Foo 99999 00:00:00 GMT", "Sun, 01 Nov 2026 " + "9" * 5000 + ":00:00 GMT"),
    ],
)
def test_unusable_value_means_the_normal_backoff(value: str) -> None:
    assert parse_header(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *("9" * 9, "9" * 400, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"),
        *("Fri, 31 Dec 99999 23:59:59 GMT", "Friday, 31-Dec-10000 23:59:59 GMT", "Fri Dec 31 23:59:59 10000"),
        "Fri, 31 Dec " + "9" * 5000 + " 23:59:59 GMT",
    ],
)
def test_endless_wait_is_bounded(value: str) -> None:
    assert parse_header(value) == MAX_RETRY_AFTER


@pytest.mark.parametrize("date", ["", "x", "9" * 400, "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_unusable_clock_of_the_server_is_not_used(date: str) -> None:
    assert parse_header("Sun, 01 Nov 2026 00:01:00 GMT", date) == timedelta(seconds=60)


@given(st.text(alphabet=st.characters(max_codepoint=255)) | st.integers().map(str) | st.datetimes().map("{:%c}".format))
def test_any_text_is_a_pause_or_none(value: str) -> None:
    pause = parse_header(value)
    assert pause is None or timedelta() <= pause <= MAX_RETRY_AFTER
