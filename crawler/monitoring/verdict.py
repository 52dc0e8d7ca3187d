"""The verdict on a run, from plain facts: health, the sentence that says why, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler.errors import choose_exit_code
from crawler.items import Health, Problem
from crawler.monitoring.baseline import Baseline
from crawler.monitoring.publishing_rate import Silence

DEGRADED_EXIT_CODE = 14
"""Exit code of a run that ended well and may have missed something."""
HEALTH_OF_EXIT_CODE = {
    0: Health.HEALTHY,
    10: Health.UNREACHABLE,
    11: Health.BLOCKED,
    12: Health.CHANGED,
    13: Health.SILENT,
    DEGRADED_EXIT_CODE: Health.DEGRADED,
}
MAX_NAMED_URLS = 3
"""Addresses that a sentence names; all of them are in the run's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run is judged by.

    `least_links` and `silence` are what the source must give (see `source.Expect`), `newest` is when it last published
    (aware), None when unknown. `unaccounted` are listed addresses of which nobody can say what became. `quiet` is the
    silence as the source's own cadence measures it; where there is one, it outranks `silence`. `shifts` say what moved
    against earlier runs, a sentence each; `notes` what moved while everything was still read, which is no trouble yet.
    `accepted` is what an owner said is how the source is now.
    """

    title: str
    least_links: int
    max_silence: timedelta | None
    problems: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    newest_published_at: datetime | None = None
    now: datetime
    is_single_page: bool = False
    unaccounted: tuple[str, ...] = ()
    measured_silence: Silence | None = None
    anomalies: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    baseline: Baseline | None = None

    @property
    def age(self) -> timedelta | None:
        """How long the source has published nothing."""
        return self.now - self.newest_published_at if self.newest_published_at else None

    @property
    def has_result(self) -> bool:
        """Whether a page was read that rightly gave articles, or rightly gave none."""
        fine = ("not_modified", "expected_errors", "no_article", "skipped", "too_old")
        return any(count for name, count in self.counts.items() if name in fine or name.startswith("articles/"))


def judge_run(facts: RunFacts) -> tuple[Health, str, int]:
    """Health, the sentence that says why, and the exit code of a run that has ended."""
    if facts.problems:
        code = choose_exit_code(problem.exit_code for problem in facts.problems)
        first = next(problem for problem in facts.problems if problem.exit_code == code)
        more = f" (and {len(facts.problems) - 1} more)" if len(facts.problems) > 1 else ""
        return HEALTH_OF_EXIT_CODE.get(code, Health.FAILED), first.message + more, code
    if not facts.has_result and facts.counts.get("entries", 0) < facts.least_links:
        return Health.SILENT, f"{facts.title}: nothing was listed and nothing was read where something was due.", 13
    if not facts.is_single_page and (words := describe_long_silence(facts)):
        return Health.SILENT, f"{facts.title}: {words}. Look at the site: it may have moved.", 13
    lost = _describe_losses(facts)
    if lost:
        return (
            Health.DEGRADED,
            f"{_describe_success(facts).removesuffix('.')}; {lost}{_format_notes(facts)}",
            DEGRADED_EXIT_CODE,
        )
    return Health.HEALTHY, _describe_success(facts) + _format_notes(facts), 0


def describe_long_silence(facts: RunFacts) -> str | None:
    """Why a silence is not believable, in words; None where it is, or nothing is known."""
    if facts.measured_silence is not None:
        return None if facts.measured_silence.is_believable else facts.measured_silence.description
    if facts.age and facts.max_silence and facts.age > facts.max_silence:
        return f"nothing new for {facts.age.days} days; the longest believable silence is {facts.max_silence.days}"
    return None


def _describe_losses(facts: RunFacts) -> str:
    """What a run that ended well may have missed, in words; nothing for a run that read all it should."""
    found = []
    if facts.unaccounted:
        some = ", ".join(facts.unaccounted[:MAX_NAMED_URLS])
        more = f" and {len(facts.unaccounted) - MAX_NAMED_URLS} more" if len(facts.unaccounted) > MAX_NAMED_URLS else ""
        found.append(f"listed, but not to be had: {some}{more}.")
    if facts.counts.get("lists_replaced") and not (facts.baseline and facts.baseline.first_list):
        found.append("its first list failed and another was read instead, which may not name every article.")
    found += facts.anomalies
    return " ".join(part if at == 0 else part[0].upper() + part[1:] for at, part in enumerate(found))


def _format_notes(facts: RunFacts) -> str:
    """The first note; all of them are in the run's record."""
    if not facts.notes:
        return ""
    more = f" (and {len(facts.notes) - 1} more notes)" if facts.notes[1:] else ""
    return f" Note: {facts.notes[0]}{more}"


def _describe_success(facts: RunFacts) -> str:
    counts = facts.counts
    new, revised = counts.get("articles/new", 0) + counts.get("articles/copy", 0), counts.get("articles/revised", 0)
    if counts.get("expected_errors"):
        refused = counts["expected_errors"]
        return f"{new} new, {revised} revised; {refused} stored pages are refusals or broken, as expected."
    if counts.get("stopped_early"):
        return f"{new} new, {revised} revised; older articles were left unread, see --since and the setting `pages`."
    gone, back = counts.get("articles/unpublished", 0), counts.get("articles/republished", 0)
    if new or revised or gone or back:
        told = ((gone, "unpublished"), (back, "republished"))
        more = "".join(f", {number} {name}" for number, name in told if number)
        return f"{new} new, {revised} revised{more}."
    if facts.age and facts.max_silence is None and facts.age.days > 30:
        return f"Nothing new; the newest article is {facts.age.days} days old, and the source may be asleep."
    return "Nothing new."
