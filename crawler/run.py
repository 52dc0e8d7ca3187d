"""One source, once, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What one run of one source is asked to do; plain values, so that it travels to another process.

    `config` is the configuration file, None for the one in force. `replay` is a folder or `.warc.gz` file to read
    instead of the site, `url` one address to read alone, `since` (aware) the oldest article wanted, `limit` the most
    articles. `dry_run` stores nothing. `output` is a file to export to; with `everything` also unmatched and unchanged
    articles. `variables` are environment variables set for the run (`CRAWLER_DATABASE` and the like).
    """

    source: str
    config: Path | None = None
    replay: Path | None = None
    url: str | None = None
    since: datetime | None = None
    limit: int | None = None
    dry_run: bool = False
    output: Path | None = None
    everything: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
