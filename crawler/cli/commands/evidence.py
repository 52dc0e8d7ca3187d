"""`crawler evidence`: every version of an article with its records, in a zip that can be checked without us."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from crawler.cli.which import resolve_article
from crawler.config import load_config
from crawler.errors import UsageError
from crawler.text.counts import format_count


def evidence(config_path: Path | None, article: str, output: Path) -> int:
    """Write the zip; 1 when the record of a version is not in the archive, which the zip says too."""
    from crawler.publish.evidence import collect_evidence, write_evidence
    from crawler.store import open_store

    if output.suffix.lower() != ".zip":
        raise UsageError(f"-o {output}: the ending must be .zip.")
    config = load_config(config_path)
    with open_store(config.database_url) as store:
        versions = store.articles.versions__list_by_article(resolve_article(store, article, config))
    told = collect_evidence(versions, config)
    write_evidence(output, told, datetime.now(UTC))
    missing = [each for each in told if each.missing]
    records = len({record.key for each in told for record in (*each.records, *each.robots)})
    print(f"{output}: {versions[-1].id}, {format_count(len(told), 'version')}, {format_count(records, 'record')}.")
    for each in missing:
        print(f"crawler: version {each.article.version} has no record: {each.missing}", file=sys.stderr)
    return 1 if missing else 0
