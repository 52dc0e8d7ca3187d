"""What `crawler crawl` is asked for, as given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOptions:
    """The command's arguments and options, as given."""

    sources: tuple[str, ...] = ()
    replay: Path | None = None
    url: str | None = None
    since: str | None = None
    limit: int | None = None
    dry_run: bool = False
    output: Path | None = None
    everything: bool = False
    as_json: bool = False
    verbose: bool = False
