"""`crawler rules`: check a rule file, try it on history before it is used, mark history by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.keywords import RuleSet

app = typer.Typer(help="Check rule files, try them on stored articles, mark history by them.", no_args_is_help=True)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A rule file; none: the one in force.")] = None,
) -> None:
    """Read a rule file, say what stands in it and what may surprise; exit 2 with file and line when it is broken."""
    from crawler.config import load_config
    from crawler.keywords import load_rules

    rules = load_rules(file if file is not None else load_config(context.obj).rules)
    typer.echo(format_rules(rules))


@app.command("test")
def backtest(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The candidate rule file.")],
    since: Annotated[str, typer.Option(help="Stored articles since then: a day, a time or an age.")] = "90d",
    samples: Annotated[int, typer.Option(min=0, help="Examples shown of each kind.")] = 10,
) -> None:
    """Run candidate rules over the stored articles: hits a week, what is new and what is lost against today's."""
    from crawler.cli import backtest
    from crawler.config import load_config

    typer.echo(backtest.compare_rules(load_config(context.obj), file, since, samples))


@app.command()
def apply(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")] = False,
) -> None:
    """Mark the stored articles by the rules in force, with a record of each change; nobody is alerted."""
    from crawler.cli import remark
    from crawler.config import load_config

    typer.echo(remark.rematch_articles(load_config(context.obj), dry_run=dry_run))


@app.command()
def schema() -> None:
    """Print the JSON Schema of rule files, for editors."""
    from crawler.keywords.rules import make_rule_schema

    typer.echo(json.dumps(make_rule_schema(), ensure_ascii=False, indent=2))


def format_rules(rules: RuleSet) -> str:
    """What a rule set holds, a line a rule, and a warning for abbreviations that no context guards."""
    from crawler.keywords.abbreviations import is_abbreviation
    from crawler.keywords.automaton import make_patterns

    lines = []
    for rule in rules.rules:
        terms = rule.list_terms()
        forms = sum(len(endings or "1") for language, term in terms for _, endings in make_patterns(term, language))
        more = ", a query" if rule.query else ""
        lines.append(f"{rule.name}: {format_count(len(terms), 'term')}, {forms:,} forms{more}")
        guarded = {term for context in rule.context for term in context.terms or [term for _, term in terms]}
        for _, term in terms:
            if is_abbreviation(term) and len(term) <= 4 and term not in guarded:
                lines.append(f"  {term} is short and may stand for something else; give it a context")
    lines.append(
        f"{rules.path or 'shipped rules'}: {format_count(len(rules.rules), 'rule')}, no error ({rules.digest[:19]})"
    )
    return "\n".join(lines)
