"""`crawler digest`: the press review of a time, on the terminal or as a file to send."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import moment
from crawler.cli.plural import plural
from crawler.errors import UsageError


class Language(StrEnum):
    """The languages that it can be in."""

    EN = "en"
    RU = "ru"
    KK = "kk"


class Least(StrEnum):
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
    language: Annotated[Language, typer.Option(help="Of the words around the articles.")] = Language.EN,
    revisions: Annotated[Least, typer.Option(help="Least severity of a revision that is told.")] = Least.SUBSTANTIVE,
    redact: Annotated[list[str] | None, typer.Option(help="A pattern to black out; may be repeated.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write .html, .md, .txt, .docx or .pdf (crawler[review]).")
    ] = None,
) -> None:
    """Write the press review: what was first seen or revised in a time, by rule and story, and what may be missing."""
    from crawler.cli.asked import asked
    from crawler.cli.stories import settled
    from crawler.config import load
    from crawler.dedupe.changes import Severity
    from crawler.entries import Maker, Phrases
    from crawler.entries.digest import digest as made
    from crawler.entries.templates import Templates
    from crawler.entries.wording import Wording, render
    from crawler.feeds.review import check, write
    from crawler.text.dates import zone

    config, now = load(context.obj), datetime.now(UTC)
    end = moment.until(until, config.timezone, now)
    begin = moment.since(since, config.timezone, end)
    if begin is None or begin >= end:
        raise UsageError(f"--since {since} is not before --until {until or 'now'}.")
    wanted = asked(config, rules=rules or (), sources=sources or ())
    if output is not None:
        check(output)
    templates = Templates(config.templates)
    with settled(context.obj) as store:
        maker = Maker(config, store, redact=_patterns(redact or ()), language=language)
        found = made(maker, store, config, wanted, begin, end, language=language, revisions=Severity(revisions.value))
    say = Wording(found, Phrases(language.value, zone(config.timezone)), made=now)
    if output is None:
        typer.echo(render(templates, "txt", say), nl=False)
    else:
        write(output, say, templates)
        seen = (
            f"{plural(len(found.troubles), 'source')} not seen to the full" if found.troubles else "every source seen"
        )
        typer.echo(f"{output}: {plural(len(found.stories), 'story', 'stories')}; {seen}.")


def _patterns(given: Iterable[str]) -> tuple[str, ...]:
    """The patterns, held to what a subscription's are held to."""
    from pydantic import ValidationError

    from crawler.config.subscriptions import Subscription

    try:
        return Subscription.model_validate({"channels": ("none",), "redact": tuple(given)}).redact
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise UsageError(f"--redact {reason}.") from error
