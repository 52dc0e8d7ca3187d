"""Make the articles of large stores: always the same for the same number.

The texts are the releases of `benchmarks.corpus`, in equal parts English, Russian and Kazakh, a thousand a day. 5 %
match a rule, and 1 % have a second version. What makes a large store hard is added. Every fiftieth article is a reprint
of an earlier one of the same day, without a fifth of its sentences. Each has one of 60 formulas of 16 words, some far
more frequent than others, so that unrelated articles share what officials always say. Every tenth ends in the same
sentence. Without these, no signature would mislead and no key would be crowded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from benchmarks.corpus import (
    COPY_DISTANCE,
    COPY_EVERY,
    LANGUAGES,
    ON_TOPIC_EVERY,
    SYLLABLES,
    Release,
    make_release,
    revise_release,
)
from crawler.items import Article, Match, Verdict
from crawler.text.dates import load_time_zone

ZONE = load_time_zone("Asia/Almaty")
FIRST_DAY = datetime(2023, 1, 1, 6, 0, tzinfo=UTC)
ARTICLES_PER_DAY = 1000
REVISED_EVERY = 100
SOURCES = ("mfa", "qazmonitor", "ktkz")
FORMULA_COUNT = 60
FORMULA_WORDS = 16
LEFT_OUT_EVERY = 5
"""Sentences of a reprint: each fifth one is left out."""
COMMON_ENDINGS = {
    "en": "We recall that the committee was founded on the border of two regions and helps everyone who needs it.",
    "ru": "Напоминаем, что комитет был создан на границе двух областей и помогает всем, кто в этом нуждается.",
    "kk": "Еске сала кетейік, комитет екі облыстың шекарасында құрылған және мұқтаж жандардың бәріне көмектеседі.",
}


def is_reprint(number: int) -> bool:
    """Return whether an article is a reprint of the one that is `COPY_DISTANCE` before it."""
    return number % COPY_EVERY == COPY_EVERY - 1


def get_article_id(number: int) -> str:
    """Return an article's id."""
    origin = number - COPY_DISTANCE if is_reprint(number) else number
    return f"{SOURCES[number % 7 % len(SOURCES)]}:{number}:{LANGUAGES[origin % len(LANGUAGES)]}"


def make_versions(number: int) -> Iterator[Article]:
    """Yield the versions of an article, as a run would save them."""
    release = make_release(number)
    yield _make_article(number, release)
    if number % REVISED_EVERY == 0:
        yield replace(_make_article(number, revise_release(release)), verdict=Verdict.REVISED, version=2)


def make_article(number: int) -> Article:
    """Return the first version of an article."""
    return next(make_versions(number))


def make_text(number: int) -> str:
    """Return the body of the first version of an article."""
    return _make_body(number, make_release(number))


def _make_article(number: int, release: Release) -> Article:
    at = FIRST_DAY + timedelta(days=number // ARTICLES_PER_DAY, seconds=number % ARTICLES_PER_DAY * 60)
    body = _make_body(number, release)
    word = body.split()[0]
    match = Match(rule="ihl", term=word, surface=word, field="body", start=0, end=len(word), sentence="")
    article_id = get_article_id(number)
    source = article_id.partition(":")[0]
    return Article(
        id=article_id,
        source=source,
        url=f"https://{source}.example/{release.slug}",
        title=release.title,
        lead=release.lead,
        body=body,
        language=release.language,
        published_at=at,
        fetched_at=at,
        matches=(match,) if number % ON_TOPIC_EVERY == len(LANGUAGES) else (),
        verdict=Verdict.NEW,
        version=1,
    )


def _make_body(number: int, release: Release) -> str:
    origin = number - COPY_DISTANCE if is_reprint(number) else number
    paragraphs = list(release.paragraphs)
    formula = _make_formula(release.language, int(FORMULA_COUNT * random.Random(f"formula of {origin}").random() ** 2))
    paragraphs[2] = f"{paragraphs[2][:-1]} {formula}."
    if is_reprint(number):
        sentences = "\n".join(paragraphs).split(". ")
        return ". ".join(part for at, part in enumerate(sentences, 2) if at % LEFT_OUT_EVERY)
    ending = COMMON_ENDINGS[release.language] if number % 10 == 5 else ""
    return "\n".join([*paragraphs, *filter(None, [ending])])


@cache
def _make_formula(language: str, number: int) -> str:
    chance = random.Random(f"formula {language} {number}")
    syllables = SYLLABLES[language].split()
    return " ".join("".join(chance.choices(syllables, k=3)) for _ in range(FORMULA_WORDS))
