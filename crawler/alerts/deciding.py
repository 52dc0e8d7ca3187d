"""Whether one subscription hears of one piece of news, and why not: pure, without stories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from crawler.config import Subscription
from crawler.dedupe.changes import RANK, Changes, Severity
from crawler.entries.make import counts
from crawler.items import Article, Strength, Verdict

Told = Literal["new", "revised", "unpublished"]
KIND: dict[Verdict, Told] = {
    Verdict.NEW: "new",
    Verdict.COPY: "new",
    Verdict.REPUBLISHED: "new",
    Verdict.REVISED: "revised",
    Verdict.UNPUBLISHED: "unpublished",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """News that a subscription is to hear of, as `kind`; or not, because of `why`. `is_gone` says that a revision took
    the match away."""

    kind: Told | None
    why: str
    is_gone: bool = False


def asks_for(subscription: Subscription, article: Article) -> bool:
    """Whether a version matches what the subscription asks for."""
    strength = Strength(subscription.strength)
    return any(counts(match, subscription.rules, strength) for match in article.matches)


def decide(
    subscription: Subscription,
    *,
    article: Article,
    former: Article | None,
    noted_at: datetime,
    begun_at: datetime,
    changes: Callable[[], Changes | None],
) -> Candidate:
    """What the subscription makes of a version. `former` is the version before, `changes` what lies between."""
    if noted_at < begun_at:
        return Candidate(None, f"it was noted before the subscription began ({begun_at:%Y-%m-%d %H:%M} UTC)")
    if subscription.sources and article.source not in subscription.sources:
        return Candidate(None, f"the subscription asks for {', '.join(subscription.sources)} only")
    if subscription.languages and article.language not in subscription.languages:
        return Candidate(None, f"the subscription asks for articles in {', '.join(subscription.languages)} only")
    matches, matched = asks_for(subscription, article), former is not None and asks_for(subscription, former)
    if not matches and not matched:
        return Candidate(None, _no_match(subscription, article))
    kind = KIND[article.verdict or Verdict.NEW]
    if kind == "revised" and not matched:
        return _told(subscription, "new", "a revision brought the match")
    if kind == "revised":
        return _revised(subscription, changes(), gone=not matches)
    return _told(subscription, kind, "")


def _told(subscription: Subscription, kind: Told, why: str) -> Candidate:
    if kind not in subscription.tell:
        return Candidate(None, f"the subscription asks for {', '.join(subscription.tell)} only, and this is {kind}")
    return Candidate(kind, why)


def _revised(subscription: Subscription, changes: Changes | None, *, gone: bool) -> Candidate:
    severity = changes.severity if changes else Severity.SUBSTANTIVE
    if not gone and RANK[severity] < RANK[Severity(subscription.revisions)]:
        return Candidate(
            None, f"the revision is {severity}, and the subscription asks for {subscription.revisions} ones"
        )
    told = _told(subscription, "revised", "the match is gone" if gone else "")
    return replace(told, is_gone=gone)


def _no_match(subscription: Subscription, article: Article) -> str:
    rules = f"of {', '.join(subscription.rules)} " if subscription.rules else ""
    weak = sum(counts(match, subscription.rules, Strength.WEAK) for match in article.matches)
    if weak and subscription.strength == "strong":
        return f"every match {rules}in it is weak, and the subscription asks for strong ones"
    return f"no rule {rules}matches it"
