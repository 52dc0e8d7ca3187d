"""Articles of the tests of web pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from crawler.items import Article, Match, Precision, Strength, Verdict

NOW = datetime.now(UTC).replace(microsecond=0)
TEXT = "Делегация МККК прибыла в Астану. Стороны обсудили подготовку врачей. Помощь получат 30 семей."
SaveArticle = Callable[..., Article]


def make_story_article(native_id: str = "1", body: str = TEXT, *, term: str = "МККК", **values: object) -> Article:
    """Return an article that a rule matches at the first place of `term`, or nowhere if the body lacks it."""
    start = body.find(term)
    source, language = str(values.pop("source", "mfa")), str(values.pop("language", "ru"))
    match = Match(
        rule=str(values.pop("rule", "red-cross-movement")),
        term=term,
        surface=term,
        field="body",
        start=start,
        end=start + len(term),
        sentence=body,
        strength=Strength(str(values.pop("strength", "strong"))),
    )
    defaults = {
        "id": f"{source}:{native_id}:{language}",
        "url": f"https://{source}.example/{native_id}?lang={language}",
        "title": f"Заголовок {native_id}",
        "verdict": Verdict.NEW,
        "version": 1,
        "matches": (match,) if start >= 0 else (),
        "published_precision": Precision.MINUTE,
        "provenance": {"title": "Page:h1", "body": "Page:div"},
    }
    return Article(source=source, language=language, body=body, **{**defaults, **values})
