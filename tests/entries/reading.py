"""A digest of the day as each form is made of it, and how much of a body a reader of the form sees."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from entries.news_of_a_day import BEGIN, END, EXHIBITION, FLOOD, RELEASE, TALKS, TALKS_KK, VOLUNTEERS

from crawler.config import Config
from crawler.entries import Maker, Phrases, Wanted
from crawler.entries.digest import digest
from crawler.entries.wording import Wording
from crawler.store import Store
from crawler.text.dates import zone

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
def say(store: Store, language: str, *, redact: tuple[str, ...] = (), wanted: Wanted | None = None) -> Wording:
    config = Config()
    maker = Maker(config, store, redact=redact, language=language)
    made = digest(maker, store, config, wanted or Wanted(), BEGIN, END, language=language)
    return Wording(made, Phrases(language, zone(config.timezone)), made=MADE)


def plain(text: str) -> str:
    """What a reader sees: tags and marks gone, one space between words."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"[*>\\]", "", text).split())


def without_our_words(say: Wording, text: str) -> str:
    """The text without rules' terms and titles, which a body may have too."""
    text = plain(text)
    for told in say.digest.stories:
        for line in (say.also_under(told), say.matched(told.entry)):
            text = text.replace(plain(line or "\0"), " ")
    return text


def shown(body: str, text: str) -> int:
    """How many characters of the body stand in the text: runs of three words and more."""
    words, covered = list(re.finditer(r"\S+", body)), set[int]()
    for at in range(len(words) - 2):
        begin, end = words[at].start(), words[at + 2].end()
        if " ".join(body[begin:end].split()) in text:
            covered |= set(range(begin, end))
    return len(covered)
