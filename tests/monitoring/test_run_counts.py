"""The names of counts: records of runs have them, so later runs must find the same."""

from __future__ import annotations

import pytest

from crawler.items import ArticleFlag, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name, get_flag_count_name, has_result

STORED_NAMES = set(
    "entries lists_replaced stopped_early not_modified no_article skipped too_old expected_errors "
    "read_back_begun read_back read_back_failed lists_cut_off damaged read_generically archive_waiting invented".split()
)


def test_stored_names_of_counts_stay() -> None:
    assert set(RunCount) == STORED_NAMES
    assert {get_flag_count_name(flag) for flag in ArticleFlag} == {f"flags/{flag.value}" for flag in ArticleFlag}
    assert {get_count_name(verdict) for verdict in Verdict} == {f"articles/{verdict.value}" for verdict in Verdict}


@pytest.mark.parametrize("name", ["articles/unchanged", "articles/new", "too_old", "not_modified", "damaged"])
def test_one_article_or_a_page_that_rightly_has_none_is_a_result(name: str) -> None:
    assert has_result({name: 1})
    assert not has_result({name: 0, "entries": 4, "matched": 2})
