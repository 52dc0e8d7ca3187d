"""Fetch single pages by the rules of a crawl, without storing them: for `crawler snapshot` and `crawler check`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler.config import Config
from crawler.context.modes import Storage
from crawler.pages.snapshot import Snapshot
from crawler.service.child import run_all
from crawler.service.run import RunOutcome, RunPlan
from crawler.service.worker import RunEvent


@dataclass(slots=True)
class FetchedPages:
    """What a source answered.

    `pages` are in their order, under their public URLs. They include redirects, but not robots.txt. `problems` are
    sentences.
    """

    outcome: RunOutcome
    pages: list[Snapshot]
    problems: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why there is no page."""
        return " ".join(self.problems) or self.outcome.reason


def fetch_pages(config_path: Path | None, config: Config, source: str, url: str | None) -> FetchedPages:
    """Fetch a URL, or the source's first list pages for None.

    The run obeys robots.txt, the delay, the guard and every other rule of a crawl. Its store and archive are temporary.
    """
    from crawler import spiders
    from crawler.archive.snapshot_reader import read_snapshots
    from crawler.spiders.url_mapping import is_robots_txt

    url_mapping = spiders.load_spider(source).make_url_mapping(config)
    problems: list[str] = []

    def on_event(event: RunEvent) -> None:
        if event["type"] == "problem":
            problems.append(event["message"])

    with TemporaryDirectory(prefix="crawler-") as temporary:
        variables = {"CRAWLER_DATA_DIR": temporary, "CRAWLER_ARCHIVE": "true"}
        plan = RunPlan(
            source=source,
            config=config_path,
            url=url,
            limit=None if url else 1,
            storage=Storage.TEMPORARY,
            limits=config.limits,
            variables=variables,
        )
        outcome = run_all([plan], on_event)[0]
        pages = [
            replace(page, url=url_mapping.to_public_url(page.url))
            for file in sorted(Path(temporary).rglob("*.warc.gz"))
            for page in read_snapshots(file)
            if not is_robots_txt(page.url)
        ]
    return FetchedPages(outcome, pages, problems)
