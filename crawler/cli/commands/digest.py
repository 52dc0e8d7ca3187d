"""`crawler digest`: the press review of a period, on the terminal or as a file to send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli.options import FormerLanguageOption, OutputLanguageOption, RuleOption, SourceOption
from crawler.errors import UsageError
from crawler.text.counts import format_count


class MinSeverity(StrEnum):
    """The least severity of the revisions in a press review."""

    COSMETIC = "cosmetic"
    EDITORIAL = "editorial"
    SUBSTANTIVE = "substantive"


def digest(
    context: typer.Context,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Begin: a day, a time, or an age before --until: 24h, 7d.")
    ] = "24h",
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="End: 08:30 (today), a time or a day. Default: now.")
    ] = None,
    rules: RuleOption = None,
    sources: SourceOption = None,
    output_language: OutputLanguageOption = None,
    language: FormerLanguageOption = None,
    revisions: Annotated[
        MinSeverity, typer.Option(help="Least severity of the revisions to include.")
    ] = MinSeverity.EDITORIAL,
    redact: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Pattern of text to black out. Repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write .html, .md, .txt, .docx or .pdf.")
    ] = None,
) -> None:
    """Write the press review of a period.

    It has what was first seen or revised, by rule and story, and what may be missing. .docx and .pdf need
    an optional package: python -m pip install ".[review]" in the project's folder.
    """
    from crawler.cli.selection import choose_output_language, make_query
    from crawler.cli.time_options import parse_period
    from crawler.config import load_config
    from crawler.publish.builder import EntryBuilder
    from crawler.publish.digest import make_digest
    from crawler.publish.digest_view import DigestView, render_digest
    from crawler.publish.phrases import Phrases
    from crawler.publish.press_review import raise_if_unwritable, write_review
    from crawler.publish.templates import Templates
    from crawler.revisions.kinds import Severity
    from crawler.service.clustered_store import open_clustered_store
    from crawler.text.dates import load_time_zone

    spoken = choose_output_language(output_language, language)
    config, now = load_config(context.obj), datetime.now(UTC)
    begin, end = parse_period(since, until, config.timezone, now)
    query = make_query(config, rules=rules or (), sources=sources or ())
    if output is not None:
        raise_if_unwritable(output)
    templates = Templates(config.templates)
    with open_clustered_store(config) as store:
        builder = EntryBuilder(config, store, redact=parse_redactions(redact or ()), language=spoken)
        review = make_digest(
            builder, store, config, query, begin, end, language=spoken, min_severity=Severity(revisions.value)
        )
    view = DigestView(review, Phrases(spoken, load_time_zone(config.timezone)), made=now)
    if output is None:
        typer.echo(render_digest(templates, "txt", view), nl=False)
        return
    write_review(output, view, templates)
    typer.echo(f"{output}: {format_result(len(review.stories), len(review.troubles))}")


def format_result(story_count: int, outage_count: int) -> str:
    """Return what a press review has, and how many sources it may lack something of."""
    stories = format_count(story_count, "story", "stories")
    gaps = format_count(outage_count, "source was", "sources were") + " not read completely"
    return f"{stories}; {gaps if outage_count else 'all sources were read completely'}."


def parse_redactions(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns, checked by the rules for a subscription's. Raise UsageError for a bad one."""
    from pydantic import ValidationError

    from crawler.config.base import get_validation_message
    from crawler.config.subscriptions import Subscription

    try:
        return Subscription.model_validate({"channels": ("none",), "redact": tuple(patterns)}).redact
    except ValidationError as error:
        raise UsageError(f"--redact {get_validation_message(error.errors()[0])}.") from error
