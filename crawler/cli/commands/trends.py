"""`crawler trends`: count the articles that rules matched, by week or month."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.console import format_table
from crawler.cli.options import SourceOption
from crawler.errors import UsageError
from crawler.text.periods import CountingPeriod


def trends(
    context: typer.Context,
    rule: Annotated[
        str | None, typer.Argument(metavar="RULE", help="Name of a rule. Default: every rule in a column.")
    ] = None,
    by: Annotated[CountingPeriod, typer.Option("--by", help="Time that is counted together.")] = CountingPeriod.WEEK,
    source: SourceOption = None,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only since this day, time or age: 2026-01-31, 26w.")
    ] = "26w",
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only articles before this day, time or age.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write a picture with bars.")] = None,
) -> None:
    """Print how many articles rules matched over time.

    Counts articles with a strong match, by the week or month of their publication.
    """
    from crawler.cli.selection import get_rule_titles, raise_if_unknown, raise_if_unknown_source
    from crawler.cli.time_options import parse_since
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store
    from crawler.publish.atomic_write import write_atomic
    from crawler.publish.trends import count_matches, format_csv, format_svg, list_table_rows
    from crawler.text.dates import load_time_zone

    config, now = load_config(context.obj), datetime.now(UTC)
    titles = get_rule_titles(config)
    raise_if_unknown("rule", [rule] if rule else [], titles)
    raise_if_unknown_source(source or [])
    begin = parse_since(since, config.timezone, now)
    end = parse_since(until, config.timezone, now, option="--until") or now
    if begin is None or begin >= end:
        raise UsageError(f"--since {since} is not before --until {until or 'now'}.")
    zone = load_time_zone(config.timezone)
    with open_configured_store(config) as store:
        found = store.articles.list_match_times([rule] if rule else [], source or [], begin, end)
    rules = [rule] if rule else [name for name in titles if any(match.rule == name for match in found)]
    trend = count_matches(found, rules, by, begin, end, zone)
    if svg is not None:
        title = titles[rule] if rule else "Matched articles"
        write_atomic(svg, format_svg(trend, f"{title}: articles by {by}").encode(), "--svg")
        print(f"{svg}: {len(trend.periods)} {by}s, {sum(trend.totals)} articles.")
    elif as_csv:
        print(format_csv(trend), end="")
    else:
        *columns, bars = zip(*list_table_rows(trend), strict=True)
        for line, bar in zip(format_table(list(zip(*columns, strict=True))), bars, strict=True):
            print(f"{line}  {bar}".rstrip())
