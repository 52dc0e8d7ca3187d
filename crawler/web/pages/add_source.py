"""Add a source: paste an address, look at what was found, correct fields by choosing among candidates, save.

The form carries every choice. Only the survey itself is kept, in memory, for its user.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.config.source_definition import DEFAULT_EXCERPT_SHARE, MAX_TEXT_LENGTH
from crawler.config.source_folder import parse_definition
from crawler.discovery.field_places import FieldPlace, read_place
from crawler.discovery.platform_addresses import find_platform_source, write_platform_definition
from crawler.discovery.proposal import SourceProposal, number_name, suggest_name
from crawler.discovery.samples import SampleArticle, describe_body
from crawler.errors import CrawlerError, UsageError
from crawler.fixtures.source_files import (
    list_taken_names,
    raise_if_read_already,
    raise_if_taken,
    read_samples,
    set_values,
    write_new_source,
)
from crawler.generic.extractors import raise_if_not_installed
from crawler.generic.page import GenericPage
from crawler.items import Article
from crawler.pages.snapshot import Snapshot
from crawler.spiders.url_mapping import parse_url_argument
from crawler.web.access import get_principal
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues
from crawler.web.newsroom import Newsroom
from crawler.web.pages.account import record_change
from crawler.web.rendering import PageRenderer, Reader, make_address
from crawler.web.surveys import Survey
from crawler.web.translations import mark_message

ADD_PATH = "/sources/add"
MAX_URL_LENGTH = 2000
MAX_OFFERED = 6
_reading_lock = threading.Lock()
"""Samples are read one request at a time: five pages take a second of a processor, and other pages share it."""
CHOSEN_FIELDS = ("title", "published_at", "body")
"""The fields that a person corrects by choosing a place on the page."""
SHOWN_FIELDS = ("title", "published_at", "body", "language", "author")
CRON_WORDS = {
    "*/15 * * * *": mark_message("Every 15 minutes"),
    "*/30 * * * *": mark_message("Every 30 minutes"),
    "0 * * * *": mark_message("Every hour"),
    "0 */3 * * *": mark_message("Every 3 hours"),
}
OFFERED_ZONES = (
    "Asia/Almaty",
    "Asia/Ashgabat",
    "Asia/Bishkek",
    "Asia/Dushanbe",
    "Asia/Tashkent",
    "Europe/Moscow",
    "UTC",
)
SHARE_WORDS = {
    str(DEFAULT_EXCERPT_SHARE): mark_message("30 per cent and the link"),
    "0.0": mark_message("Headline and link"),
    "1.0": mark_message("The whole text, by permission"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChoices:
    """What a person chose. `places` are the numbers of the chosen places by field; 0 is what was read.

    `timezone` is that of dates that name none, "" for that of crawler.toml.
    """

    name: str
    title: str
    cron: str
    share: str
    timezone: str = ""
    sample: int = 0
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPlace:
    """A place of a field that can be chosen. `value` is what the shown sample has there, `count` how many have one."""

    place: FieldPlace
    value: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """A row of the preview. `count`: samples that have a value. `warned_count`: samples in which methods disagree."""

    name: str
    value: str | None
    origin: str | None
    warning: str | None
    count: int
    warned_count: int
    offered: Sequence[OfferedPlace]
    chosen: int


def show_add_source(site: PageRenderer, request: Request) -> Response:
    """Return the page: the form, a survey in progress, why it found nothing, or the preview."""
    desk, name = site.newsroom.surveys, get_principal(request).name
    survey_id = request.query_params.get("survey", "")[:64]
    survey = desk.get(survey_id, name) if survey_id else desk.find_running(name)
    return render_add_source(site, request, survey, is_forgotten=bool(survey_id) and survey is None)


def add_source(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Begin or stop a survey, show the preview with other choices, or write the source."""
    newsroom, action = site.newsroom, form.get_first("do")
    if not newsroom.can_edit_sources:
        raise BadAddress
    if action == "look":
        return start_survey(site, request, form.get_first("url").strip()[:MAX_URL_LENGTH])
    survey = newsroom.surveys.get(form.get_first("survey")[:64], get_principal(request).name)
    if survey is None:
        return render_add_source(site, request, None, is_forgotten=True)
    if action == "stop":
        newsroom.surveys.stop(survey)
        return RedirectResponse(make_address(ADD_PATH, {"survey": survey.id}), 303)
    if survey.found is None and survey.platform is None:
        raise BadAddress
    choices = parse_choices(survey, form, newsroom.config.timezone)
    if action not in ("save", "save_idle"):
        return render_add_source(site, request, survey, choices)
    try:
        save_source(newsroom, survey, choices, is_enabled=action == "save")
    except UsageError as error:
        return render_add_source(site, request, survey, choices, problem=str(error))
    record_change(site, request, "source.add", f"{choices.name} {survey.url}")
    newsroom.surveys.forget(survey)
    newsroom.reload()
    return RedirectResponse(f"/sources?added={choices.name}#{choices.name}", 303)


def start_survey(site: PageRenderer, request: Request, url: str) -> Response:
    """Begin to look at a site, and go to the page that waits for it. A platform's address needs no look."""
    newsroom, user = site.newsroom, get_principal(request).name
    try:
        address = parse_url_argument(url if "://" in url else f"https://{url}")
        if (platform := find_platform_source(address)) is not None:
            raise_if_read_already(platform)
            survey = newsroom.surveys.add_platform_source(user, address, platform)
        else:
            raise_if_not_installed()
            survey = newsroom.surveys.start(user, address, newsroom.config.path, newsroom.config)
            record_change(site, request, "source.survey", address)
    except UsageError as error:
        return render_add_source(site, request, newsroom.surveys.find_running(user), problem=str(error), url=url)
    return RedirectResponse(make_address(ADD_PATH, {"survey": survey.id}), 303)


def render_add_source(
    site: PageRenderer,
    request: Request,
    survey: Survey | None,
    choices: SourceChoices | None = None,
    *,
    problem: str = "",
    url: str = "",
    is_forgotten: bool = False,
) -> Response:
    """Return the page. `problem` is a sentence in English, as the terminal prints it."""
    newsroom, reader = site.newsroom, site.make_reader(request)
    values: dict[str, Any] = {}
    if survey is not None and not survey.is_running and (survey.found or survey.platform):
        choices = choices or make_first_choices(survey)
        values = make_preview(newsroom, reader, survey, choices)
    return site.render(
        request,
        "add_source.html",
        status=400 if problem else 200,
        reader=reader,
        survey=survey,
        url=url or (survey.url if survey else ""),
        problem=problem or values.pop("problem", ""),
        is_forgotten=is_forgotten,
        choices=choices,
        preview=values,
        cron_words=CRON_WORDS,
        share_words=SHARE_WORDS,
        offered_zones=OFFERED_ZONES,
        max_title=MAX_TEXT_LENGTH,
        chosen_fields=CHOSEN_FIELDS,
    )


def get_proposal(survey: Survey) -> SourceProposal | None:
    """Return what a survey found. A platform's source has no proposal."""
    return survey.found.proposal if survey.found else None


def get_definition(survey: Survey) -> str:
    """Return the text of the definition before any choice."""
    if survey.platform is not None:
        return write_platform_definition(survey.platform, datetime.now(UTC))
    proposal = get_proposal(survey)
    assert proposal is not None
    return proposal.definition


def make_first_choices(survey: Survey) -> SourceChoices:
    """Return what the form has at first: what was found."""
    definition = parse_definition(get_definition(survey), ADD_PATH)
    proposal, taken = get_proposal(survey), list_taken_names()
    if proposal is not None:
        name = suggest_name(proposal.home, taken)
    else:
        assert survey.platform is not None
        name = number_name(survey.platform.value.lower(), taken)
    share = str(definition.rights.excerpt_share)
    return SourceChoices(name=name, title=definition.title, cron=definition.cron, share=share)


def parse_choices(survey: Survey, form: FormValues, default_zone: str) -> SourceChoices:
    """Return the choices in a form. Raise BadAddress for a value that the page does not offer."""
    zone = form.get_first("timezone").strip()[:64]
    first, proposal = make_first_choices(survey), get_proposal(survey)
    cron, share = form.get_first("cron") or first.cron, form.get_first("share") or first.share
    sample = _parse_number(form.get_first("do").removeprefix("sample:")) if "sample:" in form.get_first("do") else None
    sample = _parse_number(form.get_first("sample")) if sample is None else sample
    if cron not in {first.cron, *CRON_WORDS} or share not in SHARE_WORDS:
        raise BadAddress
    samples = proposal.samples if proposal else ()
    places = {name: _parse_number(form.get_first(f"place-{name}")) for name in CHOSEN_FIELDS}
    known = {name: len(list_places(samples, name)) for name in CHOSEN_FIELDS}
    if sample > max(len(samples) - 1, 0) or any(places[name] > known[name] for name in CHOSEN_FIELDS):
        raise BadAddress
    return SourceChoices(
        name=form.get_first("name").strip()[:64],
        title=form.get_first("title").strip()[:MAX_TEXT_LENGTH] or first.title,
        cron=cron,
        share=share,
        timezone="" if zone == default_zone else zone,
        sample=sample,
        places={name: number for name, number in places.items() if number},
    )


def _parse_number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > 3:
        raise BadAddress
    return int(text)


def list_places(samples: Sequence[SampleArticle], name: str) -> list[tuple[FieldPlace, int]]:
    """Return the places of a field that a definition can have, those that most samples have first."""
    counts = {
        place: each.pages for sample in samples for each in sample.fields[name].candidates if (place := each.place)
    }
    return sorted(counts.items(), key=lambda each: -each[1])[:MAX_OFFERED]


def make_definition(survey: Survey, choices: SourceChoices, *, is_enabled: bool = True) -> str:
    """Return the definition with a person's choices: a chosen place is a selector in `[fields]`."""
    text, first = get_definition(survey), make_first_choices(survey)
    changes: dict[str, Any] = {}
    if choices.title != first.title:
        changes["title"] = choices.title
    if choices.cron != first.cron:
        changes["cron"] = choices.cron
    if choices.share != first.share:
        changes["rights.excerpt_share"] = float(choices.share)
    if choices.timezone:
        changes["timezone"] = choices.timezone
    if not is_enabled:
        changes["enabled"] = False
    for name, place in list_chosen_places(survey, choices):
        changes[f"fields.{name}.css"] = place.css
        if place.attribute is not None:
            changes[f"fields.{name}.attribute"] = place.attribute
    return set_values(text, changes, f"sources/{choices.name}.toml")


def list_chosen_places(survey: Survey, choices: SourceChoices) -> Iterator[tuple[str, FieldPlace]]:
    """Yield the fields for which a place was chosen, with the place."""
    proposal = get_proposal(survey)
    if proposal is not None:
        for name, number in choices.places.items():
            yield name, list_places(proposal.samples, name)[number - 1][0]


def list_sample_pages(survey: Survey) -> list[Snapshot]:
    """Return the pages of the samples that are stored with the source."""
    proposal = get_proposal(survey)
    if proposal is None or survey.found is None:
        return []
    pages = survey.found.pages
    return [pages[sample.url] for sample in proposal.samples if sample.url in pages]


def save_source(newsroom: Newsroom, survey: Survey, choices: SourceChoices, *, is_enabled: bool) -> None:
    """Write the definition and the sample pages, as `crawler add --yes` does. Raise UsageError for a taken name."""
    raise_if_taken(choices.name)
    proposal = get_proposal(survey)
    memory = proposal.memory if proposal else {}
    definition = make_definition(survey, choices, is_enabled=is_enabled)
    with _reading_lock:
        write_new_source(choices.name, definition, memory, list_sample_pages(survey), newsroom.config)


def make_preview(newsroom: Newsroom, reader: Reader, survey: Survey, choices: SourceChoices) -> dict[str, Any]:
    """Return what the preview shows. `problem` says why the choices cannot be tried."""
    proposal = get_proposal(survey)
    if proposal is None:
        return {"proposal": None, "definition": get_definition(survey), "platform": survey.platform}
    read: Mapping[str, Article | CrawlerError] = {}
    problem = ""
    if choices.places:
        try:
            definition, pages = make_definition(survey, choices), list_sample_pages(survey)
            with _reading_lock:
                read = read_samples("preview", definition, proposal.memory, pages, newsroom.config)
        except UsageError as error:
            problem = str(error)
    sample = proposal.samples[choices.sample]
    return {
        "proposal": proposal,
        "sample": sample,
        "fields": [make_shown_field(reader, survey, choices, name, read) for name in SHOWN_FIELDS],
        "failures": [str(each) for each in read.values() if isinstance(each, CrawlerError)],
        "problem": problem,
    }


def make_shown_field(
    reader: Reader,
    survey: Survey,
    choices: SourceChoices,
    name: str,
    read: Mapping[str, Article | CrawlerError],
) -> ShownField:
    """Return a row of the preview: as the survey read the sample, or as the definition with the choices does."""
    proposal = get_proposal(survey)
    assert proposal is not None
    sample, samples = proposal.samples[choices.sample], proposal.samples
    own, chosen = sample.fields[name], choices.places.get(name, 0)
    offered = list_offered(survey, sample, name) if name in CHOSEN_FIELDS else []
    if chosen and read:
        texts = {url: _format_value(reader, article, name) for url, article in read.items()}
        value, count = texts.get(sample.url), sum(text is not None for text in texts.values())
        place = offered[chosen - 1].place
        origin = f"{place.css} [{place.attribute}]" if place.attribute else place.css
        return ShownField(
            name=name,
            value=value,
            origin=origin,
            warning=None,
            count=count,
            warned_count=0,
            offered=offered,
            chosen=chosen,
        )
    return ShownField(
        name=name,
        value=own.value,
        origin=own.origin,
        warning=own.warning,
        count=sum(each.fields[name].value is not None for each in samples),
        warned_count=sum(each.fields[name].warning is not None for each in samples),
        offered=offered,
        chosen=chosen,
    )


def list_offered(survey: Survey, sample: SampleArticle, name: str) -> list[OfferedPlace]:
    """Return the places of a field with what the shown sample has there."""
    proposal = get_proposal(survey)
    assert proposal is not None and survey.found is not None
    snapshot = survey.found.pages.get(sample.url)
    page = GenericPage(snapshot.text, snapshot.url) if snapshot else None
    offered = []
    for place, count in list_places(proposal.samples, name):
        value = read_place(page, name, place) if page else None
        shown = describe_body(value) if value and name == "body" else value
        offered.append(OfferedPlace(place=place, value=shown, count=count))
    return offered


def _format_value(reader: Reader, article: Article | CrawlerError, name: str) -> str | None:
    """Return a field of an article that was read, as the preview shows it."""
    if isinstance(article, CrawlerError):
        return None
    if name == "body":
        return describe_body(article.body) if article.body else None
    if name == "published_at":
        return reader.to_local(article.published_at).isoformat(timespec="minutes") if article.published_at else None
    return article.title
