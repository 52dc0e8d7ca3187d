"""The progress and the result of runs: a live table on a terminal, plain lines in a pipe, or JSON lines."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from crawler.cli.console import format_matched_article, format_outcome, format_table, print_json
from crawler.items import Article, Verdict

if TYPE_CHECKING:
    from crawler.service.run import RunOutcome
    from crawler.service.worker import RunEvent

MAX_SHOWN_ARTICLES = 40
"""Matched articles printed after a run. A first run may find hundreds."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("pages", "new", "changed", "copies", "unchanged", "matched", "problems")
COLUMN_OF_VERDICT = {
    Verdict.COPY: "copies",
    **dict.fromkeys((Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED), "changed"),
}
"""Columns that count verdicts of another name."""


def is_worth_showing(event: RunEvent) -> bool:
    """Return whether to print a log record. The component lists that Scrapy logs at each start are not printed."""
    return not str(event.get("logger")).startswith(("scrapy", "twisted")) or event.get("level") not in ("DEBUG", "INFO")


class PlainDisplay:
    """Print problems as they occur; at the end the table and the matched articles. `verbose` prints every step."""

    def __init__(self, names: Sequence[str], timezone: str, *, verbose: bool = False, is_stored: bool = True) -> None:
        self.names, self.timezone, self.verbose, self.is_stored = names, timezone, verbose, is_stored
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        self.articles: list[Article] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def handle_event(self, event: RunEvent) -> None:
        """Count one event of a run, and print it if it is to be seen at once."""
        counts = self.counts[event["source"]]
        match event["type"]:
            case "page":
                counts["pages"] += 1
                self.print_progress(f"{event['source']}: {event['status']} {event['url']}")
            case "article":
                self.add_article(Article.from_dict(event), counts)
            case "dropped":
                counts["matched"] += event["matched"]
                if event["verdict"]:
                    counts[event["verdict"]] += 1
            case "problem":
                counts["problems"] += 1
                self.print_problem(event)
            case "log" if event.get("level") == "CRITICAL" or (self.verbose and is_worth_showing(event)):
                self.print_progress(f"{event['source']}: {event['message']}")

    def add_article(self, article: Article, counts: Counter[str]) -> None:
        """Count an article, and keep it for the summary if it matched and changed."""
        counts[COLUMN_OF_VERDICT.get(article.verdict or Verdict.NEW, str(article.verdict))] += 1
        counts["matched"] += article.is_matched
        if article.matches and article.verdict is not Verdict.UNCHANGED:
            self.articles.append(article)
        self.print_progress(f"{article.source}: {article.verdict} {article.id} {article.headline}")

    def print_problem(self, event: RunEvent) -> None:
        """Print a problem to stderr."""
        print(f"{event['source']}: {event['message']}", file=sys.stderr, flush=True)

    def print_progress(self, line: str) -> None:
        """Print a line of progress, if verbose."""
        if self.verbose:
            print(line, flush=True)

    def print_result(self, line: str) -> None:
        """Print a line of the result."""
        print(line)

    def print_note(self, line: str) -> None:
        """Print a line that a person must see, also beside output for machines."""
        self.print_result(line)

    def print_summary(self, outcomes: Sequence[RunOutcome]) -> None:
        """Print the table, each match in its sentence, and the health of each source."""
        for row in format_table(self.make_rows()):
            print(row)
        for article in self.list_shown_articles():
            print()
            for line in format_matched_article(article, self.timezone):
                print(line)
        print()
        if self.format_rest():
            print(self.format_rest())
        for outcome in outcomes:
            print(format_outcome(outcome))

    def list_shown_articles(self) -> list[Article]:
        """Return at most MAX_SHOWN_ARTICLES articles: strong matches first, then by source, the newest first."""
        newest = sorted(self.articles, key=lambda each: each.published_at or EPOCH, reverse=True)
        return sorted(newest, key=lambda each: (not each.is_matched, each.source))[:MAX_SHOWN_ARTICLES]

    def format_rest(self) -> str:
        """Return a line that counts the matched articles not shown, or an empty text."""
        more = len(self.articles) - MAX_SHOWN_ARTICLES
        where = "crawler articles --matched" if self.is_stored else "-o FILE writes them all"
        return f"… and {more} more: {where}\n" if more > 0 else ""

    def make_rows(self) -> list[tuple[str, ...]]:
        """Return the table: a head, and a row for each source."""
        head = ("source", *COLUMNS)
        return [head, *((name, *(str(self.counts[name][column]) for column in COLUMNS)) for name in self.names)]


class JsonDisplay(PlainDisplay):
    """Print JSON lines: every matched article, every problem, and a `run` for each source at the end."""

    def add_article(self, article: Article, counts: Counter[str]) -> None:
        """Print a matched article."""
        if article.matches:
            print_json({"type": "article", **article.to_dict()})

    def print_problem(self, event: RunEvent) -> None:
        """Print a problem."""
        print_json(event)

    def print_result(self, line: str) -> None:
        """Print nothing: this output is for machines."""

    def print_note(self, line: str) -> None:
        """Print to stderr."""
        print(line, file=sys.stderr)

    def print_progress(self, line: str) -> None:
        """Print nothing: this output is for machines."""

    def print_summary(self, outcomes: Sequence[RunOutcome]) -> None:
        """Print a line for each run."""
        for outcome in outcomes:
            run = outcome.run.to_dict() if outcome.run else {"source": outcome.source, "health": outcome.health}
            how = {"exit_code": outcome.exit_code, "reason": outcome.reason, "stored": self.is_stored}
            print_json({"type": "run", **run, **how})


class LiveDisplay(PlainDisplay):
    """Print to a terminal: the table is redrawn as the runs proceed."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self.console = Console(highlight=False)
        self.live = Live(self.make_table(), console=self.console, refresh_per_second=8)
        self.live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.__exit__(kind, error, at)

    def make_table(self) -> Any:
        """Return the table as a Rich table."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        head, *rows = self.make_rows()
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for number, name in enumerate(head):
            table.add_column(name, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        return table

    def handle_event(self, event: RunEvent) -> None:
        """Count one event and redraw the table."""
        super().handle_event(event)
        self.live.update(self.make_table())

    def print_problem(self, event: RunEvent) -> None:
        """Print a problem above the table."""
        from rich.markup import escape

        self.live.console.print(f"[yellow]{event['source']}:[/] {escape(event['message'])}")

    def print_progress(self, line: str) -> None:
        """Print a line of progress above the table, if verbose."""
        if self.verbose:
            self.live.console.print(line, markup=False)

    def print_result(self, line: str) -> None:
        """Print a line of the result below the table."""
        self.console.print(line, markup=False)

    def print_summary(self, outcomes: Sequence[RunOutcome]) -> None:
        """Stop redrawing the table. Print the matches below it, their words in colour, and each source's health."""
        from rich.text import Text

        self.live.update(self.make_table(), refresh=True)
        self.live.stop()
        for article in self.list_shown_articles():
            self.console.print()
            headline, *rest = format_matched_article(article, self.timezone, mark="\x00")
            self.console.print(Text(headline, style="bold"))
            for line in rest:
                parts = line.split("\x00")
                styled = ((part, "bold yellow" if number % 2 else "") for number, part in enumerate(parts))
                self.console.print(Text.assemble(*styled))
        self.console.print()
        if self.format_rest():
            self.console.print(self.format_rest(), markup=False)
        for outcome in outcomes:
            colour = "green" if outcome.exit_code == 0 else "red"
            self.console.print(Text(format_outcome(outcome), style=colour))


def make_display(names: Sequence[str], *, as_json: bool, verbose: bool, timezone: str, is_stored: bool) -> PlainDisplay:
    """Return the display that fits the output: JSON, a terminal, or a pipe."""
    if as_json:
        return JsonDisplay(names, timezone, is_stored=is_stored)
    kind = LiveDisplay if sys.stdout.isatty() else PlainDisplay
    return kind(names, timezone, verbose=verbose, is_stored=is_stored)
