"""Sample articles of a site: each field with its origin, other candidates, and a warning where methods disagree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher

from crawler.config.address_pattern import read_language_code
from crawler.discovery.feeds import FeedEntry
from crawler.generic.headline import list_headings, list_stated_titles
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.generic.publication_date import list_stated_dates
from crawler.generic.reader import GenericArticle, read_page
from crawler.generic.site_memory import SiteMemory

MIN_ARTICLE_WORDS = 30
"""Words of a text from which a page is an article and no notice."""
MIN_TITLE_SIMILARITY = 0.6
MAX_CANDIDATES = 4
UNCONFIRMED_BODY = "lines by the shape of the page"


@dataclass(frozen=True, slots=True)
class FieldCandidate:
    """A value that a page has for a field, and where."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class SampleField:
    """A field of a sample: the chosen value (None: the page has none), where it was, a warning, other candidates."""

    value: str | None
    origin: str | None = None
    warning: str | None = None
    candidates: tuple[FieldCandidate, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """A sample article by its address."""

    url: str
    fields: dict[str, SampleField] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """The warnings of all fields."""
        return [f"{name}: {each.warning}" for name, each in self.fields.items() if each.warning]


def is_article(article: GenericArticle) -> bool:
    """Return whether what was read is an article: a title and a text of some length."""
    return bool(article.title and article.body) and len(list_words(article.body or "")) >= MIN_ARTICLE_WORDS


def read_samples(pages: Iterable[GenericPage], memory: SiteMemory) -> list[GenericArticle]:
    """Return the articles of pages of one site. They are read twice: the second time with what was learned."""
    pages = list(pages)
    for page in pages:
        read_page(page, memory)
    return [read_page(page, memory) for page in pages]


def describe_sample(page: GenericPage, article: GenericArticle, entry: FeedEntry | None = None) -> SampleArticle:
    """Return a sample with its fields. `entry` is what the feed says about it, if it does."""
    evidence = article.evidence
    dated = evidence.get("published_at")
    words = len(list_words(article.body or ""))
    fields = {
        "title": SampleField(
            article.title, evidence.get("title"), _compare_titles(article, entry), _list_titles(page, article)
        ),
        "published_at": SampleField(
            article.published_at,
            f"{dated['from']}: {dated['text']}" if dated else None,
            _compare_dates(page, article, entry),
            _list_dates(page, article),
        ),
        "author": SampleField(article.author, evidence.get("author")),
        "language": SampleField(article.language, evidence.get("language"), _compare_languages(page, article)),
        "body": SampleField(
            f"{words} words: {(article.body or '')[:120]}" if article.body else None,
            evidence.get("body"),
            _judge_body(article),
        ),
    }
    return SampleArticle(page.url, fields)


def _list_titles(page: GenericPage, article: GenericArticle) -> tuple[FieldCandidate, ...]:
    stated = [FieldCandidate(each.text, each.origin) for each in list_stated_titles(page)]
    headings = [FieldCandidate(text, tag) for tag in ("h1", "h2") for text in list_headings(page, tag)[:2]]
    return _select_others([*headings, *stated], article.title)


def _list_dates(page: GenericPage, article: GenericArticle) -> tuple[FieldCandidate, ...]:
    stated = list_stated_dates(page, article.title or "")
    return _select_others([FieldCandidate(each.value, each.origin) for each in stated], article.published_at)


def _select_others(candidates: list[FieldCandidate], chosen: str | None) -> tuple[FieldCandidate, ...]:
    others = {each.value: each for each in reversed(candidates) if each.value != chosen}
    return tuple(reversed(others.values()))[:MAX_CANDIDATES]


def _compare_titles(article: GenericArticle, entry: FeedEntry | None) -> str | None:
    if article.title is None:
        return "the page has none"
    if entry and entry.title and not _are_similar(entry.title, article.title):
        return f"the feed has {entry.title!r}"
    return None


def _compare_dates(page: GenericPage, article: GenericArticle, entry: FeedEntry | None) -> str | None:
    if article.published_at is None:
        at = entry.published_raw if entry else None
        return f"the page has none, but the feed has {at}" if at else "the page has none"
    day = article.published_at[:10]
    if entry and entry.published_at and abs((entry.published_at.date() - date.fromisoformat(day)).days) > 1:
        return f"the feed has {entry.published_raw}"
    data = [
        each for each in list_stated_dates(page, article.title or "") if each.origin.startswith(("JSON-LD", "meta"))
    ]
    other = next(
        (each for each in data if abs((date.fromisoformat(each.day) - date.fromisoformat(day)).days) > 1), None
    )
    return f"{other.origin} has {other.value}" if other else None


def _compare_languages(page: GenericPage, article: GenericArticle) -> str | None:
    if article.language is None:
        return "the text does not show it"
    stated = read_language_code(page.html_language) if page.html_language else article.language
    return f"the page says {stated}" if stated != article.language else None


def _judge_body(article: GenericArticle) -> str | None:
    if not article.body:
        return "the page has none"
    return "no extractor confirms it" if article.evidence.get("body") == UNCONFIRMED_BODY else None


def _are_similar(first: str, second: str) -> bool:
    one, other = list_words(first), list_words(second)
    shorter, longer = sorted((one, other), key=len)
    is_part = bool(shorter) and longer[: len(shorter)] == shorter
    return is_part or SequenceMatcher(None, one, other, autojunk=False).ratio() >= MIN_TITLE_SIMILARITY
