"""The digest of the day as a view, and how much of a body a text shows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from support.day_of_news import BEGIN, END, EXHIBITION, FLOOD, RELEASE, TALKS, TALKS_KK, VOLUNTEERS

from crawler.config import Config
from crawler.publish.builder import EntryBuilder
from crawler.publish.digest import make_digest
from crawler.publish.digest_view import DigestView
from crawler.publish.phrases import Phrases
from crawler.publish.query import ArticleQuery
from crawler.store import Store
from crawler.text.dates import load_time_zone

MADE = datetime(2026, 3, 6, 3, 35, tzinfo=UTC)
BODIES = {
    "talks": TALKS,
    "talks in Kazakh": TALKS_KK,
    "flood": FLOOD.format(number=60, more="К ним присоединились ещё два отряда из Актобе с лодками и насосами. "),
    "exhibition": EXHIBITION,
    "release": RELEASE,
    "volunteers": VOLUNTEERS,
}


@lru_cache(maxsize=64)
def make_view(
    store: Store, language: str, *, redact: tuple[str, ...] = (), wanted: ArticleQuery | None = None
) -> DigestView:
    config = Config()
    maker = EntryBuilder(config, store, redact=redact, language=language)
    made = make_digest(maker, store, config, wanted or ArticleQuery(), BEGIN, END, language=language)
    return DigestView(made, Phrases(language, load_time_zone(config.timezone)), made=MADE)


def strip_markup(text: str) -> str:
    """Return what a reader sees: no tags and marks, one space between words."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"[*>\\]", "", text).split())


def remove_own_words(say: DigestView, text: str) -> str:
    """Return the text without terms and titles of rules, which a body may contain too."""
    text = strip_markup(text)
    for told in say.digest.stories:
        for line in (say.also_under(told), say.matched(told.entry)):
            text = text.replace(strip_markup(line or "\0"), " ")
    return text


def count_shown(body: str, text: str) -> int:
    """Return how many characters of the body are in the text, in runs of at least three words."""
    words, covered = list(re.finditer(r"\S+", body)), set[int]()
    for at in range(len(words) - 2):
        begin, end = words[at].start(), words[at + 2].end()
        if " ".join(body[begin:end].split()) in text:
            covered |= set(range(begin, end))
    return len(covered)
