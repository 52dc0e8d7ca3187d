"""Pages that are a refusal, an outage or a shell rather than a page: recognised before anything is read from them."""

from __future__ import annotations

import re

from crawler.errors import Blocked, NotAnArticle, PageChanged, Unreachable
from crawler.pages.snapshot import Snapshot

SHELL_NOTICE = "You need to enable JavaScript to run this app"
CHALLENGE_PATTERN = re.compile(
    r"<title>\s*(?:Just a moment|Attention Required!|DDoS-Guard|Access denied|Checking your browser|One more step)"
    r"|cf-chl-|/cdn-cgi/challenge-platform/|challenges\.cloudflare\.com|__ddg\d|_Incapsula_Resource|captcha-delivery\.com"
    r"|Checking (?:if the site connection is secure|your browser before accessing)"
    r"|Verify(?:ing)? (?:that )?you are (?:a )?human",
    re.IGNORECASE,
)
CHALLENGE_WORDS = (
    *("just a moment", "attention required", "ddos-guard", "access denied", "checking", "one more step"),
    *("cf-chl-", "cdn-cgi", "challenges.cloudflare", "__ddg", "_incapsula", "captcha-delivery", "verify"),
)
"""One of these stands in whatever CHALLENGE finds. Looking for them spares nearly every page its search, 1.1 ms."""
GATE_PATTERN = re.compile(r"notAllowed", re.IGNORECASE)
OUTAGE_PATTERN = re.compile(
    r"<title>\s*((?:(?:Error )?50[0234]\b[\s:|–—-]*)?"
    r"(?:(?:Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)[^<]*)?)"
    r"\s*</title>",
    re.IGNORECASE,
)
MAX_SEARCHED_CHARACTERS = 20_000
"""Characters looked at: a refusal says so at its beginning, and an article may quote one."""
MAX_CHALLENGE_BYTES = 60_000
"""Bytes: challenge pages are small; a full page that merely loads a captcha script is no challenge."""


def raise_if_refused(snapshot: Snapshot) -> None:
    """Raise what the response is, if it is no page: a SourceError, or NotAnArticle for a page that is gone."""
    status, url = snapshot.status, snapshot.url
    if _is_challenge(snapshot):
        raise Blocked(
            f"{url} answered with a challenge page (HTTP {status}) instead of its content. "
            "The site wants a browser or a person: ask its owner for access, or lower the rate.",
            url=url,
        )
    if status in (401, 403, 429, 451) or (
        status == 400 and GATE_PATTERN.search(snapshot.text[:MAX_SEARCHED_CHARACTERS])
    ):
        raise Blocked(
            f"{url} refused us with HTTP {status}{_quote_text(snapshot)}. "
            "The refusal is respected: ask the site's owner for access, or try less often.",
            url=url,
        )
    if status in (404, 410):
        raise NotAnArticle(f"{url} is gone (HTTP {status}).")
    if 300 <= status < 400:  # one that was followed never comes here
        where = snapshot.headers.get("location", "nowhere")
        raise PageChanged("page", "a page, or a redirect to one", f"HTTP {status} to {where}", url)
    if status >= 500 or status == 408:
        raise Unreachable(f"{url} answered HTTP {status}, a server's own failure. Try again later.", url=url)
    if (
        snapshot.kind == "html"
        and (outage := OUTAGE_PATTERN.search(snapshot.text[:MAX_SEARCHED_CHARACTERS]))
        and outage[1]
    ):
        raise Unreachable(f"{url} answered with an error page, {outage[1].strip()!r}. Try again later.", url=url)


def is_javascript_shell(snapshot: Snapshot) -> bool:
    """Whether the page carries the line of an unrendered JavaScript application (a rendered one may keep it)."""
    return SHELL_NOTICE in snapshot.text


def make_shell_error(url: str) -> Blocked:
    """The error for a page that is only a JavaScript shell."""
    return Blocked(
        f"{url} is only a JavaScript shell without an article. The text is not in the page: "
        "read it through the site's data interface, or store the page as a browser shows it.",
        url=url,
    )


def _is_challenge(snapshot: Snapshot) -> bool:
    if snapshot.kind not in ("html", "text") or len(snapshot.body) > MAX_CHALLENGE_BYTES:
        return False
    head = snapshot.text[:MAX_SEARCHED_CHARACTERS]
    lower = head.lower()
    return any(word in lower for word in CHALLENGE_WORDS) and CHALLENGE_PATTERN.search(head) is not None


def _quote_text(snapshot: Snapshot) -> str:
    text = " ".join(re.sub(r"<[^>]+>", " ", snapshot.text[:2000]).split())
    return f", saying {text[:80]!r}" if text else ""
