"""Decide whether one subscription wants one change event, and why not. Pure; knows nothing of stories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from crawler.config import Subscription
from crawler.items import Article, Strength, Verdict
from crawler.publish.query import is_selected
from crawler.revisions.kinds import SEVERITY_RANKS, Severity
from crawler.revisions.revision_diff import RevisionDiff

AlertKind = Literal["new", "revised", "unpublished"]
ALERT_KINDS: dict[Verdict, AlertKind] = {
    Verdict.NEW: "new",
    Verdict.COPY: "new",
    Verdict.REPUBLISHED: "new",
    Verdict.REVISED: "revised",
    Verdict.UNPUBLISHED: "unpublished",
}


@dataclass(frozen=True, slots=True)
class FilterResult:
    """What a subscription makes of an event: an alert of this `kind`, or None and the `reason`.

    `is_match_gone`: a revision removed the match.
    """

    kind: AlertKind | None
    reason: str
    is_match_gone: bool = False


def matches_subscription(subscription: Subscription, article: Article) -> bool:
    """Return whether a version has a match that the subscription asks for."""
    strength = Strength(subscription.strength)
    return any(is_selected(match, subscription.rules, strength) for match in article.matches)


def filter_event(
    subscription: Subscription,
    *,
    article: Article,
    previous: Article | None,
    created_at: datetime,
    started_at: datetime,
    get_changes: Callable[[], RevisionDiff | None],
) -> FilterResult:
    """Return what the subscription makes of a version.

    `previous` is the version before. `created_at` is the event's time, `started_at` the subscription's. `get_changes`
    compares the two versions; it is only called for a revision.
    """
    if created_at < started_at:
        return FilterResult(None, f"it is older than the subscription, which began on {started_at:%Y-%m-%d %H:%M} UTC")
    if subscription.sources and article.source not in subscription.sources:
        return FilterResult(None, f"the subscription asks for {', '.join(subscription.sources)} only")
    if subscription.languages and article.language not in subscription.languages:
        return FilterResult(None, f"the subscription asks for articles in {', '.join(subscription.languages)} only")
    is_match = matches_subscription(subscription, article)
    was_match = previous is not None and matches_subscription(subscription, previous)
    if not is_match and not was_match:
        return FilterResult(None, _explain_no_match(subscription, article))
    kind = ALERT_KINDS[article.verdict or Verdict.NEW]
    if kind == "revised" and not was_match:
        return _accept_kind(subscription, "new", "a revision brought the match")
    if kind == "revised":
        return _accept_revision(subscription, get_changes(), is_match_gone=not is_match)
    return _accept_kind(subscription, kind, "")


def _accept_kind(subscription: Subscription, kind: AlertKind, reason: str) -> FilterResult:
    if kind not in subscription.tell:
        return FilterResult(None, f"the subscription asks for {', '.join(subscription.tell)} only, and this is {kind}")
    return FilterResult(kind, reason)


def _accept_revision(subscription: Subscription, changes: RevisionDiff | None, *, is_match_gone: bool) -> FilterResult:
    severity = changes.severity if changes else Severity.SUBSTANTIVE
    if not is_match_gone and SEVERITY_RANKS[severity] < SEVERITY_RANKS[Severity(subscription.revisions)]:
        return FilterResult(
            None, f"the revision is {severity}, and the subscription asks for {subscription.revisions} ones"
        )
    result = _accept_kind(subscription, "revised", "the match is gone" if is_match_gone else "")
    return replace(result, is_match_gone=is_match_gone)


def _explain_no_match(subscription: Subscription, article: Article) -> str:
    rules = f"of {', '.join(subscription.rules)} " if subscription.rules else ""
    has_weak = any(is_selected(match, subscription.rules, Strength.WEAK) for match in article.matches)
    if has_weak and subscription.strength == "strong":
        return f"every match {rules}in it is weak, and the subscription asks for strong ones"
    return f"no rule {rules}matches it"
