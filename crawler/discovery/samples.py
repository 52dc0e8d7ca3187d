"""Sample articles of a site: each field with its origin, other candidates, and a warning where methods disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from difflib import SequenceMatcher

from crawler.config.address_pattern import read_language_code
from crawler.discovery.feeds import FeedEntry
from crawler.discovery.field_places import FieldPlace, count_pages, find_place, list_body_places, read_place
from crawler.errors import SourceError
from crawler.generic.headline import HEAD_FIELDS, list_headings, list_stated_titles
from crawler.generic.page import GenericPage
from crawler.generic.page_lines import list_words
from crawler.generic.pdf_release import PdfRelease
from crawler.generic.publication_date import list_stated_dates
from crawler.generic.reader import GenericArticle, read_page
from crawler.generic.site_memory import SiteMemory
from crawler.items import Article, Rights
from crawler.pages.site import ArticleAddress, Site
from crawler.pages.snapshot import Snapshot
from crawler.text.dates import parse_date

MIN_ARTICLE_WORDS = 30
"""Words of a text from which a page is an article and no notice."""
MIN_TITLE_SIMILARITY = 0.6
MAX_CANDIDATES = 4
MAX_BODY_BEGINNING = 120
MIN_COMPARED_SAMPLES = 3
MAX_VISIT_SPREAD = timedelta(minutes=10)
"""A time in the head of the page changes by this much at most while the samples are read."""
DATE_OF_VISIT = "every sample has this date: it may be that of the visit"
UNCONFIRMED_BODY = "lines by the shape of the page"


@dataclass(frozen=True, slots=True)
class FieldCandidate:
    """A value that a page has for a field, and where.

    `css` and `attribute` are its place for a definition; without them a selector cannot name it. `pages` is the number
    of samples that have a value there.
    """

    value: str
    origin: str
    css: str | None = None
    attribute: str | None = None
    pages: int = 0

    @property
    def place(self) -> FieldPlace | None:
        """The place for a definition, or None."""
        return FieldPlace(self.css, self.attribute) if self.css else None


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
            describe_body(article.body) if article.body else None,
            evidence.get("body"),
            _judge_body(article),
            _list_bodies(page, article),
        ),
    }
    return SampleArticle(page.url, fields)


def mark_dates_of_visit(samples: Sequence[SampleArticle], now: datetime) -> list[SampleArticle]:
    """Return the samples, with a warning for dates that all are the same time, or today without a time."""
    values = [value for sample in samples if (value := sample.fields["published_at"].value)]
    if len(values) < MIN_COMPARED_SAMPLES or len(values) < len(samples) or not _are_one_moment(values, now):
        return list(samples)
    return [
        replace(sample, fields=sample.fields | {"published_at": replace(dated, warning=dated.warning or DATE_OF_VISIT)})
        for sample in samples
        for dated in (sample.fields["published_at"],)
    ]


def _are_one_moment(values: Sequence[str], now: datetime) -> bool:
    """Return whether dates are one time, give or take the length of the visit, or all the day of `now` in some zone."""
    if all(len(value) > len("2026-11-29") for value in values):
        times = [parsed.at for value in values if (parsed := parse_date(value, UTC))]
        return len(times) == len(values) and max(times) - min(times) <= MAX_VISIT_SPREAD
    todays = {(now + timedelta(hours=hours)).date().isoformat() for hours in (-12, 0, 14)}
    return len(set(values)) == 1 and values[0] in todays


def read_pdf_release(snapshot: Snapshot) -> Article | None:
    """Return what a PDF file of a site without a source yields, or None for one that is no article. Times are UTC."""
    rights = Rights(excerpt_share=0.0, link_required=True, wording=None, source=None)
    site = Site(
        name="survey",
        origin=snapshot.url,
        rights=rights,
        time_zone=UTC,
        page_classes=(PdfRelease,),
        identify=lambda url: ArticleAddress(url, url),
    )
    try:
        article = PdfRelease(snapshot, site).read_article()
    except SourceError:
        return None
    return article if article.title and len(list_words(article.body)) >= MIN_ARTICLE_WORDS else None


def describe_pdf_release(article: Article) -> SampleArticle:
    """Return the sample of a PDF file, which has no other candidates."""
    day = f"{article.published_at:%Y-%m-%d}" if article.published_at else None
    fields = {
        "title": SampleField(article.title, article.provenance["title"].partition(":")[2]),
        "published_at": SampleField(day, f"text: {article.published_raw}", None if day else "the file has none"),
        "author": SampleField(None),
        "language": SampleField(article.language, "text"),
        "body": SampleField(describe_body(article.body), "text of the PDF"),
    }
    return SampleArticle(article.url, fields)


def count_candidate_pages(samples: Sequence[SampleArticle], pages: Sequence[GenericPage]) -> list[SampleArticle]:
    """Return the samples, each candidate with the number of pages that have a value at its place."""
    counts: dict[tuple[str, FieldPlace], int] = {}

    def add_count(name: str, candidate: FieldCandidate) -> FieldCandidate:
        if (place := candidate.place) is None:
            return candidate
        if (name, place) not in counts:
            counts[name, place] = count_pages(pages, name, place)
        return replace(candidate, pages=counts[name, place])

    return [
        SampleArticle(
            sample.url,
            {
                name: replace(each, candidates=tuple(add_count(name, candidate) for candidate in each.candidates))
                for name, each in sample.fields.items()
            },
        )
        for sample in samples
    ]


def describe_body(text: str) -> str:
    """Return a text as a line of the preview: its length and its beginning."""
    return f"{len(list_words(text))} words: {text[:MAX_BODY_BEGINNING]}"


def _list_titles(page: GenericPage, article: GenericArticle) -> tuple[FieldCandidate, ...]:
    stated = [(each.text, each.origin, page.metadata.get(each.origin)) for each in list_stated_titles(page)]
    headings = [(text, tag, text) for tag in ("h1", "h2") for text in list_headings(page, tag)[:2]]
    found = [_make_title(page, value, origin, written) for value, origin, written in (*headings, *stated)]
    return _select_others(found, article.title)


def _make_title(page: GenericPage, value: str, origin: str, written: str | None) -> FieldCandidate:
    """Return a title with its place. A selector reads what is `written` there, with the name of the site."""
    place = find_place(page, written) if written else None
    read = read_place(page, "title", place) if place else None
    if place is None or read is None or (origin in HEAD_FIELDS and place.attribute != "content"):
        return FieldCandidate(value, origin)
    return FieldCandidate(read, origin, *place)


def _list_dates(page: GenericPage, article: GenericArticle) -> tuple[FieldCandidate, ...]:
    candidates = []
    for each in list_stated_dates(page, article.title or ""):
        place = find_place(page, each.text)
        read = read_place(page, "published_at", place) if place else None
        is_same = read is not None and (parsed := parse_date(read, UTC)) and f"{parsed.at:%Y-%m-%d}" == each.day
        candidates.append(FieldCandidate(each.value, each.origin, *(place if place and is_same else ())))
    return _select_others(candidates, article.published_at)


def _list_bodies(page: GenericPage, article: GenericArticle) -> tuple[FieldCandidate, ...]:
    texts = {place: read_place(page, "body", place) for place in list_body_places(page, article.body)}
    found = [FieldCandidate(describe_body(text), "element", *place) for place, text in texts.items() if text]
    return tuple(found)[:MAX_CANDIDATES]


def _select_others(candidates: list[FieldCandidate], chosen: str | None) -> tuple[FieldCandidate, ...]:
    """Return the candidates with another value than the chosen one, each value once: that with a place, if any."""
    others: dict[str, FieldCandidate] = {}
    for each in candidates:
        known = others.get(each.value)
        if each.value != chosen and (known is None or (known.css is None and each.css is not None)):
            others[each.value] = each
    return tuple(others.values())[:MAX_CANDIDATES]


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
