"""`crawler evidence`: every version of an article with its records, in a zip that can be checked without us."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from crawler.cli.plural import plural
from crawler.cli.which import article_id
from crawler.config import load
from crawler.errors import UsageError


def evidence(config_path: Path | None, article: str, output: Path) -> int:
    """Write the zip; 1 when the record of a version is not in the archive, which the zip says too."""
    from crawler.feeds.evidence import gather, write
    from crawler.store import open_store

    if output.suffix.lower() != ".zip":
        raise UsageError(f"-o {output}: the ending must be .zip.")
    config = load(config_path)
    with open_store(config.database_url) as store:
        versions = store.articles.versions(article_id(store, article, config))
    told = gather(versions, config)
    write(output, told, datetime.now(UTC))
    missing = [each for each in told if each.missing]
    records = len({record.name for each in told for record in (*each.records, *each.robots)})
    print(f"{output}: {versions[-1].id}, {plural(len(told), 'version')}, {plural(records, 'record')}.")
    for each in missing:
        print(f"crawler: version {each.article.version} has no record: {each.missing}", file=sys.stderr)
    return 1 if missing else 0
