"""Make the articles of `benchmarks.similarity`: always the same for the same number.

An article has about 135 words, and a day has a thousand articles. Every hundredth is a reprint of an earlier one of the
same day, without a fifth of its sentences. Each has one of 60 formulas of 16 words, some far more frequent than others,
so that unrelated articles share what officials always say. Every tenth ends in the same sentence. Without these, no
signature would mislead, no key would be crowded, and a large store would look like a small one.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from crawler.items import Article, Verdict
from crawler.store import Store
from crawler.text.dates import load_time_zone

COMMON_ENDING = " Напоминаем, что комитет был создан на границе двух областей и помогает всем, кто в этом нуждается."
FIRST_DAY = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
ZONE = load_time_zone("Asia/Almaty")
ARTICLES_PER_DAY = 1000
REPRINT_EVERY = 100
REPRINT_DISTANCE = 7
"""How many articles before its reprint the original is."""
SYLLABLES = [a + b for a in "бвгдклмнпрст" for b in "аеиоу"]
FORMULA_COUNT = 60
FORMULA_WORDS = 16
VOCABULARY = ["".join(random.Random(n).choices(SYLLABLES, k=3)) for n in range(4000)]
FORMULA_TEXTS = [
    " ".join(random.Random(f"formula {n}").choices(VOCABULARY, k=FORMULA_WORDS)) for n in range(FORMULA_COUNT)
]


def is_reprint(number: int) -> bool:
    return number % REPRINT_EVERY == REPRINT_EVERY - 1


def get_article_id(number: int) -> str:
    """Return an article's id."""
    return f"bench:{number}:ru"


def make_text(number: int) -> str:
    """Return ten sentences of made-up words with two names, two numbers and a formula."""
    if is_reprint(number):
        parts = make_text(number - REPRINT_DISTANCE).split(". ")
        return ". ".join(part for at, part in enumerate(parts) if at not in (3, 6))
    rng = random.Random(number)
    sentences = []
    for at in range(10):
        words = [VOCABULARY[int(4000 * rng.random() ** 2)] for _ in range(11)]
        if at < 2:
            words.insert(3, "".join(rng.choices(SYLLABLES, k=6)).capitalize())
            words.append(str(rng.randint(100, 99_999)))
        if at == 5:
            words.append(FORMULA_TEXTS[int(FORMULA_COUNT * rng.random() ** 2)])
        sentences.append(" ".join(words).capitalize() if at >= 2 else words[0].capitalize() + " " + " ".join(words[1:]))
    return ". ".join(sentences) + "." + (COMMON_ENDING if number % 10 == 5 else "")


def make_article(number: int) -> Article:
    """Return an article. Its number determines its day."""
    at = FIRST_DAY + timedelta(days=number // ARTICLES_PER_DAY, seconds=number % ARTICLES_PER_DAY * 60)
    return Article(
        id=get_article_id(number),
        source="bench",
        url=f"https://bench.example/{number}",
        body=make_text(number),
        language="ru",
        published_at=at,
        fetched_at=at,
        verdict=Verdict.NEW,
        version=1,
    )


def save_articles(store: Store, articles: list[Article]) -> None:
    """Save articles as a crawl does, in one transaction. They wait to be clustered."""
    with store.transaction():
        for article in articles:
            store.articles.save(article, content_hash=article.id, run_id=None, seen_at=FIRST_DAY)
