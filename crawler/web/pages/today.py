"""Today: the stories, newest first, with filters that are in the address. Days without a match are listed as well."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from crawler.items import Verdict
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.store.reading_lists import (
    MAX_COUNTED_STORIES,
    ListedStory,
    ListPlace,
    StoryFilter,
    StoryStatus,
)
from crawler.web.access import get_principal
from crawler.web.errors import BadAddress
from crawler.web.newsroom import Newsroom
from crawler.web.pages.actions import WorkState, get_work_states
from crawler.web.rendering import COOKIE_SECONDS, PageRenderer, Reader, list_chips, make_address
from crawler.web.translations import mark_message

Part = TypeVar("Part")
STORIES_PER_PAGE = 20
MAX_PARAMETER_LENGTH = 200
MAX_DRAWN_PARTS = 1000
"""Rows and lists of filters that are kept, of about 3 kB each."""
FIELDS_PLACE = Markup(f"<!-- {secrets.token_hex(16)} -->")
"""Marks, in a drawn row, the place of the fields that differ from page to page. No article's text can have it."""
VISIT_COOKIE = "visit"
MAX_VISIT_PAUSE = timedelta(minutes=30)
"""After a longer pause the reader was away: a new visit begins."""
STATUS_WORDS: dict[StoryStatus | None, str] = {
    None: mark_message("All stories"),
    StoryStatus.UNSEEN: mark_message("Unseen"),
    StoryStatus.NEW: mark_message("New"),
    StoryStatus.REVISED: mark_message("Revised"),
    StoryStatus.UNPUBLISHED: mark_message("Taken down"),
    StoryStatus.IMPORTANT: mark_message("Important"),
    StoryStatus.ASSIGNED: mark_message("Assigned to me"),
    StoryStatus.FALSE_ALARM: mark_message("False alarms"),
    StoryStatus.WEAK: mark_message("Weak matches only"),
}
FACET_WORDS = {
    "status": mark_message("State"),
    "rule": mark_message("Rule"),
    "source": mark_message("Source"),
    "language": mark_message("Language"),
}


class FacetChoice(NamedTuple):
    """One choice of a filter: the list that it leads to, its words and its address, and whether it is in force."""

    filter: StoryFilter
    label: str
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """One choice of a filter: its words, its address, how many stories it has, and whether it is in force."""

    label: str
    address: str
    count: str
    is_empty: bool
    is_current: bool


class FacetPanel(NamedTuple):
    """The filters beside a list as HTML, and the choices in force."""

    html: Markup
    chips: list[FacetValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietDays:
    """Days without a match, from `first` to `last`: how many articles were read, and which sources were not.

    `matched_count` of the articles that were read are listed under a later day: they were changed or found later, or
    their story has newer articles. `unread` is None where no live run had begun by then, so that nothing can be said.
    """

    first: datetime
    last: datetime
    read_count: int
    matched_count: int
    unread: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsDay:
    """A day with stories. `begins_at` is its midnight (aware), `quiet` the days without a match before it."""

    begins_at: datetime
    read_count: int
    stories: tuple[ListedStory, ...]
    quiet: QuietDays | None


class StoryRow(NamedTuple):
    """The HTML of a story in the list: before and after the fields of its form that differ from page to page."""

    before: str
    after: str

    def fill(self, fields: Markup) -> Markup:
        """Return the row with these fields."""
        return Markup(f"{self.before}{fields}{self.after}")


class Visit(NamedTuple):
    """When the reader was last here before this visit (None: never), and when this visit's newest page was read."""

    previous: datetime | None
    last: datetime

    def format(self) -> str:
        """Return the value of the cookie."""
        return "~".join(at.isoformat() if at else "" for at in self)


def show_today(site: PageRenderer, request: Request) -> Response:
    """Return the page of stories."""
    newsroom, reader = site.newsroom, site.make_reader(request)
    wanted, behind = parse_filter(request), parse_place(request.query_params.get("before"))
    found = newsroom.store.reading_lists.list_stories(wanted, STORIES_PER_PAGE + 1, behind=behind)
    stories = found[:STORIES_PER_PAGE]
    if not stories and behind is None and newsroom.store.is_empty():
        return site.render(request, "first_visit.html", reader=reader)
    is_filtered = wanted != StoryFilter(reader=get_principal(request).name)
    facets = draw_facets(site, reader, wanted)
    days = list(group_by_day(newsroom, stories, behind, reader.now, with_quiet_days=not is_filtered))
    older = None
    if len(found) > len(stories):
        card = stories[-1].card
        place = f"{card.active_at.astimezone(UTC).isoformat()}~{card.article_id}"
        older = make_address("/", {**_to_parameters(wanted), "before": place})
    visit = parse_visit(request.cookies.get(VISIT_COOKIE), reader.now)
    response = site.render(
        request,
        "today.html",
        reader=reader,
        days=days,
        facets=facets,
        today=_get_midnight(newsroom, reader.now.astimezone(newsroom.zone).date()),
        is_filtered=is_filtered,
        newest=make_address("/", _to_parameters(wanted)) if behind else None,
        older=older,
        rows=draw_rows(site, reader, stories, get_work_states(newsroom.store, stories, get_principal(request).name)),
        since=wanted.since,
        without_since=make_address("/", {**_to_parameters(wanted), "since": None}),
        visit=visit.previous,
        news=count_news(newsroom, reader, visit.previous, get_principal(request).name) if visit.previous else [],
        line_before=find_line(stories, visit.previous) if behind is None else None,
    )
    if request.cookies.get(VISIT_COOKIE) != visit.format():  # an answer that sets a cookie is not remembered
        response.set_cookie(VISIT_COOKIE, visit.format(), COOKIE_SECONDS, httponly=True, samesite="lax")
    return response


def draw_rows(
    site: PageRenderer, reader: Reader, stories: Sequence[ListedStory], work: Mapping[str, WorkState]
) -> dict[str, StoryRow]:
    """Return the row of each story by the id of its newest article.

    Rows take most of a page's time. One depends only on what is in its key, so it is drawn once for many pages.
    """
    drawn = site.newsroom.drawn_parts
    revised = [story.card.article_id for story in stories if story.card.verdict is Verdict.REVISED]
    lists = site.newsroom.store.reading_lists
    changes = lists.get_recent_changes(revised)
    origins = lists.get_origins([story.card.article_id for story in stories])
    shared = (reader.language, reader.is_analyst, reader.to_local(reader.now).date())
    rows = {}
    for story in stories:
        own, missing = work[story.card.article_id], find_missing_languages(site.newsroom, story)
        change, origin = changes.get(story.card.article_id), origins[story.card.article_id]
        values = {"story": story, "own": own, "missing_languages": missing, "change": change, "origin": origin}
        draw = partial(_draw_row, site, reader, values)
        rows[story.card.article_id] = remember_drawn(drawn, (shared, *values.values()), draw)
    return rows


def _draw_row(site: PageRenderer, reader: Reader, values: Mapping[str, Any]) -> StoryRow:
    text = site.fill_template("story_row.html", reader, **values, page_fields=FIELDS_PLACE)
    return StoryRow(*text.split(FIELDS_PLACE))


def parse_visit(text: str | None, now: datetime) -> Visit:
    """Return the visit of a request, by the cookie of the one before. After half an hour a new visit begins."""
    now = now.replace(second=0, microsecond=0)
    try:
        previous, last = (parse_moment(part) if part else None for part in (text or "").split("~"))
    except ValueError:
        return Visit(None, now)
    if last is None or last > now:
        return Visit(None, now)
    is_new = now - last > MAX_VISIT_PAUSE
    return Visit(last if is_new else previous, now)


def count_news(newsroom: Newsroom, reader: Reader, since: datetime, name: str) -> list[FacetValue]:
    """Return how many stories are new, revised and taken down since then, each with the address of its list."""
    found = []
    for status in (StoryStatus.NEW, StoryStatus.REVISED, StoryStatus.UNPUBLISHED):
        wanted = StoryFilter(status=status, since=since, reader=name)
        choice = FacetChoice(wanted, reader.translate(STATUS_WORDS[status]), _make_list_address(wanted), False)
        found.append(_make_facet_value(reader, choice, newsroom.story_counts.get(wanted)))
    return found


def find_line(stories: Sequence[ListedStory], visit: datetime | None) -> str | None:
    """Return the article before which the line of the last visit is drawn. None without a newer story above it."""
    if visit is None:
        return None
    older = [story.card.article_id for story in stories if story.card.active_at < visit]
    return older[0] if older and older[0] != stories[0].card.article_id else None


def parse_filter(request: Request) -> StoryFilter:
    """Return the filter in an address. Raise BadAddress for a status that there is not, and for what is no time."""
    rule, source, language, status = (
        request.query_params.get(name, "")[:MAX_PARAMETER_LENGTH] or None
        for name in ("rule", "source", "language", "status")
    )
    try:
        chosen = StoryStatus(status) if status else None
        since = parse_moment(text) if (text := request.query_params.get("since")) else None
        return StoryFilter(
            rule=rule,
            source=source,
            language=language,
            status=chosen,
            since=since,
            reader=get_principal(request).name,
        )
    except ValueError:
        raise BadAddress from None


def parse_place(text: str | None) -> ListPlace | None:
    """Return the place that an address continues from. Raise BadAddress for another text."""
    if not text:
        return None
    moment, _, article_id = text.partition("~")
    try:
        at = parse_moment(moment)
    except ValueError:
        raise BadAddress from None
    if not article_id:
        raise BadAddress
    return ListPlace(at, article_id)


def parse_moment(text: str) -> datetime:
    """Return a time in UTC. Raise ValueError for one without a zone, and at the ends of the calendar.

    There, a day less or another zone would be no time any more.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not MINYEAR < at.year < MAXYEAR:
        raise ValueError("the time has no zone, or is out of range")
    return at.astimezone(UTC)


def find_missing_languages(newsroom: Newsroom, story: ListedStory) -> tuple[str, ...]:
    """Return the languages that the source of a story's newest article publishes in, and the story does not have."""
    profile = newsroom.profiles.get(story.card.source)
    present = {each.language for each in story.articles if each.source == story.card.source}
    return tuple(each for each in profile.languages if each not in present) if profile else ()


def draw_facets(site: PageRenderer, reader: Reader, wanted: StoryFilter) -> FacetPanel:
    """Return the filters with their choices. It is drawn once for many pages, as long as no number changes."""
    newsroom, drawn = site.newsroom, site.newsroom.drawn_parts
    shared = (reader.language, wanted)
    facets = remember_drawn(drawn, ("choices", *shared), lambda: list_facets(newsroom, reader, wanted))
    numbers = tuple(newsroom.story_counts.get(choice.filter) for _, choices in facets for choice in choices)

    def draw() -> FacetPanel:
        left = iter(numbers)
        shown = [
            (title, [_make_facet_value(reader, choice, next(left)) for choice in choices]) for title, choices in facets
        ]
        html = Markup(site.fill_template("facets.html", reader, facets=shown))
        return FacetPanel(html, list_chips(wanted, FACET_WORDS, shown))

    return remember_drawn(drawn, ("facets", *shared, numbers), draw)


def remember_drawn(drawn: dict[Hashable, Any], key: Hashable, draw: Callable[[], Part]) -> Part:
    """Return a part of a page that depends only on its key, as it was drawn before, or draw it."""
    found: Part | None = drawn.get(key)
    if found is None:
        found = draw()
        if len(drawn) >= MAX_DRAWN_PARTS:
            drawn.clear()
        drawn[key] = found
    return found


def list_facets(newsroom: Newsroom, reader: Reader, wanted: StoryFilter) -> list[tuple[str, list[FacetChoice]]]:
    """Return the filters with their choices."""
    choices: dict[str, list[tuple[Any, str]]] = {
        "status": [(value, reader.translate(word)) for value, word in STATUS_WORDS.items()],
        "rule": [(name, reader.name_rule(name)) for name in newsroom.list_rule_names()],
        "source": [(name, reader.name_source(name)) for name in newsroom.profiles],
        "language": [(name, reader.name_language(name)) for name in OUTPUT_LANGUAGES],
    }
    return [
        (reader.translate(FACET_WORDS[name]), [_make_facet_choice(wanted, name, *choice) for choice in of_facet])
        for name, of_facet in choices.items()
    ]


def _make_list_address(wanted: StoryFilter) -> str:
    return make_address("/", _to_parameters(wanted))


def _make_facet_choice(wanted: StoryFilter, name: str, value: Any, label: str) -> FacetChoice:
    change: dict[str, Any] = {name: value}
    chosen, is_current = replace(wanted, **change), getattr(wanted, name) == value
    # A second click on a choice removes it.
    change[name] = None
    target = replace(wanted, **change) if is_current else chosen
    return FacetChoice(chosen, label, _make_list_address(target), is_current)


def _make_facet_value(reader: Reader, choice: FacetChoice, number: int) -> FacetValue:
    is_more = number > MAX_COUNTED_STORIES
    return FacetValue(
        label=choice.label,
        address=choice.address,
        count=f"{reader.format_numbers([MAX_COUNTED_STORIES])}+" if is_more else str(number),
        is_empty=number == 0,
        is_current=choice.is_current,
    )


def _to_parameters(wanted: StoryFilter) -> dict[str, object]:
    found: dict[str, object] = {name: getattr(wanted, name) for name in ("status", "rule", "source", "language")}
    return {**found, "since": wanted.since.isoformat() if wanted.since else None}


def group_by_day(
    newsroom: Newsroom,
    stories: Sequence[ListedStory],
    behind: ListPlace | None,
    now: datetime,
    *,
    with_quiet_days: bool,
) -> Iterator[NewsDay]:
    """Yield the days of a page, the newest first, each after the days without a match that are newer."""
    zone, lists = newsroom.zone, newsroom.store.reading_lists
    following = (behind.active_at if behind else now + timedelta(days=1)).astimezone(zone).date()
    for day, of_day in groupby(stories, key=lambda story: story.card.active_at.astimezone(zone).date()):
        quiet = None
        if with_quiet_days and (following - day).days > 1:
            quiet = _describe_quiet_days(newsroom, day + timedelta(days=1), following)
        begin, end = _get_midnight(newsroom, day), _get_midnight(newsroom, day + timedelta(days=1))
        yield NewsDay(begins_at=begin, read_count=lists.count_read(begin, end), stories=tuple(of_day), quiet=quiet)
        following = min(day, following)


def _describe_quiet_days(newsroom: Newsroom, first: date, end: date) -> QuietDays:
    """Return what was read in days without a match, from `first` until before `end`."""
    lists = newsroom.store.reading_lists
    begins_at, ends_at = _get_midnight(newsroom, first), _get_midnight(newsroom, end)
    unread, first_run_at = None, lists.get_first_run_time()
    if first_run_at is not None and first_run_at < ends_at:
        read = {source for source, _ in lists.list_good_runs(begins_at, ends_at)}
        unread = tuple(name for name in newsroom.list_watched_sources() if name not in read)
    last = _get_midnight(newsroom, end - timedelta(days=1))
    return QuietDays(
        first=begins_at,
        last=last,
        read_count=lists.count_read(begins_at, ends_at),
        matched_count=lists.count_matched(begins_at, ends_at),
        unread=unread,
    )


def _get_midnight(newsroom: Newsroom, day: date) -> datetime:
    return datetime.combine(day, time(), newsroom.zone)
