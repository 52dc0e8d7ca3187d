"""`crawler match`: explain why a text matches the rules, or does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import list_lines, parse_json_line, read_text
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.items import Match
    from crawler.keywords import Matcher


def match(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Text file, or - for standard input.")] = "-",
    rules: Annotated[Path | None, typer.Option(metavar="FILE", help="Rules file. Default: the one in force.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Match each line of a JSON Lines file.")] = False,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Title of the text.")] = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="Language of the article: en, ru, kk, ky, uz or tg.")
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="SOURCE", help="Source that the article is from.")] = None,
) -> None:
    """Explain which rules match a text, where and why.

    --jsonl reads lines {"id", "text", "title"?, "lang"?} and prints {"id", "relevant", "matches"}.
    """
    from crawler.cli.selection import raise_if_unknown, raise_if_unknown_source
    from crawler.config import load_config
    from crawler.keywords import Matcher, load_rules, load_rules_argument
    from crawler.text.language import TEXT_LANGUAGES

    raise_if_unknown("language", [language] if language else [], TEXT_LANGUAGES)
    raise_if_unknown_source([source] if source else [])
    matcher = Matcher(load_rules_argument(rules) if rules is not None else load_rules(load_config(context.obj).rules))
    text = read_text(file, "text")
    if jsonl:
        for line in match_lines(matcher, text, file, source):
            typer.echo(line)
    else:
        typer.echo(format_matches(matcher.find_matches({"title": title, "body": text}, language, source)))


def match_lines(matcher: Matcher, text: str, file: str, source: str | None = None) -> Iterator[str]:
    """Yield a JSON line with the matches for each JSON line of a text. Raise UsageError that names a bad line."""
    for where, line in list_lines(text, file):
        record = _parse_record(line, where)
        texts = {"title": record.get("title"), "lead": record.get("lead"), "body": record["text"]}
        matches = matcher.find_matches(texts, record.get("lang"), source)
        relevant = any(each.strength == "strong" for each in matches)
        row = {"id": record["id"], "relevant": relevant, "matches": [asdict(each) for each in matches]}
        yield json.dumps(row, ensure_ascii=False)


def _parse_record(line: str, where: str) -> dict[str, Any]:
    record = parse_json_line(line, where)
    if not isinstance(record, dict) or "id" not in record or not isinstance(record.get("text"), str):
        raise UsageError(f'The {where} needs "id" and "text"; "title" and "lang" may be added.')
    for key in ("title", "lead", "lang"):
        if not isinstance(record.get(key), str | None):
            raise UsageError(f"In the {where}, {key!r} is not a text.")
    return record


def format_matches(matches: tuple[Match, ...]) -> str:
    """Return a paragraph for each match, and a last line with the result."""
    from crawler.text.counts import format_count

    parts = []
    for each in matches:
        term = "" if each.term == each.surface else f", a form of {each.term!r}"
        reason = f"\n    because: {each.reason}" if each.reason else ""
        place = f"({each.field} {each.start}-{each.end})"
        parts.append(
            f"{each.strength.value.upper()}  {each.rule}  {each.surface!r}{term}  {place}"
            f"\n    {' '.join(each.sentence.split())}{reason}\n"
        )
    strong = sum(each.strength == "strong" for each in matches)
    if strong:
        parts.append(f"Relevant: {strong} strong of {format_count(len(matches), 'match', 'matches')}.")
    elif matches:
        parts.append(f"Not relevant: {format_count(len(matches), 'weak match', 'weak matches')} only.")
    else:
        parts.append("Not relevant: no rule matches.")
    return "\n".join(parts)
