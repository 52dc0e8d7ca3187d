"""`crawler extract`: the articles in one stored page, as JSON lines. No network, no store."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from crawler.config import load_config
from crawler.text.counts import format_count


def extract(config_path: Path | None, file: Path, source: str, url: str | None) -> int:
    """Print an article a line on stdout; reasons why there is none go to stderr. The exit code."""
    from crawler import spiders
    from crawler.archive.snapshot_folder import read_stored_file
    from crawler.errors import NotAnArticle, SourceError, choose_exit_code
    from crawler.keywords import Matcher, load_rules
    from crawler.pages.base import read_snapshot

    config = load_config(config_path)
    spider = spiders.load_spider(source)
    site = spider.make_site(config)
    matcher = Matcher(load_rules(config.rules))
    codes: dict[tuple[str, str, bytes | None], int] = {}
    for page in read_stored_file(file, url=url):
        snapshot = replace(page.snapshot, url=spider.make_url_mapping(config).to_public_url(page.snapshot.url))
        request = (snapshot.method, snapshot.url, snapshot.payload)
        codes.pop(request, None)  # an archive may hold a failed try before the answer
        if 300 <= snapshot.status < 400 and file.name.endswith((".warc.gz", ".warc")):
            continue  # unchanged since an earlier record, or followed to a later one
        try:
            reading = read_snapshot(snapshot, site)
        except NotAnArticle as reason:
            print(f"crawler: {reason}", file=sys.stderr)
            continue
        except SourceError as error:
            print(f"crawler: {error}", file=sys.stderr)
            codes[request] = error.exit_code
            continue
        for article in reading.articles:
            matches = matcher.find_matches(article.texts, language=article.language, source=article.source)
            print(json.dumps(replace(article, matches=matches).to_dict(), ensure_ascii=False))
        for problem in reading.problems:
            print(f"crawler: {problem}", file=sys.stderr)
            codes[request] = problem.exit_code
        if reading.links:
            print(
                f"crawler: {snapshot.url} is a list of {format_count(len(reading.links), 'article')}, not an article.",
                file=sys.stderr,
            )
        for skipped in reading.skipped:
            print(f"crawler: {skipped}.", file=sys.stderr)
    return choose_exit_code(codes.values())
