"""`crawler digest`: the press review of a period, on the terminal or as a file to send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli.options import FormerLanguageOption, OutputLanguageOption, RuleOption, SourceOption
from crawler.errors import UsageError
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.publish.digest import Digest
    from crawler.publish.digest_view import DigestView
    from crawler.publish.press_review import ReviewStyle
    from crawler.publish.query import ArticleQuery
    from crawler.revisions.kinds import Severity


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
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your Word template for a .docx; else `review.template`.")
    ] = None,
    write_template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the shipped Word template to edit, and no review.")
    ] = None,
) -> None:
    """Write the press review of a period.

    It has what was first seen or revised, by rule and story, and what may be missing. .docx and .pdf need
    an optional package: python -m pip install ".[review]" in the project's folder.
    """
    from crawler.cli.selection import choose_output_language, make_query
    from crawler.cli.time_options import parse_period
    from crawler.config import load_config
    from crawler.publish.digest_view import DigestView
    from crawler.publish.phrases import Phrases
    from crawler.publish.press_review import load_style, raise_if_unwritable, write_word_template
    from crawler.revisions.kinds import Severity
    from crawler.text.dates import load_time_zone

    raise_if_contradictory(output, template, write_template)
    if write_template is not None:
        write_word_template(write_template)
        typer.echo(f"Wrote {write_template}. Edit it; name it by --template or as review.template in crawler.toml.")
        return
    spoken = choose_output_language(output_language, language)
    config, now = load_config(context.obj), datetime.now(UTC)
    begin, end = parse_period(since, until, config.timezone, now)
    query = make_query(config, rules=rules or (), sources=sources or ())
    if output is not None:
        raise_if_unwritable(output)
    style = load_style(config, template)
    redactions = parse_redactions(redact or ())
    review = make_review(config, query, (begin, end), spoken, Severity(revisions.value), redactions)
    print_or_write(output, DigestView(review, Phrases(spoken, load_time_zone(config.timezone)), made=now), style)


def print_or_write(output: Path | None, view: DigestView, style: ReviewStyle) -> None:
    """Print the review, or write it to the file and print what it has."""
    from crawler.publish.digest_view import render_digest
    from crawler.publish.press_review import write_review

    if output is None:
        typer.echo(render_digest(style.templates, "txt", view), nl=False)
        return
    write_review(output, view, style)
    typer.echo(f"{output}: {format_result(len(view.digest.stories), len(view.digest.troubles))}")


def make_review(
    config: Config,
    query: ArticleQuery,
    period: tuple[datetime, datetime],
    language: str,
    min_severity: Severity,
    redactions: tuple[str, ...],
) -> Digest:
    """Return what the store has for a press review of the period."""
    from crawler.publish.builder import EntryBuilder
    from crawler.publish.digest import make_digest
    from crawler.service.clustered_store import open_clustered_store

    with open_clustered_store(config) as store:
        builder = EntryBuilder(config, store, redact=redactions, language=language)
        return make_digest(builder, store, config, query, *period, language=language, min_severity=min_severity)


def raise_if_contradictory(output: Path | None, template: Path | None, write_template: Path | None) -> None:
    """Raise UsageError for options about templates that exclude each other."""
    if write_template is not None and (output is not None or template is not None):
        raise UsageError("--write-template writes no review: leave out -o and --template.")
    if template is not None and (output is None or output.suffix.lower() != ".docx"):
        raise UsageError("--template needs -o FILE.docx: the other forms have no Word template.")


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
