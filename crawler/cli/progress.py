"""What a run shows while it goes on and at its end: on a terminal, in a pipe, or as JSON lines."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from crawler.cli import lines
from crawler.items import Article, Verdict
from crawler.process import Event, Outcome

MOST = 40
"""Matched articles shown after a run; a first run may find hundreds."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("pages", "new", "changed", "copies", "unchanged", "matched", "problems")
COLUMN = {
    Verdict.COPY: "copies",
    **dict.fromkeys((Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED), "changed"),
}
"""Verdicts that are counted under another name: a text revised, gone or back again has changed."""


def is_ours(event: Event) -> bool:
    """Whether a log record is worth a person's time: Scrapy's list of its own parts at each start is not."""
    return not str(event.get("logger")).startswith(("scrapy", "twisted")) or event.get("level") not in ("DEBUG", "INFO")


class Display:
    """Plain lines: one for each page, article and problem when `verbose`; the table and the matches at the end."""

    def __init__(self, names: Sequence[str], timezone: str, *, verbose: bool = False) -> None:
        self.names, self.timezone, self.verbose = names, timezone, verbose
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        self.articles: list[Article] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def on(self, event: Event) -> None:
        """Take one event of a run."""
        counts = self.counts[event["source"]]
        match event["type"]:
            case "page":
                counts["pages"] += 1
                self.tell(f"{event['source']}: {event['status']} {event['url']}")
            case "article":
                self.take(Article.from_dict(event), counts)
            case "dropped" if event["verdict"]:
                counts[event["verdict"]] += 1
            case "problem":
                counts["problems"] += 1
                self.problem(event)
            case "log" if event.get("level") == "CRITICAL" or (self.verbose and is_ours(event)):
                self.tell(f"{event['source']}: {event['message']}")

    def take(self, article: Article, counts: Counter[str]) -> None:
        """Count an article, and keep it for the end when it is worth telling."""
        counts[COLUMN.get(article.verdict or Verdict.NEW, str(article.verdict))] += 1
        counts["matched"] += article.is_matched
        if article.matches and article.verdict is not Verdict.UNCHANGED:
            self.articles.append(article)
        self.tell(f"{article.source}: {article.verdict} {article.id} {article.headline}")

    def problem(self, event: Event) -> None:
        """Tell a problem at once."""
        print(f"{event['source']}: {event['message']}", file=sys.stderr, flush=True)

    def tell(self, line: str) -> None:
        """A line of progress."""
        if self.verbose:
            print(line, flush=True)

    def say(self, line: str) -> None:
        """A line of the result."""
        print(line)

    def end(self, outcomes: Sequence[Outcome]) -> None:
        """The table, each match in its sentence, and how each source is."""
        for row in lines.table(self.rows()):
            print(row)
        for article in self.told():
            print()
            for line in lines.matched(article, self.timezone):
                print(line)
        print()
        if self.untold():
            print(self.untold())
        for outcome in outcomes:
            print(lines.health(outcome))

    def told(self) -> list[Article]:
        """The articles to show: strong matches first, by source, the newest first; at most MOST of them."""
        newest = sorted(self.articles, key=lambda each: each.published_at or EPOCH, reverse=True)
        return sorted(newest, key=lambda each: (not each.is_matched, each.source))[:MOST]

    def untold(self) -> str:
        """A line about the matched articles not shown, empty when all are."""
        more = len(self.articles) - MOST
        return f"… and {more} more: crawler articles --matched\n" if more > 0 else ""

    def rows(self) -> list[tuple[str, ...]]:
        """The table: a row a source, with a head."""
        head = ("source", *COLUMNS)
        return [head, *((name, *(str(self.counts[name][column]) for column in COLUMNS)) for name in self.names)]


class JsonDisplay(Display):
    """JSON lines: every matched article, every problem, and a `run` at the end of each source."""

    def take(self, article: Article, counts: Counter[str]) -> None:
        """A matched article is a line."""
        if article.matches:
            self.write({"type": "article", **article.to_dict()})

    def problem(self, event: Event) -> None:
        """A problem is a line."""
        self.write(event)

    def say(self, line: str) -> None:
        """Nothing for people."""

    def tell(self, line: str) -> None:
        """Nothing for people."""

    def end(self, outcomes: Sequence[Outcome]) -> None:
        """A line a run."""
        for outcome in outcomes:
            run = outcome.run.to_dict() if outcome.run else {"source": outcome.source, "health": "failed"}
            self.write({"type": "run", **run, "exit_code": outcome.exit_code, "reason": outcome.reason})

    def write(self, values: dict[str, Any]) -> None:
        """One line."""
        print(json.dumps(values, ensure_ascii=False), flush=True)


class LiveDisplay(Display):
    """On a terminal: the table grows while the runs go on."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self.console = Console(highlight=False)
        self.live = Live(self.grid(), console=self.console, refresh_per_second=8)
        self.live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.__exit__(kind, error, at)

    def grid(self) -> Any:
        """The table as rich draws it."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        head, *rows = self.rows()
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for number, name in enumerate(head):
            table.add_column(name, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        return table

    def on(self, event: Event) -> None:
        """Take one event and draw the table anew."""
        super().on(event)
        self.live.update(self.grid())

    def problem(self, event: Event) -> None:
        """Tell a problem above the table."""
        from rich.markup import escape

        self.live.console.print(f"[yellow]{event['source']}:[/] {escape(event['message'])}")

    def tell(self, line: str) -> None:
        """A line of progress above the table."""
        if self.verbose:
            self.live.console.print(line, markup=False)

    def say(self, line: str) -> None:
        """A line of the result, below everything."""
        self.console.print(line, markup=False)

    def end(self, outcomes: Sequence[Outcome]) -> None:
        """The last table stands; below it each match with its words marked, and how each source is."""
        from rich.text import Text

        self.live.update(self.grid(), refresh=True)
        self.live.stop()
        for article in self.told():
            self.console.print()
            headline, *rest = lines.matched(article, self.timezone, mark="\x00")
            self.console.print(Text(headline, style="bold"))
            for line in rest:
                parts = line.split("\x00")
                styled = ((part, "bold yellow" if number % 2 else "") for number, part in enumerate(parts))
                self.console.print(Text.assemble(*styled))
        self.console.print()
        if self.untold():
            self.console.print(self.untold(), markup=False)
        for outcome in outcomes:
            colour = "green" if outcome.exit_code == 0 else "red"
            self.console.print(Text(lines.health(outcome), style=colour))


def display_for(names: Sequence[str], *, as_json: bool, verbose: bool, timezone: str) -> Display:
    """The display that fits where stdout goes."""
    if as_json:
        return JsonDisplay(names, timezone)
    kind = LiveDisplay if sys.stdout.isatty() else Display
    return kind(names, timezone, verbose=verbose)
