"""Judge a run from plain facts: its health, the reason in one sentence, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from crawler.errors import NoArticles, choose_exit_code
from crawler.items import Health, Problem, Run, Verdict
from crawler.monitoring.baseline import Baseline
from crawler.monitoring.publishing_rate import Silence
from crawler.monitoring.run_counts import RunCount, get_count_name, has_result
from crawler.text.counts import format_count

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
"""Addresses named in the reason. The run's record has all of them."""
OLD_NEWEST_ARTICLE = timedelta(days=31)
"""Age of the newest article from which the reason mentions it, for a source without a maximum silence."""


ENDED_EARLY_KIND = "Ended"
"""Kind of the problem of a run that ended early."""


class RunHealth(NamedTuple):
    """The health of a run, the reason in one sentence, and the exit code."""

    health: Health
    reason: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What a run is judged by.

    `min_links` and `max_silence` come from the source's `HealthExpectation`. `newest_published_at` is aware, or None if
    unknown. `unaccounted` are listed addresses without a known result. `measured_silence` outranks `max_silence`.
    `anomalies` compare the run with earlier ones and degrade it. `notes` are changes that did no harm yet. `changes`
    say why the source's own page classes could not read pages that the generic reader read.
    """

    title: str
    min_links: int
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
    changes: tuple[str, ...] = ()
    baseline: Baseline | None = None

    @property
    def age(self) -> timedelta | None:
        """The age of the newest article, or None if unknown."""
        return self.now - self.newest_published_at if self.newest_published_at else None

    @property
    def has_result(self) -> bool:
        """Whether at least one page gave articles, or rightly gave none."""
        return has_result(self.counts)


def judge_run(facts: RunFacts) -> RunHealth:
    """Return the health of a run that has ended, with its reason."""
    if facts.problems:
        code = choose_exit_code(problem.exit_code for problem in facts.problems)
        worst = next(problem for problem in facts.problems if problem.exit_code == code)
        more = f" (and {len(facts.problems) - 1} more)" if len(facts.problems) > 1 else ""
        return RunHealth(HEALTH_OF_EXIT_CODE.get(code, Health.FAILED), worst.message + more, code)
    if not facts.has_result and facts.counts.get(RunCount.ENTRIES, 0) < facts.min_links:
        reason = f"{facts.title}: nothing was listed and nothing was read where something was due."
        return RunHealth(Health.SILENT, reason, NoArticles.exit_code)
    if not facts.is_single_page and (silence := describe_long_silence(facts)):
        reason = f"{facts.title}: {silence}. Look at the site: it may have moved."
        return RunHealth(Health.SILENT, reason, NoArticles.exit_code)
    success, notes = _describe_success(facts), _format_notes(facts)
    if losses := _describe_losses(facts):
        return RunHealth(Health.DEGRADED, f"{success.removesuffix('.')}; {losses}{notes}", DEGRADED_EXIT_CODE)
    return RunHealth(Health.HEALTHY, success + notes, 0)


def has_ended_early(run: Run) -> bool:
    """Return whether the run ended early."""
    return any(problem.kind == ENDED_EARLY_KIND for problem in run.problems)


def describe_long_silence(facts: RunFacts) -> str | None:
    """Return why a silence is not believable, or None if it is, or if nothing is known."""
    if facts.measured_silence is not None:
        return None if facts.measured_silence.is_believable else facts.measured_silence.description
    if facts.age and facts.max_silence and facts.age > facts.max_silence:
        return f"nothing new for {facts.age.days} days; the longest believable silence is {facts.max_silence.days}"
    return None


def _describe_losses(facts: RunFacts) -> str:
    """Return what a run that ended well may have missed, or an empty text."""
    losses: list[str] = []
    if facts.unaccounted:
        named = ", ".join(facts.unaccounted[:MAX_NAMED_URLS])
        rest = len(facts.unaccounted) - MAX_NAMED_URLS
        losses.append(f"listed, but not read: {named}{f' and {rest} more' if rest > 0 else ''}.")
    if facts.counts.get(RunCount.LISTS_REPLACED) and not (facts.baseline and facts.baseline.first_list):
        losses.append("its first list failed and another was read instead, which may not name every article.")
    if cut_off := facts.counts.get(RunCount.LISTS_CUT_OFF):
        losses.append(f"{format_count(cut_off, 'list')} came cut off, and may not name every article.")
    if damaged := facts.counts.get(RunCount.DAMAGED):
        came = f"{format_count(damaged, 'article')} came cut off or in a wrong encoding"
        losses.append(f"{came}: the text is no revision, and nobody is notified of it.")
    if read := facts.counts.get(RunCount.READ_GENERICALLY):
        losses.append(_describe_generic_readings(read, facts.changes))
    losses += facts.anomalies
    # The first sentence follows a semicolon, so it keeps its small letter.
    return " ".join(loss if index == 0 else loss[0].upper() + loss[1:] for index, loss in enumerate(losses))


def _describe_generic_readings(count: int, changes: tuple[str, ...]) -> str:
    """Return what a person must know of pages that only the reader of any site could read."""
    were = "was" if count == 1 else "were"
    read = f"{format_count(count, 'article')} {were} read by the generic reader, which knows less of the site"
    return f"{read}: {changes[0]}" if changes else f"{read}."


def _format_notes(facts: RunFacts) -> str:
    """Return the first note. The run's record has all of them."""
    if not facts.notes:
        return ""
    more = f" (and {len(facts.notes) - 1} more notes)" if facts.notes[1:] else ""
    return f" Note: {facts.notes[0]}{more}"


def _describe_success(facts: RunFacts) -> str:
    count_of = {verdict: facts.counts.get(get_count_name(verdict), 0) for verdict in Verdict}
    new, revised = count_of[Verdict.NEW] + count_of[Verdict.COPY], count_of[Verdict.REVISED]
    if refused := facts.counts.get(RunCount.EXPECTED_ERRORS):
        return f"{new} new, {revised} revised; {refused} stored pages are refusals or broken, as expected."
    if facts.counts.get(RunCount.STOPPED_EARLY):
        return f"{new} new, {revised} revised; older articles were left unread, see --since and the setting `pages`."
    gone, back = count_of[Verdict.UNPUBLISHED], count_of[Verdict.REPUBLISHED]
    if new or revised or gone or back:
        more = "".join(f", {count} {name}" for count, name in ((gone, "unpublished"), (back, "republished")) if count)
        return f"{new} new, {revised} revised{more}."
    if facts.age and facts.max_silence is None and facts.age >= OLD_NEWEST_ARTICLE:
        return f"Nothing new; the newest article is {facts.age.days} days old, and the source may be asleep."
    return "Nothing new."
