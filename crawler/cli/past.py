"""`crawler crawl --replay ARCHIVE --at TIME`: a past run once more, and with `--against` what would differ today."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crawler.cli import moment
from crawler.cli.output import TOLD
from crawler.cli.plural import plural
from crawler.config import Config
from crawler.errors import NothingStored, NotStored, UsageError, worst
from crawler.items import Article, Run, iso
from crawler.process import Event, Outcome
from crawler.run import RunPlan
from crawler.store import Store, is_there, open_store

if TYPE_CHECKING:
    from crawler.archive.past import PastRun
    from crawler.cli.wanted import Wanted
    from crawler.replay.difference import Difference

STORE = "store"
"""What `--against` says for the rows of the run in the store."""
DAY = timedelta(days=1)
LONGEST = 160
"""Characters shown of a value."""
BEFORE = 40
"""Characters of a long text shown before the place where it differs."""


@dataclass(slots=True)
class Then:
    """What the runs gave then: articles, and the runs' own records where the store has them."""

    articles: list[Article] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)


@contextmanager
def prepared(plans: Sequence[RunPlan], config: Config, wanted: Wanted) -> Iterator[list[RunPlan]]:
    """The plans for the runs that were going on at `--at`, over a store that is as it was then.

    With `--against` or `--dry-run` that is a copy of the store, without what came since, and nothing else is written.
    Otherwise the store itself must know nothing later: UsageError where it does.
    """
    assert wanted.at and wanted.replay
    at = moment.at(wanted.at, config.timezone)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(config.database_url)) if is_there(config.database_url) else None
        found = []
        for plan, past in _going(plans, wanted, at, store):
            then = replace(
                plan,
                past=past,
                since=plan.since or past.since,
                limit=plan.limit or past.limit,
                url=plan.url or past.url,
            )
            if wanted.against or wanted.dry_run:
                then = _apart(then, past, store, Path(stack.enter_context(TemporaryDirectory(prefix="crawler-"))))
            elif store:
                _refuse_later(store, past)
            found.append(then)
        if store:
            store.close()
        yield found


def _going(
    plans: Sequence[RunPlan], wanted: Wanted, at: datetime, store: Store | None
) -> list[tuple[RunPlan, PastRun]]:
    """Each plan with the run it means; a source that was not named may have had none."""
    from crawler.archive.past import find

    assert wanted.replay
    found, missing = [], ""
    for plan in plans:
        known = store.runs.begun_between(plan.source, at - DAY, at + DAY, mode="live") if store else []
        try:
            found.append((plan, find(wanted.replay, plan.source, at, known)))
        except NothingStored as error:
            if wanted.sources:
                raise
            missing = f"{missing} {error}".strip()
    if not found:
        raise NothingStored(missing)
    return found


def _apart(plan: RunPlan, past: PastRun, store: Store | None, folder: Path) -> RunPlan:
    """The plan over a copy of the store as it was, in a folder that goes away."""
    from crawler.store.rewind import rewind

    url = f"sqlite:///{folder / 'crawler.db'}"
    with open_store(url) as copy:
        later = rewind(store, copy, plan.source, past.started_at) if store else False
    variables = {**plan.variables, "CRAWLER_DATABASE": url}
    return replace(plan, variables=variables, as_asked=later, apart=True, dry_run=False)


def _refuse_later(store: Store, past: PastRun) -> None:
    last = store.runs.last(past.source)
    if last and last.started_at >= past.started_at:
        raise UsageError(
            f"The store {store.name} knows a run of {past.source} from {iso(last.started_at)}, and this one began at "
            f"{iso(past.started_at)}: its articles would be judged by what came later. Compare with --against, try "
            "with --dry-run, or set CRAWLER_DATABASE to an empty store or to a copy from before the run."
        )


def check_options(wanted: Wanted) -> None:
    """UsageError for options that mean nothing together."""
    if wanted.at and not wanted.replay:
        raise UsageError("--at says which run of an archive to replay; give the archive with --replay.")
    if wanted.against and not wanted.at:
        raise UsageError("--against compares with a past run; say which with --replay ARCHIVE --at TIME.")
    if wanted.against and wanted.output:
        raise UsageError("--against only tells what differs; leave out -o.")


def then(plans: Sequence[RunPlan], config: Config, wanted: Wanted) -> Then:
    """What the runs gave then, by a file that `-o` wrote or by the store; articles found unchanged are no result."""
    assert wanted.against
    if wanted.against != STORE:
        sources = {plan.source for plan in plans}
        return Then(
            [each for each in _written(Path(wanted.against)) if each.source in sources and each.verdict in TOLD]
        )
    found = Then()
    if not is_there(config.database_url):
        raise UsageError(f"--against {STORE}: there is no store at {config.database_url}.")
    with open_store(config.database_url) as store:
        for plan in plans:
            assert plan.past
            start, end = plan.past.started_at, plan.past.ended_at
            runs = store.runs.begun_between(plan.source, start, end, mode="live")
            if not runs or runs[-1].id is None:
                raise UsageError(f"--against {STORE}: {store.name} has no run of {plan.source} from {iso(start)}.")
            found.runs[plan.source] = runs[-1]
            found.articles += store.articles.of_run(runs[-1].id)
    return found


def _written(path: Path) -> list[Article]:
    if path.suffix.lower() != ".jsonl" or not path.is_file():
        raise UsageError(f"--against {path}: give a .jsonl file that `crawler crawl -o` wrote, or the word {STORE}.")
    try:
        return [Article.from_dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"--against {path}: a line is no article that `crawler crawl -o` wrote ({error}).") from error


class Gathered:
    """What the runs give now; problems are told at once."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.articles: list[Article] = []
        self.not_stored = 0

    def on(self, event: Event) -> None:
        """Take one event of a run."""
        if event["type"] == "article":
            article = Article.from_dict(event)
            unmatched = self.wanted.everything or self.wanted.against == STORE  # the store has those too
            if article.verdict in TOLD and (article.is_matched or unmatched):
                self.articles.append(article)
        elif event["type"] == "problem":
            self.not_stored += event["kind"] == NotStored.__name__
            print(f"{event['source']}: {event['message']}", file=sys.stderr, flush=True)


def compare(before: Then, now: Gathered, outcomes: Sequence[Outcome], plans: Sequence[RunPlan], config: Config) -> int:
    """Print what differs; 0 for nothing, 12 for something, a run's own code where it could not be made at all."""
    from crawler.replay.difference import differences, run_differences

    if broken := [outcome for outcome in outcomes if outcome.run is None]:
        for outcome in broken:
            print(f"crawler: {outcome.reason}", file=sys.stderr)
        return worst(outcome.exit_code for outcome in broken)
    found = differences(before.articles, now.articles)
    for outcome in outcomes:
        if outcome.run and outcome.source in before.runs:
            found += run_differences(before.runs[outcome.source], outcome.run)
            found += _told_otherwise(before, outcome, next(p for p in plans if p.source == outcome.source), config)
    as_json = now.wanted.as_json
    for each in found:
        print(json.dumps({"type": "difference", **asdict(each)}, ensure_ascii=False) if as_json else _told(each))
    if not as_json:
        print(_sum(before, found, now))
    return NotStored.exit_code if found or now.not_stored else 0


def _told_otherwise(before: Then, outcome: Outcome, plan: RunPlan, config: Config) -> list[Difference]:
    """Which subscribers would hear otherwise of a run today."""
    if not config.subscriptions or plan.past is None or outcome.run is None:
        return []
    from crawler.replay.telling import told_differences

    copy = plan.variables["CRAWLER_DATABASE"]
    with open_store(config.database_url) as store, open_store(copy) as then:
        return told_differences(store, then, config, plan.past, before.runs[outcome.source], outcome.run)


def _sum(before: Then, found: Sequence[Difference], now: Gathered) -> str:
    of = {kind: len({each.of for each in found if each.kind == kind}) for kind in ("missing", "added", "changed")}
    same = len(before.articles) - of["missing"] - of["changed"]
    parts = [f"{same} of {plural(len(before.articles), 'article')} as then"]
    parts += [f"{number} {kind}" for kind, number in of.items() if number]
    told = sum(each.kind == "told" for each in found)
    parts += [f"{plural(told, 'answer')} of subscriptions otherwise"] if told else []
    parts += [f"{plural(now.not_stored, 'page')} not stored"] if now.not_stored else []
    return ", ".join(parts) + "."


def _told(each: Difference) -> str:
    if each.kind in ("missing", "added"):
        return f"{each.kind} {each.of} {each.then or each.now or ''}".rstrip()
    old, new = _from_where_they_differ(_text(each.then), _text(each.now))
    return f"{each.kind} {each.of} {each.field}\n    then {old}\n    now  {new}"


def _text(value: Any) -> str:
    if value in (None, []):
        return "nothing"
    if isinstance(value, list) and all(isinstance(each, dict) and "surface" in each for each in value):
        return "; ".join(dict.fromkeys(f"{each['rule']}: {each['surface']} ({each['strength']})" for each in value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _from_where_they_differ(old: str, new: str) -> tuple[str, str]:
    """The parts of two values around the first place where they differ."""
    if max(len(old), len(new)) <= LONGEST:
        return old, new
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - BEFORE)

    def part(text: str) -> str:
        end = "…" if len(text) > start + LONGEST else ""
        return ("…" if start else "") + text[start : start + LONGEST] + end

    return part(old), part(new)
