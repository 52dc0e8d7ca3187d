"""`crawler digest`: the press review of a time, on the terminal or as a file to send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import time_options as moment
from crawler.errors import UsageError
from crawler.text.counts import format_count


class DigestLanguage(StrEnum):
    """The languages that it can be in."""

    EN = "en"
    RU = "ru"
    KK = "kk"


class MinSeverity(StrEnum):
    """How grave a revision must be to be told."""

    COSMETIC = "cosmetic"
    EDITORIAL = "editorial"
    SUBSTANTIVE = "substantive"


def digest(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="A day, a time, or an age before --until: 2026-01-31, 24h, 7d.")] = "24h",
    until: Annotated[str | None, typer.Option(help="A time of today such as 08:30, a time or a day; else now.")] = None,
    rules: Annotated[list[str] | None, typer.Option("--rule", help="Only this rule; may be repeated.")] = None,
    sources: Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")] = None,
    language: Annotated[DigestLanguage, typer.Option(help="Of the words around the articles.")] = DigestLanguage.EN,
    revisions: Annotated[
        MinSeverity, typer.Option(help="Least severity of a revision that is told.")
    ] = MinSeverity.SUBSTANTIVE,
    redact: Annotated[list[str] | None, typer.Option(help="A pattern to black out; may be repeated.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write .html, .md, .txt, .docx or .pdf (crawler[review]).")
    ] = None,
) -> None:
    """Write the press review: what was first seen or revised in a time, by rule and story, and what may be missing."""
    from crawler.cli.commands.stories import open_clustered_store
    from crawler.cli.selection import make_query
    from crawler.config import load_config
    from crawler.publish import EntryBuilder, Translations
    from crawler.publish.digest import make_digest as made
    from crawler.publish.digest_view import DigestView, render_digest
    from crawler.publish.press_review import raise_if_unwritable, write_review
    from crawler.publish.templates import Templates
    from crawler.revisions.changes import Severity
    from crawler.text.dates import load_time_zone

    config, now = load_config(context.obj), datetime.now(UTC)
    end = moment.parse_until(until, config.timezone, now)
    begin = moment.parse_since(since, config.timezone, end)
    if begin is None or begin >= end:
        raise UsageError(f"--since {since} is not before --until {until or 'now'}.")
    wanted = make_query(config, rules=rules or (), sources=sources or ())
    if output is not None:
        raise_if_unwritable(output)
    templates = Templates(config.templates)
    with open_clustered_store(context.obj) as store:
        maker = EntryBuilder(config, store, redact=_parse_patterns(redact or ()), language=language)
        found = made(
            maker, store, config, wanted, begin, end, language=language, min_severity=Severity(revisions.value)
        )
    say = DigestView(found, Translations(language.value, load_time_zone(config.timezone)), made=now)
    if output is None:
        typer.echo(render_digest(templates, "txt", say), nl=False)
    else:
        write_review(output, say, templates)
        seen = (
            f"{format_count(len(found.troubles), 'source')} not seen to the full"
            if found.troubles
            else "every source seen"
        )
        typer.echo(f"{output}: {format_count(len(found.stories), 'story', 'stories')}; {seen}.")


def _parse_patterns(given: Iterable[str]) -> tuple[str, ...]:
    """The patterns, held to what a subscription's are held to."""
    from pydantic import ValidationError

    from crawler.config.subscriptions import Subscription

    try:
        return Subscription.model_validate({"channels": ("none",), "redact": tuple(given)}).redact
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsageError(f"--redact {reason}.") from error
