"""Recognise responses that are a refusal, an outage or an empty shell, before any field is read from them.

The patterns are in `defaults/refusals.toml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from crawler.defaults import load_default_toml
from crawler.errors import Blocked, NotAnArticle, PageChanged, Unreachable
from crawler.pages.markup import parse_document
from crawler.pages.snapshot import Snapshot

PASSWORD_WORD, COOKIE_WORD = "password", "document.cookie"
PASSWORD_FIELD = re.compile(rb"type\s*=\s*[\"']?password\b", re.IGNORECASE)
MAX_SEARCHED_CHARACTERS = 20_000
"""A refusal says so at its beginning, and an article may quote one further down."""
MAX_CHALLENGE_BYTES = 60_000
"""Challenge pages are small. A larger page that loads a captcha script is no challenge."""
MAX_QUOTED_CHARACTERS = 80
"""Characters of a refusal's own text in the error message."""


MAX_CHALLENGE_WORDS = 15
"""Words that a page may show while its script sets a cookie and loads the page again."""
MAX_SIGN_IN_WORDS = 40
"""Words that a page for signing in shows beside its form. An article or a list has more."""
UNSEEN_TAGS = frozenset("script style noscript template title".split())
SIDE_TAGS = frozenset("header nav aside footer dialog".split())


@dataclass(frozen=True, slots=True)
class _RefusalPatterns:
    shell_notice: str
    challenge: re.Pattern[str]
    words: tuple[str, ...]
    """One of these, in small letters, is on every page that is a challenge, a test of cookies or a form to sign in."""
    word_search: BytesAhoCorasick
    gate: re.Pattern[str]
    outage: re.Pattern[str]
    cookie: re.Pattern[str]
    reload: re.Pattern[str]
    sign_in_path: re.Pattern[str]
    side_names: re.Pattern[str]


@cache
def _load_patterns() -> _RefusalPatterns:
    data = load_default_toml("refusals.toml")
    words = (*data["challenge_words"], PASSWORD_WORD, COOKIE_WORD)
    outage = rf"<title>\s*+((?:{data['outage_status']})?(?:{data['outage_words']})?)\s*+</title>"
    return _RefusalPatterns(
        shell_notice=data["shell_notice"],
        challenge=re.compile("|".join(data["challenge_patterns"]), re.IGNORECASE),
        words=words,
        # The kind does not matter here, but the library searches with SIMD in this one only: 18 times as fast.
        word_search=BytesAhoCorasick([word.encode() for word in words], matchkind=MatchKind.LeftmostFirst),
        gate=re.compile(data["gate_pattern"], re.IGNORECASE),
        outage=re.compile(outage, re.IGNORECASE),
        cookie=re.compile(data["cookie_pattern"]),
        reload=re.compile(data["reload_pattern"]),
        sign_in_path=re.compile(data["sign_in_path"], re.IGNORECASE),
        side_names=re.compile(data["side_names"], re.IGNORECASE),
    )


def raise_if_refused(snapshot: Snapshot) -> None:
    """Raise Blocked, Unreachable or PageChanged for a response without a page, NotAnArticle for a page that is gone."""
    status, url = snapshot.status, snapshot.url
    words = _find_words(snapshot)
    if is_challenge(snapshot, words):
        raise Blocked(
            f"{url} answered with a challenge page (HTTP {status}) instead of its content. "
            "The site wants a browser or a person: ask its owner for access, or lower the rate.",
            url=url,
        )
    if status in (401, 403, 429, 451) or (status == 400 and _is_gate(snapshot)):
        raise Blocked(
            f"{url} refused us with HTTP {status}{_quote_text(snapshot)}. "
            "The refusal is respected: ask the site's owner for access, or try less often.",
            url=url,
        )
    if status in (404, 410):
        raise NotAnArticle(f"{url} is gone (HTTP {status}).")
    if 300 <= status < 400:  # the crawler followed every redirect that it may follow
        where = snapshot.headers.get("location", "nowhere")
        raise PageChanged("page", "a page, or a redirect to one", f"HTTP {status} to {where}", url)
    if not 200 <= status < 500 or status == 408:
        raise Unreachable(f"{url} answered HTTP {status}, a server's own failure. Try again later.", url=url)
    if PASSWORD_WORD in words and is_sign_in_page(snapshot):
        raise Blocked(
            f"{url} asks visitors to sign in before it shows its content. "
            "The crawler signs in nowhere: ask the site's owner for access, or for a feed.",
            url=url,
        )
    if outage := _find_outage(snapshot):
        raise Unreachable(f"{url} answered with an error page, {outage!r}. Try again later.", url=url)


def _find_words(snapshot: Snapshot) -> set[str]:
    """Return the words of refusals on a page. They spare nearly every page the patterns, which take 1.1 ms."""
    patterns = _load_patterns()
    is_page = snapshot.kind in ("html", "text")
    # In bytes, because `str.lower` is slow for a text with a Cyrillic letter.
    found = patterns.word_search.find_matches_as_indexes(snapshot.body.lower()) if is_page else ()
    return {patterns.words[number] for number, _, _ in found}


def is_challenge(snapshot: Snapshot, words: set[str]) -> bool:
    """Return whether a page with these words asks for a browser or a person before it shows its content."""
    if snapshot.kind not in ("html", "text") or len(snapshot.body) > MAX_CHALLENGE_BYTES:
        return False
    may_be_challenge = words - {PASSWORD_WORD, COOKIE_WORD} or b"\0" in snapshot.body  # UTF-16 separates the letters
    if may_be_challenge and _load_patterns().challenge.search(snapshot.text[:MAX_SEARCHED_CHARACTERS]):
        return True
    return snapshot.kind == "html" and COOKIE_WORD in words and _is_cookie_test(snapshot)


def _is_cookie_test(snapshot: Snapshot) -> bool:
    """Return whether a page without text sets a cookie and loads itself again, in one script."""
    patterns, root = _load_patterns(), parse_document(snapshot.text)
    scripts = ["".join(node.itertext()) for node in root.iter("script")]
    is_test = any(patterns.cookie.search(text) and patterns.reload.search(text) for text in scripts)
    return is_test and _count_words(root) <= MAX_CHALLENGE_WORDS


def is_sign_in_page(snapshot: Snapshot) -> bool:
    """Return whether the page is a form for signing in: by its address, or because it has hardly any other content.

    A form in the head, the menu or a dialog of a page is no reason.
    """
    if snapshot.kind != "html" or PASSWORD_FIELD.search(snapshot.body) is None:
        return False
    patterns = _load_patterns()
    if patterns.sign_in_path.search(urlsplit(snapshot.url).path):
        return True
    if len(snapshot.body) > MAX_CHALLENGE_BYTES:
        return False
    root = parse_document(snapshot.text)
    fields = [node for node in root.iter("input") if (node.get("type") or "").lower() == "password"]
    is_content = any(not any(map(_is_beside_content, node.iterancestors())) for node in fields)
    return is_content and _count_words(root, without_sides=True) <= MAX_SIGN_IN_WORDS


def _is_beside_content(node: Any) -> bool:
    """Return whether an element is the head, the menu or another part of a page that is not its content."""
    if not isinstance(node.tag, str) or node.tag in ("html", "body", "main", "article"):
        return False
    names = f"{node.get('class') or ''} {node.get('id') or ''}"
    return node.tag in SIDE_TAGS or _load_patterns().side_names.search(names) is not None


def _count_words(root: Any, *, without_sides: bool = False) -> int:
    """Return how many words a page shows. `without_sides`: those of forms and of parts beside the content not."""
    words, waiting = 0, [root]
    while waiting:
        node = waiting.pop()
        words += len((node.tail or "").split())
        is_skipped = not isinstance(node.tag, str) or node.tag in UNSEEN_TAGS
        if not is_skipped and not (without_sides and (node.tag == "form" or _is_beside_content(node))):
            words += len((node.text or "").split())
            waiting += node
    return words


def get_shell_notice() -> str:
    """Return the line that a JavaScript application shows until it is rendered."""
    return _load_patterns().shell_notice


def is_javascript_shell(snapshot: Snapshot) -> bool:
    """Return whether the page has the line of an unrendered JavaScript application. A rendered page may keep it."""
    return get_shell_notice() in snapshot.text


def make_shell_error(url: str) -> Blocked:
    """Return the error for a page that is only a JavaScript shell."""
    return Blocked(
        f"{url} is only a JavaScript shell without an article. The text is not in the page: "
        "read it through the site's data interface, or store the page as a browser shows it.",
        url=url,
    )


def _is_gate(snapshot: Snapshot) -> bool:
    return _load_patterns().gate.search(snapshot.text[:MAX_SEARCHED_CHARACTERS]) is not None


def _find_outage(snapshot: Snapshot) -> str | None:
    """Return the title of an error page that is served with HTTP 200."""
    if snapshot.kind != "html":
        return None
    found = _load_patterns().outage.search(snapshot.text[:MAX_SEARCHED_CHARACTERS])
    return found[1].strip() if found and found[1] else None


def _quote_text(snapshot: Snapshot) -> str:
    text = " ".join(re.sub(r"<[^>]+>", " ", snapshot.text[:2000]).split())
    return f", saying {text[:MAX_QUOTED_CHARACTERS]!r}" if text else ""
