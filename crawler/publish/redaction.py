"""Black out names before anything leaves. Each character becomes a block, so that offsets stay valid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

from crawler.items import Article, Match
from crawler.revisions.alignment import DiffSpan
from crawler.revisions.revision_diff import RevisionDiff

BLOCK_CHARACTER = "█"
PATTERN_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]| ", re.DOTALL)
"""An escape, a character class or a space: so a space within one of these is not taken for a plain space."""
UNREDACTED_FIELDS = frozenset({"id", "source", "language", "published_raw", "copy_of"})
"""Texts that name no person, or that no output shows."""


@lru_cache(maxsize=64)
def _compile_patterns(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Return each pattern, in both forms if Unicode can write one of its letters as two characters (`й`)."""
    forms = dict.fromkeys(
        unicodedata.normalize(form, _allow_line_breaks(pattern)) for pattern in patterns for form in ("NFC", "NFD")
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in forms)


def _allow_line_breaks(pattern: str) -> str:
    """Return a pattern whose spaces match the end of a line too.

    >>> _allow_line_breaks("Айдос Бекович[ -]улы")
    'Айдос\\\\sБекович[ -]улы'
    """
    if re.compile(pattern).flags & re.VERBOSE:
        return pattern
    return PATTERN_TOKEN.sub(lambda token: r"\s" if token[0] in (" ", "\\ ") else token[0], pattern)


def redact_text(text: str, patterns: Sequence[str]) -> str:
    """Return the text with a block for each character that a pattern matches, except spaces.

    Each pattern sees the original text, even where another one matches.

    >>> redact_text("Айдос Бекович сказал", ["Айдос", "Айдос Бекович"])
    '█████ ███████ сказал'
    """
    spans = [match.span() for pattern in _compile_patterns(tuple(patterns)) for match in pattern.finditer(text)]
    for start, end in spans:
        text = text[:start] + re.sub(r"\S", BLOCK_CHARACTER, text[start:end]) + text[end:]
    return text


def _matches_url(url: str, patterns: Sequence[str]) -> bool:
    """Return whether a pattern matches an address, with its words read as words: `/%D0%90%D0%B9%D0%B4%D0%BE%D1%81`."""
    plain = unquote(url)
    return any(redact_text(text, patterns) != text for text in (url, plain, re.sub(r"[\W_]+", " ", plain)))


def redact_article(article: Article, patterns: Sequence[str]) -> Article:
    """Return the article with every text blacked out where a pattern matches.

    An address with such a name is replaced by that of the site's first page.
    """
    if not patterns:
        return article
    values: dict[str, Any] = {
        field.name: redact_text(value, patterns)
        for field in fields(article)
        # Enumerations such as the verdict are str subclasses: they are no text.
        if field.name not in UNREDACTED_FIELDS | {"url"} and type(value := getattr(article, field.name)) is str
    }
    matches = tuple(
        replace(
            match,
            term=redact_text(match.term, patterns),
            surface=_redact_surface(article, match, values, patterns),
            sentence=redact_text(match.sentence, patterns),
        )
        for match in article.matches
    )
    url = article.url
    if _matches_url(url, patterns):
        url = "/".join(url.split("/", 3)[:3]) + "/"
    return replace(article, **{**values, "matches": matches, "images": (), "url": url})


def redact_id(article: Article, patterns: Sequence[str]) -> str:
    """Return the article's id, with a short hash for the site's part if that part or the address has a name.

    Many sites have the path of the address in it. The hash is the same in every output.
    """
    if not patterns or not any(_matches_url(text, patterns) for text in (article.native_id, article.url)):
        return article.id
    hashed = blake2b(article.native_id.encode(), digest_size=6).hexdigest()
    return f"{article.source}:{hashed}:{article.id.rpartition(':')[2]}"


def _redact_surface(article: Article, match: Match, values: Mapping[str, Any], patterns: Sequence[str]) -> str:
    """Return the matched word as the shown text has it: it may be part of a name."""
    span = slice(match.start, match.end)
    is_in_text = (article.texts.get(match.field) or "")[span] == match.surface
    return redact_text(values[match.field][span] if is_in_text else match.surface, patterns)


def redact_diff(changes: RevisionDiff, old: Article, new: Article) -> RevisionDiff:
    """Return the diff of two versions with the blocks that the blacked-out versions `old` and `new` have.

    A sentence with a block claims nothing any more, because its claims may name what the block hides.
    """
    positions: dict[str, list[int]] = {}
    sentences = []
    for change in changes.sentences:
        texts = [getattr(side, change.field, None) for side in (old, new)]
        if change.field not in ("title", "lead", "body"):
            # A fact about the page: its value is all of it.
            values = [text if type(text) is str else None for text in texts]
            spans = tuple(
                DiffSpan(span.mark, values[span.mark == "added"] or span.text) for span in change.sentence.spans
            )
        else:
            place = positions.setdefault(change.field, [0, 0])
            spans = tuple(_redact_span(span, (texts[0] or "", texts[1] or ""), place) for span in change.sentence.spans)
        is_hidden = spans != change.sentence.spans
        sentences.append(
            replace(change, sentence=replace(change.sentence, spans=spans), claims=() if is_hidden else change.claims)
        )
    return replace(changes, sentences=tuple(sentences))


def _redact_span(span: DiffSpan, texts: tuple[str, str], place: list[int]) -> DiffSpan:
    """Return a span as the blacked-out texts have it, and move `place` behind it. One block of two counts."""
    length = len(span.text)
    sides = [side for side, mark in enumerate(("added", "removed")) if span.mark != mark]
    parts = [texts[side][place[side] : place[side] + length] for side in sides]
    for side in sides:
        place[side] += length
    text = "".join(
        BLOCK_CHARACTER if BLOCK_CHARACTER in letters else letters[0] for letters in zip(*parts, strict=True)
    )
    return DiffSpan(span.mark, text)
