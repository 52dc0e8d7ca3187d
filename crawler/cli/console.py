"""Lines for people, the same on a terminal and in a pipe: tables, times, matched articles, outcomes; and text input."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from crawler.errors import UsageError
from crawler.items import Article, Match, Strength
from crawler.text.cleaning import clean_line

if TYPE_CHECKING:
    from crawler.service.run import RunOutcome

MAX_SENTENCES_PER_RULE = 3
"""Sentences shown for one rule in one article; the others are only counted."""
log = logging.getLogger(__name__)
_reported_problems: set[str] = set()
"""Why lines could not be printed."""


def print_json(values: dict[str, Any]) -> None:
    """Print values as one line of JSON."""
    print(json.dumps(values, ensure_ascii=False), flush=True)


def print_error(message: object) -> None:
    """Print a message to stderr, with the program's name in front."""
    print(f"crawler: {message}", file=sys.stderr)


def print_service_line(line: str, stream: TextIO | None = None) -> None:
    """Print a line of a command that runs for months, to stdout or a stream.

    Where that fails, as on a full disk or in a closed pipe, log it once: no run of a source may end for it.
    """
    stream = stream or sys.stdout
    try:
        print(line, file=stream, flush=True)
    except OSError as error:
        discard_buffer(stream)
        problem = error.strerror or type(error).__name__
        if problem not in _reported_problems:
            _reported_problems.add(problem)
            log.warning("Lines of this command cannot be printed: %s. Its runs continue.", problem)


def discard_buffer(stream: TextIO) -> None:
    """Drop what a stream could not write. Each start of a process, and the end of Python, would try it again."""
    kept, nowhere = os.dup(stream.fileno()), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
        stream.flush()
    finally:
        os.dup2(kept, stream.fileno())
        os.close(kept)
        os.close(nowhere)


class OneLineFormatter(logging.Formatter):
    """Formats a record as one line without unseen characters: a library may quote a site in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's message."""
        return clean_line(super().format(record))


def clean_printed_warnings() -> None:
    """Let the log records that nothing else handles, which Python prints to stderr, command no terminal."""
    if logging.lastResort:
        logging.lastResort.setFormatter(OneLineFormatter())


def escape_unknown_characters() -> None:
    """Let output whose encoding lacks a character, such as a Kazakh letter in KOI8-R, have its escape instead."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_file_name(text: str) -> bool:
    """Return whether a text is the name of a file that exists. An article's address may be too long for a name."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long, or with a NUL
        return False


def read_text(file: str, name: str = "file") -> str:
    """Return the text of a UTF-8 file, or of standard input for `-`. Raise UsageError when it cannot be read."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The {name} {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The {name} {file} is not UTF-8 at byte {error.start}; convert it first.") from error


def name_input(file: str) -> str:
    """Return what messages call a file that `read_text` read."""
    return file if file != "-" else "standard input"


def list_lines(text: str, file: str) -> list[tuple[str, str]]:
    """Return the place, for messages, and the text of each line that is not empty. `-` is standard input.

    Raise UsageError when there is none.
    """
    name = name_input(file)
    lines = [(f"line {number} of {name}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise UsageError(f"There is no line in {name}. Write a JSON object on each line.")
    return lines


def parse_json_line(line: str, where: str) -> Any:
    """Return the value of a line of JSON. Raise UsageError, with the line's place, when it is not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The {where} is not JSON: {error}.") from error


def format_local_time(at: datetime, timezone: str) -> str:
    """Return an aware time as `2026-01-31 10:15` in a time zone."""
    from crawler.text.dates import load_time_zone

    return f"{at.astimezone(load_time_zone(timezone)):%Y-%m-%d %H:%M}"


def format_text_removal(article: Article, timezone: str) -> str | None:
    """Return a sentence about a text that the retention policy removed, None for any other."""
    if article.text_removed_at is None:
        return None
    day = format_local_time(article.text_removed_at, timezone).partition(" ")[0]
    return f"The text was removed by the retention policy on {day}."


def format_megabytes(size: float) -> str:
    """Return a size in bytes as megabytes.

    >>> format_megabytes(1_250_000)
    '1.2 MB'
    """
    return f"{size / 1_000_000:,.1f} MB"


def format_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as aligned columns: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if not number else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def list_doubts(article: Article) -> list[str]:
    """Return what is doubtful about an article, in words."""
    if not article.flags:  # the words come with a library that takes 0.1 s
        return []
    from crawler.publish.phrases import describe_flags

    return describe_flags(article.flags)


def format_verdict(article: Article) -> str:
    """Return an article's verdict, and what the site did last with one that was only read again."""
    return f"{article.verdict} ({article.site_verdict})" if article.site_verdict else str(article.verdict)


def format_matched_article(article: Article, timezone: str, mark: str = "*") -> list[str]:
    """Return an article's headline, facts and, for each rule, the sentences with the matched words between marks."""
    when = format_local_time(article.published_at, timezone) if article.published_at else "no date"
    copied = f" of {article.copy_of}" if article.copy_of else ""
    verdict, language = f"{format_verdict(article)}{copied}", article.language or "unknown language"
    facts = (verdict, article.source, language, when, article.url)
    lines = [article.headline, "    " + " · ".join(facts)]
    lines += [f"    doubtful: {doubt}" for doubt in list_doubts(article)]
    by_rule = sorted(article.matches, key=lambda match: (match.strength is Strength.WEAK, match.rule))
    for (weak, rule), group in groupby(by_rule, key=lambda match: (match.strength is Strength.WEAK, match.rule)):
        matches = list(group)
        words = ", ".join(dict.fromkeys(match.surface for match in matches))
        lines.append(f"    {rule}{' (weak)' if weak else ''}: {words}")
        sentences = list(dict.fromkeys(match.sentence for match in matches))
        lines += [f"      … {mark_matches(sentence, matches, mark)}" for sentence in sentences[:MAX_SENTENCES_PER_RULE]]
        if len(sentences) > MAX_SENTENCES_PER_RULE:
            lines.append(f"      … and {len(sentences) - MAX_SENTENCES_PER_RULE} more")
        if weak and matches[0].reason:
            lines.append(f"      weak because {matches[0].reason}")
    return lines


def mark_matches(sentence: str, matches: Sequence[Match], mark: str) -> str:
    """Return a sentence with the matched words between marks."""
    for surface in sorted({match.surface for match in matches}, key=len, reverse=True):
        pieces = sentence.split(mark)
        pieces[::2] = [piece.replace(surface, f"{mark}{surface}{mark}") for piece in pieces[::2]]
        sentence = mark.join(pieces)
    return sentence


def format_outcome(outcome: RunOutcome) -> str:
    """Return the line that says how a source's run ended."""
    code = f" (exit {outcome.exit_code})" if outcome.exit_code else ""
    return f"{outcome.source}: {outcome.health}{code}. {outcome.reason}"
