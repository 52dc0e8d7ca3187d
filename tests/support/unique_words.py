"""Articles whose bodies are words that occur nowhere else, so that each shown word can be counted in any output."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler import spiders
from crawler.items import Article, Match, Strength, Verdict

WORD = re.compile(r"[Сс]лово\d{5}")
NOON = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
SENTENCE = 12
"""Words in a sentence."""
LINE = 4
"""Sentences in a paragraph."""


def make_body(seed: int, sentences: int = 30) -> str:
    """Return numbered words, with a full stop after every twelfth and a new line after every fourth sentence."""
    words = [f"слово{seed * 1000 + at:05}" for at in range(sentences * SENTENCE)]
    parts = [" ".join(words[at : at + SENTENCE]).capitalize() + "." for at in range(0, len(words), SENTENCE)]
    return "\n".join(" ".join(parts[at : at + LINE]) for at in range(0, len(parts), LINE))


def make_match(body: str, number: int, strength: Strength = Strength.STRONG) -> Match:
    """Return a match of the body's word of this number."""
    word = WORD.findall(body)[number]
    at = body.index(word)
    sentence = next(part for part in re.split(r"(?<=\.)\s", body) if word in part)
    found = {"rule": "ihl", "term": word, "surface": word, "field": "body", "sentence": sentence}
    return Match(**found, start=at, end=at + len(word), strength=strength)


def make_article(seed: int, source: str, places: tuple[int, ...], **values: object) -> Article:
    """Return an article with matches at these words."""
    body = make_body(seed)
    given = {
        "id": f"{source}:{seed}:ru",
        "source": source,
        "url": f"https://{source}.example/{seed}",
        "title": f"Title {seed}",
        "lead": f"Lead {seed}",
        "body": body,
        "language": "ru",
        "published_at": NOON + timedelta(hours=seed),
        "fetched_at": NOON + timedelta(hours=seed),
        "attribution": f"Agency {seed}",
        "verdict": Verdict.NEW,
        "version": 1,
        "matches": tuple(make_match(body, place) for place in places),
    }
    return Article(**{**given, **values})  # type: ignore[arg-type]


def make_samples() -> list[list[Article]]:
    """Return all versions of articles of each source: with and without a title, with many matches, revised."""
    found = []
    for at, source in enumerate([*spiders.list_names(), "gone"]):
        seed = at * 10
        once = make_article(seed, source, (250,))
        many = make_article(seed + 1, source, tuple(range(5, 350, 7)), title=None, lead=None)
        first = make_article(seed + 2, source, (40, 41, 200))
        longer = first.body + " " + make_body(seed + 3, 2)
        second = replace(first, body=longer, version=2, verdict=Verdict.REVISED, fetched_at=NOON + timedelta(days=1))
        title_only = replace(
            make_article(seed + 4, source, ()),
            matches=(Match(rule="ihl", term="Title", surface="Title", field="title", start=0, end=5, sentence=""),),
        )
        gone = replace(
            make_article(seed + 5, source, (300,), title=None), version=1, verdict=Verdict.UNPUBLISHED, copy_of=once.id
        )
        found += [[once], [many], [first, second], [title_only], [gone]]
    return found


def count_shown(text: str, body: str) -> int:
    """Return how many characters of the body are in a text, with the spaces between shown neighbours."""
    there = set(WORD.findall(text))
    words = list(WORD.finditer(body))
    total = 0
    for one, following in zip(words, [*words[1:], None], strict=True):
        if one[0] in there:
            total += len(one[0])
            total += following.start() - one.end() if following and following[0] in there else 0
    return total
