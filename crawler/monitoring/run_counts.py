"""Names of the counts of a run by which something is decided.

Scrapy's stats have them under `crawler/`, the stored records of runs without. So a changed value needs a migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from crawler.items import ArticleFlag, Verdict


class RunCount(StrEnum):
    """What a run counts besides its articles."""

    ENTRIES = "entries"
    """Entries of list pages."""
    LISTS_REPLACED = "lists_replaced"
    """Lists that failed, where another list was read instead."""
    LISTS_CUT_OFF = "lists_cut_off"
    """Lists that were cut off at each try, and read as far as they came."""
    STOPPED_EARLY = "stopped_early"
    """Lists that were not read back to a known article."""

    NOT_MODIFIED = "not_modified"
    NO_ARTICLE = "no_article"
    SKIPPED = "skipped"
    TOO_OLD = "too_old"
    EXPECTED_ERRORS = "expected_errors"
    """Stored pages of a replay that are refusals or broken, as their expectation says."""

    INVENTED = "invented"
    """1 for a run that the demo invented."""

    DAMAGED = "damaged"
    """Articles whose text came cut off or in a wrong encoding, also those that were not stored for this reason."""

    READ_GENERICALLY = "read_generically"
    """Articles that the reader of any site read, because the source's own page classes could not."""

    READ_BACK_BEGUN = "read_back_begun"
    """Runs that began to read the lists back to the longest age of `revisits`."""
    READ_BACK = "read_back"
    """Runs in which it came to an end, also if a list failed on the way."""
    READ_BACK_FAILED = "read_back_failed"
    """Lists that were not read back that far."""

    ARCHIVE_WAITING = "archive_waiting"
    """WARC files of the source that earlier runs on this machine could not upload to object storage."""


_RESULT_COUNTS = (
    RunCount.NOT_MODIFIED,
    RunCount.EXPECTED_ERRORS,
    RunCount.NO_ARTICLE,
    RunCount.SKIPPED,
    RunCount.TOO_OLD,
)
"""Counts of pages that were read well and rightly gave no article."""


def get_count_name(verdict: Verdict | None) -> str:
    """Return the name under which a run counts articles with this verdict."""
    return f"articles/{verdict}"


def get_flag_count_name(flag: ArticleFlag) -> str:
    """Return the name under which a run counts articles with this flag."""
    return f"flags/{flag}"


def has_result(counts: Mapping[str, int]) -> bool:
    """Whether at least one page gave articles, also damaged ones, or rightly gave none."""
    return any(counts.get(name) for name in (*_RESULT_COUNTS, RunCount.DAMAGED, *map(get_count_name, Verdict)))
