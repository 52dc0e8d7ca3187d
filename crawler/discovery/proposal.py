"""A source definition from a survey: the text of `sources/NAME.toml`, and what a person should see first."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from crawler.config.source_definition import (
    DEFAULT_CRON,
    DEFAULT_EXCERPT_SHARE,
    MAX_EXPECTED_LINKS,
    MAX_TEXT_LENGTH,
    get_host,
    is_page_address,
)
from crawler.config.source_folder import SOURCE_NAME_PATTERN
from crawler.discovery.samples import SampleArticle
from crawler.discovery.survey import FoundList, SiteSurvey, get_origin
from crawler.text.counts import format_count

GENERAL_LABELS = frozenset("www m news press portal ru kz en kk com org net gov edu co mil int uz kg tj".split())
"""Parts of a host that name no site."""
MAX_NAME_LENGTH = 40
CRONS = (
    (timedelta(hours=2), "*/15 * * * *"),
    (timedelta(hours=12), "*/30 * * * *"),
    (timedelta(days=3), "0 * * * *"),
)
"""The cron by the usual time between two articles."""
RARE_CRON = "0 */3 * * *"
MIN_SILENCE, MAX_SILENCE = timedelta(days=3), timedelta(days=90)
FIELD_EXAMPLE = (
    "# Where a field is, if the reader of any site finds another one:",
    "# [fields.published_at]",
    '# css = "time.published"',
    '# attribute = "datetime"',
)
SILENCE_FACTOR = 4
"""How many times the longest gap that was seen may pass before silence is reported."""


@dataclass(frozen=True, slots=True)
class ProposedList:
    """A list of the definition, for a person: its address, its kind and how many addresses it names.

    `next_page` is the pattern of further pages, in which numbers are `page_step` apart.
    """

    url: str
    kind: str
    links: int
    language: str | None
    next_page: str | None
    page_step: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProposal:
    """What `crawler add` found, as plain values. `definition` is the text of the file, `memory` that of the site."""

    name: str
    title: str
    home: str
    definition: str
    lists: tuple[ProposedList, ...]
    addresses: tuple[str, ...]
    identity: str
    samples: tuple[SampleArticle, ...]
    languages: tuple[str, ...]
    cadence: str
    crawl_delay: float | None
    sitemaps: tuple[str, ...]
    terms: str | None
    rights_line: str | None
    notes: tuple[str, ...]
    memory: dict[str, Any] = field(default_factory=dict)


def make_proposal(survey: SiteSurvey, now: datetime) -> SourceProposal:
    """Return the proposal of a survey that found a list."""
    gaps = _list_gaps(survey.times)
    return SourceProposal(
        name=suggest_name(survey.home),
        title=survey.title,
        home=survey.home,
        definition=write_definition(survey, now),
        lists=tuple(
            ProposedList(each.url, each.kind, len(each.links), each.language, each.next_page, each.page_step)
            for each in survey.lists
        ),
        addresses=survey.shape.patterns,
        identity=survey.shape.identity,
        samples=tuple(survey.samples),
        languages=tuple(survey.languages),
        cadence=describe_cadence(gaps),
        crawl_delay=survey.robots.crawl_delay if survey.robots else None,
        sitemaps=tuple(survey.sitemaps),
        terms=survey.terms,
        rights_line=survey.rights_line,
        notes=(*survey.notes, *_list_doubts(survey)),
        memory=survey.memory.to_dict() if survey.memory else {},
    )


def suggest_name(home: str, known: Collection[str] = ()) -> str:
    """Return a name for a source from its host: that of the longest part which names the site."""
    labels = (urlsplit(home).hostname or "").split(".")
    own = [label for label in labels[:-1] or labels if label not in GENERAL_LABELS] or labels
    letters = re.sub(r"[^a-z0-9_-]", "", max(own, key=len).lower())
    name = letters if SOURCE_NAME_PATTERN.fullmatch(letters) else f"site{re.sub(r'[^a-z0-9]', '', home.lower())[-8:]}"
    return number_name(name, known)


def number_name(name: str, known: Collection[str]) -> str:
    """Return a name that no source has: the name, or the name with a number."""
    name = name[: MAX_NAME_LENGTH - 3]
    numbered = (f"{name}{number}" for number in range(2, 1000))
    return name if name not in known else next(each for each in numbered if each not in known)


def write_definition(survey: SiteSurvey, now: datetime) -> str:
    """Return the commented text of a definition."""
    origin = get_origin(survey.home)
    lines = [
        "#:schema ./source.schema.json",
        f"# {_comment(survey.title)}, {origin}: written by `crawler add` on {now:%Y-%m-%d}. Every line may be edited.",
        "",
        f"title = {quote(_shorten(survey.title))}",
        "# Public addresses of the site, the canonical one first.",
        f"origins = [{quote(origin)}]",
        "",
        "# Lists that every run requests: feeds, sitemaps, or pages with links to articles.",
        "starts = [",
        *(f"  {_write_start(found)}," for found in survey.lists),
        "]",
        "",
        "# Paths of articles. * is any text without /, ** any path, {number} digits.",
        f"addresses = {_write_list(survey.shape.patterns)}",
        "# Paths that look like articles and are none.",
        f"exclude = {_write_list(survey.shape.exclude)}",
        '# What tells articles apart: "path", or a placeholder such as "{number}".',
        f"identity = {quote(survey.shape.identity)}",
        "",
        f"# Languages of the articles: each text shows its own, unless one is named. Seen: {_join(survey.languages)}.",
        "languages = []",
        "# CSS selectors of what is on article pages and is not the article.",
        "remove = []",
        '# The zone of dates that name none; without it, that of crawler.toml. timezone = "Asia/Almaty"',
        '# Forms of dates that are not read as they should. date_formats = ["%d.%m.%Y %H:%M"]',
        "",
    ]
    return "\n".join([*lines, *_write_schedule(survey), *_write_rights(survey), *FIELD_EXAMPLE]) + "\n"


def _write_schedule(survey: SiteSurvey) -> list[str]:
    """Return the lines about when the source runs and what a healthy run yields."""
    gaps = _list_gaps(survey.times)
    usual = next((cron for limit, cron in CRONS if gaps and _find_usual_gap(gaps) <= limit), RARE_CRON)
    dated = [sample for sample in survey.samples if sample.fields["published_at"].value]
    required = ["title", "published_at"] if len(dated) == len(survey.samples) else ["title"]
    silence = _choose_silence(gaps)
    links = sum(len(found.links) for found in survey.lists)
    return [
        f'# When it runs: five fields, or "auto". {describe_cadence(gaps)}',
        f"cron = {quote(usual if gaps else DEFAULT_CRON)}",
        "enabled = true",
        "",
        "# What a healthy run yields.",
        "[expect]",
        f"min_links = {min(max(1, links // 2), MAX_EXPECTED_LINKS)}",
        f"required = {_write_list(required)}",
        f"{'' if silence else '# '}max_silence = {quote(f'{silence.days if silence else 7}d')}",
        "",
    ]


def _write_rights(survey: SiteSurvey) -> list[str]:
    """Return the lines about what may leave the machine."""
    return [
        "# 30 % of a text and a link may leave this machine, until the site says otherwise.",
        "[rights]",
        f"excerpt_share = {DEFAULT_EXCERPT_SHARE}",
        "link_required = true",
        *([f"wording = {quote(_shorten(survey.rights_line))}"] if survey.rights_line else []),
        f"source = {quote(survey.terms if survey.terms and is_page_address(survey.terms) else survey.home)}",
        "",
    ]


def quote(text: str) -> str:
    """Return a text as a string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write_list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quote, values))}]"


def _write_start(found: FoundList) -> str:
    """Return a list as a value of `starts`: its address, or a table where more must be said."""
    parts = {"url": quote(found.url)}
    if found.fallbacks:
        parts["fallbacks"] = _write_list(found.fallbacks)
    if found.next_page:
        parts["next_page"] = quote(found.next_page)
        if found.first_page != 1:
            parts["first_page"] = str(found.first_page)
        if found.page_step != 1:
            parts["page_step"] = str(found.page_step)
    if len(parts) == 1:
        return parts["url"]
    return "{ " + ", ".join(f"{name} = {value}" for name, value in parts.items()) + " }"


def _join(values: Iterable[str]) -> str:
    return ", ".join(values) or "none"


def _shorten(text: str) -> str:
    printable = "".join(letter for letter in text if letter.isprintable()).strip()
    return printable[:MAX_TEXT_LENGTH] or "?"


def _comment(text: str) -> str:
    return _shorten(text)[:80]


def _list_gaps(times: Sequence[datetime]) -> list[timedelta]:
    """Return the times between neighbouring articles. `times` are newest first."""
    return [later - earlier for later, earlier in pairwise(times)]


def _find_usual_gap(gaps: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(gap.total_seconds() for gap in gaps))


def _choose_silence(gaps: Sequence[timedelta]) -> timedelta | None:
    if not gaps:
        return None
    longest = max(gaps) * SILENCE_FACTOR
    days = max(MIN_SILENCE, timedelta(days=longest.days + 1))
    return days if days <= MAX_SILENCE else None


def describe_cadence(gaps: Sequence[timedelta]) -> str:
    """Return how often a site publishes, by the times between its articles."""
    if not gaps:
        return "The lists state no times, so it is not known how often the site publishes."
    total = sum(gaps, timedelta())
    days = total / timedelta(days=1)
    number = len(gaps) + 1
    if days <= 0:
        return f"The lists have {format_count(number, 'time')}, all the same."
    rate = len(gaps) / days
    often = "about one a day"
    if not 2 / 3 < rate < 1.5:
        often = f"about {rate:.0f} a day" if rate >= 1.5 else f"about one in {1 / rate:.0f} days"
    return f"The lists show {format_count(number, 'article')} of {days:.1f} days: {often}."


def _list_doubts(survey: SiteSurvey) -> list[str]:
    """Return what a person should look at: fields that no sample has, and lists with few articles."""
    notes = []
    if survey.samples and not any(sample.fields["published_at"].value for sample in survey.samples):
        notes.append("No sample states a date: give a selector in [fields.published_at], or leave it not required.")
    if len(survey.samples) < 2:
        notes.append("Only one article could be read: look at the address pattern.")
    hosts = {get_host(sample.url) for sample in survey.samples}
    if hosts - {get_host(survey.home)}:
        notes.append(f"Articles are on another host: {', '.join(sorted(hosts))}.")
    return notes
