"""How many articles rules matched, by week or month: as a table with bars, as CSV, and as an SVG picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from xml.sax.saxutils import escape

from crawler.publish.exports import guard_formula
from crawler.store.articles import MatchTime
from crawler.text.periods import CountingPeriod

BAR_WIDTH = 40
BAR = "█"
ALL_ARTICLES = "articles"
"""Name of the column that counts each article once."""
UNFINISHED_MARK = "…"
SVG_BAR_WIDTH, SVG_GAP, SVG_HEIGHT, SVG_MARGIN = 14, 4, 160, 40


@dataclass(frozen=True, slots=True)
class Trend:
    """Articles in each period, by rule and together. `names` are the columns of `counts`. The periods have no gap."""

    names: tuple[str, ...]
    periods: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    is_last_unfinished: bool

    @property
    def totals(self) -> tuple[int, ...]:
        """The last column, which counts each article once."""
        return tuple(row[-1] for row in self.counts)


def count_matches(
    found: Iterable[MatchTime],
    rules: Sequence[str],
    period: CountingPeriod,
    begin: datetime,
    end: datetime,
    zone: tzinfo,
) -> Trend:
    """Return how many articles each of the rules matched in each period from `begin` to `end`, in a zone's days."""
    articles: dict[tuple[date, str], set[str]] = {}
    for match in found:
        start = period.get_start(match.dated_at.astimezone(zone).date())
        for name in (match.rule, ALL_ARTICLES):
            articles.setdefault((start, name), set()).add(match.article_id)
    names = tuple(rules) if len(rules) == 1 else (*rules, ALL_ARTICLES)
    last_day = (end - timedelta(microseconds=1)).astimezone(zone).date()
    starts = [period.get_start(begin.astimezone(zone).date())]
    while (following := period.get_next_start(starts[-1])) <= last_day:
        starts.append(following)
    counts = tuple(tuple(len(articles.get((start, name), ())) for name in names) for start in starts)
    is_unfinished = period.get_next_start(starts[-1]) > end.astimezone(zone).date()
    return Trend(names, tuple(map(period.format_start, starts)), counts, is_unfinished)


def list_table_rows(trend: Trend) -> Iterator[list[str]]:
    """Yield the rows of a table: a head, then each period with its counts and a bar of the last one."""
    yield ["", *trend.names, ""]
    highest = max(trend.totals, default=0) or 1
    for index, (period, row) in enumerate(zip(trend.periods, trend.counts, strict=True)):
        is_open = trend.is_last_unfinished and index == len(trend.periods) - 1
        length = -(-row[-1] * BAR_WIDTH // highest)
        yield [period, *map(str, row), BAR * length + (UNFINISHED_MARK if is_open else "")]


def format_csv(trend: Trend) -> str:
    """Return a line of names, then a line for each period."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["period", *map(guard_formula, trend.names)])
    writer.writerows([period, *row] for period, row in zip(trend.periods, trend.counts, strict=True))
    return file.getvalue()


def format_svg(trend: Trend, title: str) -> str:
    """Return a picture with a bar for each period, which needs no style sheet, script or font."""
    highest = max(trend.totals, default=0) or 1
    step = SVG_BAR_WIDTH + SVG_GAP
    width = max(2 * SVG_MARGIN + step * len(trend.periods), 320)
    base = SVG_MARGIN + SVG_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{base + SVG_MARGIN}" '
        f'viewBox="0 0 {width} {base + SVG_MARGIN}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<text x="{SVG_MARGIN}" y="20" font-size="13">{escape(title)}</text>',
        f'<text x="{SVG_MARGIN - 6}" y="{SVG_MARGIN + 4}" text-anchor="end">{highest}</text>',
        f'<text x="{SVG_MARGIN - 6}" y="{base}" text-anchor="end">0</text>',
        f'<line x1="{SVG_MARGIN}" y1="{base}" x2="{width - SVG_MARGIN}" y2="{base}" stroke="#444"/>',
    ]
    labelled = max(1, len(trend.periods) // 8)
    for index, (period, count) in enumerate(zip(trend.periods, trend.totals, strict=True)):
        x, height = SVG_MARGIN + index * step, round(count * SVG_HEIGHT / highest, 1)
        is_open = trend.is_last_unfinished and index == len(trend.periods) - 1
        opacity = ' fill-opacity="0.5"' if is_open else ""
        parts.append(
            f'<rect x="{x}" y="{round(base - height, 1)}" width="{SVG_BAR_WIDTH}" height="{height}" fill="#1f5a96"'
            f"{opacity}><title>{period}: {count}</title></rect>"
        )
        if index % labelled == 0:
            parts.append(f'<text x="{x}" y="{base + 16}">{period}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
