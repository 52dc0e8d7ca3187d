"""How much a store and its archive hold, in all and by source, year and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from crawler.archive.inventory import measure_archive
from crawler.archive.spooled_archive import ArchiveRoot
from crawler.items import format_time
from crawler.store import Store
from crawler.store.statistics import MonthGrowth, RelationSize, SourceYear, TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatistics:
    """What a store has. All figures are counted, except the rows of `relations` where `has_exact_rows` is False.

    `archive` has bytes by source and month. `free_bytes` of a SQLite file hold nothing; None for a server.
    """

    store: str
    bytes: int
    free_bytes: int | None
    articles: int
    times: TimeRange
    waiting: dict[str, int]
    relations: list[RelationSize]
    has_exact_rows: bool
    years: list[SourceYear]
    months: list[MonthGrowth]
    archive: dict[tuple[str, str], int]

    def sum_archive_by_source(self) -> Counter[str]:
        """Return the bytes of the archive by source."""
        return self._sum_archive(0)

    def sum_archive_by_month(self) -> Counter[str]:
        """Return the bytes of the archive by month."""
        return self._sum_archive(1)

    def _sum_archive(self, part: int) -> Counter[str]:
        sums: Counter[str] = Counter()
        for key, size in self.archive.items():
            sums[key[part]] += size
        return sums

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        values = asdict(self)
        values["times"] = {name: format_time(at) for name, at in self.times._asdict().items()}
        for name in ("relations", "years", "months"):
            values[name] = [each._asdict() for each in getattr(self, name)]
        archive = [{"source": key[0], "month": key[1], "bytes": size} for key, size in sorted(self.archive.items())]
        return {**values, "archive": archive}


def collect_statistics(
    store: Store, archive: ArchiveRoot, on_progress: Callable[[str, int, int | None], None] = lambda *_: None
) -> StoreStatistics:
    """Return what a store and an archive have now. Raise ObjectStorageError if its storage cannot be listed."""
    rows = store.statistics
    on_progress("measuring tables and indexes", 0, None)
    relations = rows.list_relations()
    on_progress("counting articles", 0, None)
    years, months = rows.count_by_source_and_year(), rows.count_by_month()
    on_progress("measuring the archive", 0, None)
    return StoreStatistics(
        store=store.name,
        bytes=rows.get_bytes(),
        free_bytes=store.retention.get_free_bytes(),
        articles=sum(each.articles for each in years),
        times=rows.get_time_range(),
        waiting=rows.count_waiting(),
        relations=relations,
        has_exact_rows=rows.has_exact_rows,
        years=years,
        months=months,
        archive=measure_archive(archive),
    )
