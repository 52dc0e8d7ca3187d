"""Articles, matches and verdicts as lines of plain text, the same on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from crawler.errors import SourceLocked
from crawler.items import Article, Match, Strength
from crawler.service import RunOutcome
from crawler.text.dates import load_time_zone

MAX_SENTENCES_PER_RULE = 3
"""Sentences shown of one rule in one article; the rest is counted."""


def format_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned columns, the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if not number else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def format_matched_article(article: Article, timezone: str, mark: str = "*") -> list[str]:
    """An article with what matched and why: each rule's sentences with the words between marks."""
    when = (
        f"{article.published_at.astimezone(load_time_zone(timezone)):%Y-%m-%d %H:%M}"
        if article.published_at
        else "no date"
    )
    copied = f" of {article.copy_of}" if article.copy_of else ""
    facts = (f"{article.verdict}{copied}", article.source, article.language or "unknown language", when, article.url)
    found = [article.headline, "    " + " · ".join(facts)]
    by_rule = sorted(article.matches, key=lambda match: (match.strength is Strength.WEAK, match.rule))
    for (weak, rule), group in groupby(by_rule, key=lambda match: (match.strength is Strength.WEAK, match.rule)):
        matches = list(group)
        words = ", ".join(dict.fromkeys(match.surface for match in matches))
        found.append(f"    {rule}{' (weak)' if weak else ''}: {words}")
        sentences = list(dict.fromkeys(match.sentence for match in matches))
        found += [f"      … {mark_matches(sentence, matches, mark)}" for sentence in sentences[:MAX_SENTENCES_PER_RULE]]
        if len(sentences) > MAX_SENTENCES_PER_RULE:
            found.append(f"      … and {len(sentences) - MAX_SENTENCES_PER_RULE} more")
        if weak and matches[0].reason:
            found.append(f"      weak because {matches[0].reason}")
    return found


def mark_matches(sentence: str, matches: Sequence[Match], mark: str) -> str:
    """A sentence with the matched words between marks."""
    for surface in sorted({match.surface for match in matches}, key=len, reverse=True):
        pieces = sentence.split(mark)
        pieces[::2] = [piece.replace(surface, f"{mark}{surface}{mark}") for piece in pieces[::2]]
        sentence = mark.join(pieces)
    return sentence


def format_outcome(outcome: RunOutcome) -> str:
    """How a source is: its verdict in one line."""
    without = "left out" if outcome.exit_code == SourceLocked.exit_code else "failed"
    verdict = outcome.run.health if outcome.run and outcome.run.health else without
    code = f" (exit {outcome.exit_code})" if outcome.exit_code else ""
    return f"{outcome.source}: {verdict}{code}. {outcome.reason}"
