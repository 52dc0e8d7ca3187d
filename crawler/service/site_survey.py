"""Survey a site in a process of its own, by the rules of a crawl and without storing it: for `crawler add`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter

from crawler.config import Config, load_config
from crawler.context.modes import Storage
from crawler.discovery.proposal import SourceProposal
from crawler.items import Run
from crawler.pages.snapshot import Snapshot
from crawler.service.child import ChildPool, run_all
from crawler.service.run import RunOutcome, RunPlan, crawl_once
from crawler.service.worker import RunEvent

SURVEY_EVENT = "survey"
PROPOSAL_ADAPTER = TypeAdapter(SourceProposal)


@dataclass(slots=True)
class SurveyedSite:
    """What was found: the proposal, or None with the reason in `problems`; the sample pages, by their addresses."""

    outcome: RunOutcome
    proposal: SourceProposal | None = None
    pages: dict[str, Snapshot] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why there is no proposal."""
        return self.problems[0] if self.problems else self.outcome.reason


def survey_site(
    config_path: Path | None,
    config: Config,
    url: str,
    on_page: Callable[[str], None] = lambda url: None,
    *,
    pool: ChildPool | None = None,
) -> SurveyedSite:
    """Look at the site at an address. `on_page` gets each address that was fetched. Another thread can stop `pool`.

    The run obeys robots.txt, the delay, the guard and every other rule of a crawl. Its store and archive are temporary.
    """
    from crawler.archive.snapshot_reader import read_snapshots

    found: list[SourceProposal] = []
    problems: list[str] = []

    def on_event(event: RunEvent) -> None:
        if event["type"] == SURVEY_EVENT:
            found.append(PROPOSAL_ADAPTER.validate_python(event["proposal"]))
        elif event["type"] == "problem":
            problems.append(event["message"])
        elif event["type"] == "page":
            on_page(event["url"])

    with TemporaryDirectory(prefix="crawler-") as temporary:
        plan = RunPlan(
            source="survey",
            config=config_path,
            url=url,
            storage=Storage.TEMPORARY,
            limits=config.limits,
            variables={"CRAWLER_DATA_DIR": temporary, "CRAWLER_ARCHIVE": "true"},
            target="crawler.service.site_survey:run_survey",
        )
        outcome = run_all([plan], on_event, pool=pool)[0]
        proposal = found[0] if found else None
        wanted = {sample.url for sample in proposal.samples} if proposal else set()
        pages = {
            page.url: page
            for file in sorted(Path(temporary).rglob("*.warc.gz"))
            for page in read_snapshots(file, on_error=lambda error: None)
            if page.url in wanted and page.status == 200
        }
    return SurveyedSite(outcome, proposal, pages, problems)


def run_survey(plan: RunPlan, emit: Callable[[dict[str, Any]], None]) -> Run:
    """Run the survey in this process. The proposal is an event."""
    from crawler.generic.extractors import raise_if_not_installed
    from crawler.spiders.survey import SurveySpider

    raise_if_not_installed()
    run, spider = crawl_once(plan, load_config(plan.config), SurveySpider, emit)
    if isinstance(spider, SurveySpider) and spider.proposal is not None:
        emit({"type": SURVEY_EVENT, "proposal": asdict(spider.proposal)})
    return run
