"""`crawler rules apply`: the rules in force over everything stored, with a record of each change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from crawler.config import Config
from crawler.keywords import Matcher, load_rules
from crawler.store import open_store
from crawler.text.counts import format_count


def rematch_articles(config: Config, *, dry_run: bool) -> str:
    """Mark every version of every article; what changed, as text. Each version is its own transaction."""
    rules = load_rules(config.rules)
    matcher, at = Matcher(rules), datetime.now(UTC)
    counts: Counter[str] = Counter()
    with open_store(config.database_url) as store:
        for current in store.articles.iter_newest():
            for stored in store.articles.versions__list_by_article(current.id):
                matches = matcher.find_matches(stored.texts, language=stored.language, source=stored.source)
                counts["versions"] += 1
                marked = replace(stored, matches=matches)
                if stored.matches == matches:
                    continue
                counts["changed"] += 1
                counts["gained"] += marked.is_matched and not stored.is_matched
                counts["lost"] += stored.is_matched and not marked.is_matched
                if not dry_run:
                    store.rematches.save_matches(marked, stored.matches, rules_digest=rules.digest, at=at)
    done = "would change" if dry_run else "changed"
    versions = format_count(counts["versions"], "version")
    return (
        f"{versions} read by {rules.path or 'the shipped rules'}: {counts['changed']} {done}; "
        f"{counts['gained']} match strongly now that did not, {counts['lost']} no longer do. Nobody was alerted."
    )
