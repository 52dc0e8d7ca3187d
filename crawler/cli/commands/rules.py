"""`crawler rules`: check a rules file, test it on stored articles before it is used, apply it to stored articles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.console import mark_matches, print_error
from crawler.cli.help import CommandApp

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.keywords import RuleSet
    from crawler.keywords.backtest import BacktestSample, RuleDifference

app = CommandApp(help="Check, test and apply rules files.", no_args_is_help=True)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Rules file. Default: the one in force.")] = None,
) -> None:
    """Validate a rules file and count its terms and forms.

    Exits with 2, and names file and line, if it is broken.
    """
    from crawler.config import load_config
    from crawler.keywords import load_rules, load_rules_argument

    rules = load_rules_argument(file) if file is not None else load_rules(load_config(context.obj).rules)
    typer.echo(format_rules(rules))
    if missing := rules.list_missing_shipped():
        print_error(
            f"the shipped rules {', '.join(missing)} are not in force: {rules.path} replaces them. "
            'Write include = "shipped" at its top to keep them.'
        )


@app.command("test")
def backtest(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The candidate rules file.")],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only since this day, time or age: 2026-01-31, 36h, 90d.")
    ] = "90d",
    samples: Annotated[int, typer.Option(min=0, metavar="N", help="Examples of each kind to print.")] = 10,
) -> None:
    """Compare candidate rules with today's on stored articles."""
    from crawler.config import load_config

    typer.echo(compare_rules(load_config(context.obj), file, since, samples))


@app.command()
def apply(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the changes, store nothing.")] = False,
) -> None:
    """Match all stored articles again by the rules in force.

    Each change is recorded. No subscriber is notified. If the command is interrupted, the next one continues.
    """
    from crawler.config import load_config

    typer.echo(apply_rules(load_config(context.obj), dry_run=dry_run))


@app.command()
def schema() -> None:
    """Print the JSON Schema of rules files, for editors."""
    from crawler.keywords.rules import make_rule_schema

    typer.echo(json.dumps(make_rule_schema(), ensure_ascii=False, indent=2))


def format_rules(rules: RuleSet) -> str:
    """Return a line for each rule, and a warning for each abbreviation without a context."""
    from crawler.keywords.abbreviations import is_abbreviation
    from crawler.keywords.automaton import make_patterns
    from crawler.text.counts import format_count

    lines = []
    for rule in rules.rules:
        terms = rule.list_terms()
        forms = sum(len(endings or "1") for language, term in terms for _, endings in make_patterns(term, language))
        query = ", a query" if rule.query else ""
        lines.append(f"{rule.name}: {format_count(len(terms), 'term')}, {forms:,} forms{query}")
        with_context = {term for context in rule.context for term in context.terms or [term for _, term in terms]}
        for _, term in terms:
            if is_abbreviation(term) and len(term) <= 4 and term not in with_context:
                lines.append(f"  {term} is short and may mean something else; give it a context")
    count = format_count(len(rules.rules), "rule")
    lines.append(f"{rules.path or 'shipped rules'}: {count}, no error ({rules.digest[:19]})")
    return "\n".join(lines)


def compare_rules(config: Config, file: Path, since: str, samples: int) -> str:
    """Return how the candidate rules differ from those in force, a paragraph for each rule. Nothing is stored."""
    from crawler.cli.index_progress import index_waiting_versions
    from crawler.cli.time_options import parse_since
    from crawler.context.configured_store import open_configured_store
    from crawler.keywords import Matcher, load_rules, load_rules_argument
    from crawler.keywords.backtest import compare_matchers
    from crawler.publish.search import find_articles_with_terms
    from crawler.text.counts import format_count

    candidate, current = Matcher(load_rules_argument(file)), Matcher(load_rules(config.rules))
    start = parse_since(since, config.timezone)
    with open_configured_store(config) as store:
        index_waiting_versions(store)
        count = store.articles.count(since=start)
        result = compare_matchers(
            candidate, current, find_articles_with_terms(store, (candidate, current), start), max_samples=samples
        )
    head = f"{format_count(count, 'stored article')} since {start:%Y-%m-%d %H:%M}." if start else ""
    if not count:
        return f"{head} There is nothing to test on; crawl first, or give a longer --since."
    return "\n\n".join([head, *("\n".join(_format_difference(difference)) for difference in result.rules)])


def _format_difference(difference: RuleDifference) -> Iterator[str]:
    from crawler.text.counts import format_count

    per_week = average_per_week(difference.weeks)
    weekly = f", {per_week:.1f} a week" if per_week else ""
    articles = format_count(difference.articles, "article")
    yield f"{difference.rule}: {articles}{weekly}; {difference.weak_only} more only weakly"
    if difference.weeks:
        weeks = ", ".join(f"{week} {count}" for week, count in sorted(difference.weeks.items()))
        yield f"    by week: {weeks}"
    yield f"    against today's rules: {difference.new} new, {difference.lost} lost"
    yield from _format_samples("new", difference.new_samples)
    yield from _format_samples("lost", difference.lost_samples)


def average_per_week(weeks: Mapping[str, int]) -> float:
    """Return articles per week, from the first week with one to the last. Undated articles do not count."""
    dated = {date.fromisocalendar(int(week[:4]), int(week[6:]), 1): n for week, n in weeks.items() if week[0].isdigit()}
    if not dated:
        return 0.0
    return sum(dated.values()) / ((max(dated) - min(dated)).days // 7 + 1)


def _format_samples(kind: str, samples: Sequence[BacktestSample]) -> Iterator[str]:
    for sample in samples:
        yield f"    {kind}: {sample.headline} ({sample.article})"
        yield f"        … {mark_matches(sample.matches[0].sentence, sample.matches, '*')}"


def apply_rules(config: Config, *, dry_run: bool) -> str:
    """Match every version of every article again. Return what changed."""
    from crawler.cli.task_progress import show_progress
    from crawler.service.rematch import rematch_articles
    from crawler.text.counts import format_count

    with show_progress() as progress:
        rules, state = rematch_articles(config, dry_run=dry_run, on_progress=progress.update)
    changed = "would change" if dry_run else "changed"
    continued = "An interrupted command was continued. " if state.was_continued else ""
    return (
        f"{continued}{format_count(state.versions, 'version')} matched by {rules.path or 'the shipped rules'}: "
        f"{state.changed} {changed}; {state.gained} match strongly now that did not, "
        f"{state.lost} no longer do. No subscriber was notified."
    )
