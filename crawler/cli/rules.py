"""`crawler rules`: check a rule file before it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crawler.keywords import RuleSet

app = typer.Typer(help="Check rule files.", no_args_is_help=True)


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="A rule file; none: the one in force.")] = None,
) -> None:
    """Read a rule file, say what stands in it and what may surprise; exit 2 with file and line when it is broken."""
    from crawler.config import load
    from crawler.keywords import load_rules

    rules = load_rules(file if file is not None else load(context.obj).rules)
    typer.echo(summary(rules))


@app.command()
def schema() -> None:
    """Print the JSON Schema of rule files, for editors."""
    from crawler.keywords.rules import rule_schema

    typer.echo(json.dumps(rule_schema(), ensure_ascii=False, indent=2))


def summary(rules: RuleSet) -> str:
    """What a rule set holds, a line a rule, and a warning for abbreviations that no context guards."""
    from crawler.keywords.abbreviations import is_abbreviation
    from crawler.keywords.forms import patterns

    lines = []
    for rule in rules.rules:
        terms = rule.listed()
        forms = sum(len(endings or "1") for language, term in terms for _, endings in patterns(term, language))
        lines.append(f"{rule.name}: {len(terms)} terms, {forms:,} forms{', a query' if rule.query else ''}")
        guarded = {term for context in rule.context for term in context.terms or [term for _, term in terms]}
        for _, term in terms:
            if is_abbreviation(term) and len(term) <= 4 and term not in guarded:
                lines.append(f"  {term} is short and may stand for something else; give it a context")
    lines.append(f"{rules.path or 'shipped rules'}: {len(rules.rules)} rules, nothing wrong ({rules.digest[:19]})")
    return "\n".join(lines)
