"""`crawler match`: why a text matches the rules, or does not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.errors import UsageError
from crawler.text.counts import format_count

if TYPE_CHECKING:
    from crawler.items import Match
    from crawler.keywords import Matcher


def match(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A text file, or - for standard input.")] = "-",
    rules: Annotated[Path | None, typer.Option(help="A rule file instead of the one in force.")] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl", help='Read lines {"id", "text", "title"?, "lang"?}, write {"id", "relevant", "matches"}.'
        ),
    ] = False,
    title: Annotated[str | None, typer.Option(help="The title that belongs to the text.")] = None,
    language: Annotated[str | None, typer.Option(help="The text's language: en, ru or kk.")] = None,
    source: Annotated[str | None, typer.Option(help="The source it is to count as coming from.")] = None,
) -> None:
    """Explain a text: every match with its rule, term, place, sentence, strength and reason."""
    from crawler.config import load_config
    from crawler.keywords import Matcher, load_rules

    matcher = Matcher(load_rules(rules if rules is not None else load_config(context.obj).rules))
    if jsonl:
        for line in match_lines(matcher, _read_text(file), file, source):
            typer.echo(line)
    else:
        typer.echo(format_matches(matcher.find_matches({"title": title, "body": _read_text(file)}, language, source)))


def _read_text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The text {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The text {file} is not UTF-8 at byte {error.start}; convert it first.") from error


def match_lines(matcher: Matcher, text: str, file: str, source: str | None = None) -> Iterator[str]:
    """A JSON line of the verdict for every JSON line of a text; UsageError names the line that cannot be read."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        record = _parse_record(line, f"line {number} of {file}")
        texts = {"title": record.get("title"), "lead": record.get("lead"), "body": record["text"]}
        matches = matcher.find_matches(texts, record.get("lang"), source)
        relevant = any(found.strength == "strong" for found in matches)
        verdict = {"id": record["id"], "relevant": relevant, "matches": [asdict(found) for found in matches]}
        yield json.dumps(verdict, ensure_ascii=False)


def _parse_record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise UsageError(f"The {where} is not JSON: {error}.") from error
    if not isinstance(record, dict) or "id" not in record or not isinstance(record.get("text"), str):
        raise UsageError(f'The {where} needs "id" and "text"; "title" and "lang" may be added.')
    for key in ("title", "lead", "lang"):
        if not isinstance(record.get(key), str | None):
            raise UsageError(f"The {where} has {key!r} that is no text.")
    return record


def format_matches(matches: tuple[Match, ...]) -> str:
    """The matches for a person, one a paragraph, with the verdict at the end."""
    parts = []
    for found in matches:
        term = "" if found.term == found.surface else f", a form of {found.term!r}"
        reason = f"\n    because: {found.reason}" if found.reason else ""
        place = f"({found.field} {found.start}-{found.end})"
        parts.append(
            f"{found.strength.value.upper()}  {found.rule}  {found.surface!r}{term}  {place}"
            f"\n    {' '.join(found.sentence.split())}{reason}\n"
        )
    strong = sum(found.strength == "strong" for found in matches)
    if strong:
        parts.append(f"Relevant: {strong} strong of {format_count(len(matches), 'match', 'matches')}.")
    elif matches:
        parts.append(f"Not relevant: {format_count(len(matches), 'weak match', 'weak matches')} only.")
    else:
        parts.append("Not relevant: no rule matches.")
    return "\n".join(parts)
