"""Press review: choose a period, tick stories, put them in order, add a line of one's own, download the file.

The form carries what was done with the stories that it lists, so the page works without a script. Each button saves
it as the user's draft, in memory. Then the page is shown by an address, so that Back, a reload and another language
show the draft, also in another period.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.publish.builder import EntryBuilder
from crawler.publish.composed_review import StoryMove, compose_digest, move_story
from crawler.publish.digest import Digest, make_digest
from crawler.publish.digest_view import DigestView
from crawler.publish.phrases import OUTPUT_LANGUAGES, Phrases
from crawler.publish.press_review import load_style, write_review
from crawler.publish.press_review.layout import list_paragraphs, make_document
from crawler.publish.query import ArticleQuery
from crawler.text.dates import convert_to_zone
from crawler.web.access import get_principal
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues
from crawler.web.newsroom import Newsroom
from crawler.web.pages.article import make_download
from crawler.web.rendering import PageRenderer, Reader, make_address
from crawler.web.review_drafts import DRAFT_LIFETIME, Composition, ReviewDraft, ReviewPeriod
from crawler.web.translations import mark_message

REVIEW_PATH = "/review"
FORM_ACTIONS = ("collect", "update")
FIELD_FORMAT = "%Y-%m-%dT%H:%M"
DEFAULT_PERIOD = timedelta(days=1)
MAX_PERIOD = timedelta(days=31)
MAX_LISTED_STORIES = 100
"""Stories that a form has. A request may have 500 fields."""
MAX_LINE_LENGTH = 200
FORMS_OF_REVIEW = {"docx": ("docxtpl", "Word"), "pdf": ("reportlab", "PDF"), "html": ("", "HTML")}
"""The package that each form needs, and what its button says."""
CONTENT_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "application/octet-stream",
}
PERIOD_PROBLEMS = {
    "order": mark_message("The end must be after the beginning."),
    "future": mark_message("The end is in the future."),
    "length": mark_message("Choose at most 31 days."),
}


def show_review(site: PageRenderer, request: Request) -> Response:
    """Return the page with the stories of a period as the user's draft has them. Without a period: of the draft's."""
    reader, given = site.make_reader(request), request.query_params
    asked = [given.get(name, "") for name in ("since", "until", "language")]
    draft = site.newsroom.review_drafts.get(get_principal(request).name, reader.now)
    period = draft.period if draft and not any(asked) else parse_period(site.newsroom, reader, *asked)
    digest = None if period.problem else collect_digest(site.newsroom, period)
    return render_review(site, request, reader, period, digest, draft)


def compose_review(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Save the draft, then lead to the page or return the file of the review."""
    reader, newsroom, user = site.make_reader(request), site.newsroom, get_principal(request).name
    action, _, target = form.get_first("do").partition(":")
    if action == "forget":
        newsroom.review_drafts.delete(user)
        return RedirectResponse(REVIEW_PATH, 303)
    if action not in (*FORM_ACTIONS, *StoryMove, *FORMS_OF_REVIEW):
        raise BadAddress
    former = newsroom.review_drafts.get(user, reader.now)
    composition = apply_form(former, form)
    period = parse_form_period(newsroom, reader, form, "")
    wanted = parse_form_period(newsroom, reader, form, "wanted_") if action == "collect" else period
    digest = None
    if action in (*StoryMove, *FORMS_OF_REVIEW) and not period.problem:
        digest = collect_digest(newsroom, period)
    if digest and action in tuple(StoryMove):
        moved = move_story(digest, list_order(digest, composition), target, StoryMove(action))
        composition = composition.update(Composition(order=tuple(moved)))
    usable = next((each for each in (wanted, former.period if former else period) if not each.problem), None)
    if usable:
        draft = ReviewDraft(
            period=usable, composition=composition, changed_at=reader.now, form_id=form.get_first("form")
        )
        newsroom.review_drafts.save(user, draft)
    if digest and action in FORMS_OF_REVIEW:
        return download_review(newsroom, period, compose(digest, composition), action)
    return RedirectResponse(make_address(REVIEW_PATH, format_period(reader, wanted)), 303)


def parse_form_period(newsroom: Newsroom, reader: Reader, form: FormValues, prefix: str) -> ReviewPeriod:
    """Return the period that a form has: the one of its stories, or with a prefix the one that is asked for."""
    values = (form.get_first(prefix + name) for name in ("since", "until", "language"))
    return parse_period(newsroom, reader, *values)


def parse_period(newsroom: Newsroom, reader: Reader, since: str, until: str, language: str) -> ReviewPeriod:
    """Return the period of an address or a form: the last day without one. Raise BadAddress for what is no time."""
    # The fields of the page have whole minutes. The minute that is running counts.
    now = reader.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    try:
        end = convert_to_zone(datetime.fromisoformat(until), newsroom.zone) if until else now
        begin = convert_to_zone(datetime.fromisoformat(since), newsroom.zone) if since else end - DEFAULT_PERIOD
        begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadAddress from None
    if language and language not in OUTPUT_LANGUAGES:
        raise BadAddress
    problem = "order" if begin >= end else "future" if end > now else None
    problem = problem or ("length" if end - begin > MAX_PERIOD else None)
    return ReviewPeriod(begin=begin, end=end, language=language or reader.language, problem=problem)


def apply_form(former: ReviewDraft | None, form: FormValues) -> Composition:
    """Return the composition with what a form says. Of a form that is older than the draft, only what was changed.

    The form that changed the draft last may do so again: a download leaves it open.
    """
    if former is None:
        return parse_composition(form)
    if former.form_id == form.get_first("form"):
        return former.composition.update(parse_composition(form))
    return former.composition.apply_changes(parse_shown_composition(form), parse_composition(form))


def parse_shown_composition(form: FormValues) -> Composition:
    """Return what a form had of the composition when it was made."""
    shown = FormValues(parse_qs(form.get_first("shown"), keep_blank_values=True))
    return parse_composition(shown)


def format_shown_composition(order: Sequence[str], chosen: Collection[str], lines: Mapping[str, str]) -> str:
    """Return what a form has of the composition, for a field of it."""
    fields = [("order", name) for name in order]
    fields += [("in", name) for name in order if name in chosen]
    fields += [(f"line-{number}", lines[name]) for number, name in enumerate(order) if lines.get(name)]
    return urlencode(fields)


def parse_composition(form: FormValues) -> Composition:
    """Return what a form has of the composition."""
    order, ticked = tuple(form.get_all("order")[:MAX_LISTED_STORIES]), set(form.get_all("in"))
    lines = {
        name: " ".join(form.get_first(f"line-{number}").split())[:MAX_LINE_LENGTH] for number, name in enumerate(order)
    }
    return Composition(order=order, ticks={name: name in ticked for name in order}, lines=lines)


def collect_digest(newsroom: Newsroom, period: ReviewPeriod) -> Digest:
    """Return what the store has of the period."""
    builder = EntryBuilder(newsroom.config, newsroom.store, language=period.language)
    return make_digest(
        builder, newsroom.store, newsroom.config, ArticleQuery(), period.begin, period.end, language=period.language
    )


def list_order(digest: Digest, composition: Composition) -> list[str]:
    """Return the names of all stories: those of the draft in its order, then those that it does not have."""
    known = [story.entry.id for story in digest.candidates]
    return list(dict.fromkeys([*(name for name in composition.order if name in known), *known]))


def list_old_stories(digest: Digest) -> set[str]:
    """Return the names of the stories that were published long before the period and only found in it."""
    return {story.entry.id for story in digest.stories if digest.is_old(story.entry)}


def compose(digest: Digest, composition: Composition) -> Digest:
    """Return the digest as the person composed it.

    A story that no form had yet is ticked, unless it is old, or its text is again the former one.
    """
    unticked = list_old_stories(digest).union(story.entry.id for story in digest.put_back)
    order = list_order(digest, composition)
    chosen = [name for name in order if composition.ticks.get(name, name not in unticked)]
    return compose_digest(digest, chosen, composition.lines)


def make_view(newsroom: Newsroom, period: ReviewPeriod, digest: Digest) -> DigestView:
    """Return the review in words."""
    return DigestView(digest, Phrases(period.language, newsroom.zone), made=datetime.now(UTC))


def render_review(
    site: PageRenderer,
    request: Request,
    reader: Reader,
    period: ReviewPeriod,
    digest: Digest | None,
    draft: ReviewDraft | None,
) -> Response:
    """Return the page. Without a digest it only says what is wrong with the period."""
    newsroom, composition = site.newsroom, draft.composition if draft else Composition()
    shown = compose(digest, composition) if digest else None
    order = list_order(digest, composition) if digest else []
    chosen = frozenset(story.entry.id for story in shown.stories) if shown else frozenset()
    return site.render(
        request,
        "review.html",
        reader=reader,
        period=format_period(reader, period),
        problem=reader.translate(PERIOD_PROBLEMS[period.problem]) if period.problem else None,
        listed=make_view(newsroom, period, compose_all(digest, composition)) if digest else None,
        paragraphs=list(list_paragraphs(make_document(make_view(newsroom, period, shown)))) if shown else [],
        order=order,
        chosen=chosen,
        form_id=secrets.token_urlsafe(6),
        shown=format_shown_composition(order[:MAX_LISTED_STORIES], chosen, composition.lines),
        old=list_old_stories(digest) if digest else frozenset(),
        forms=list_forms(),
        max_listed=MAX_LISTED_STORIES,
        max_line=MAX_LINE_LENGTH,
        draft=draft,
        kept_time=DRAFT_LIFETIME,
    )


def format_period(reader: Reader, period: ReviewPeriod) -> dict[str, str]:
    """Return what the fields of a form have of a period."""
    since, until = (reader.to_local(at).strftime(FIELD_FORMAT) for at in (period.begin, period.end))
    return {"since": since, "until": until, "language": period.language}


def compose_all(digest: Digest, composition: Composition) -> Digest:
    """Return the digest with all stories, in the order and with the lines of the person."""
    return compose_digest(digest, list_order(digest, composition), composition.lines)


def list_forms() -> Sequence[tuple[str, str, bool]]:
    """Return name, words and availability of each form of the file."""
    return [
        (name, words, not package or find_spec(package) is not None)
        for name, (package, words) in FORMS_OF_REVIEW.items()
    ]


def download_review(newsroom: Newsroom, period: ReviewPeriod, digest: Digest, form: str) -> Response:
    """Return the file of the review. Raise UsageError if the package of its form is not installed."""
    name = f"press-review-{period.end.astimezone(newsroom.zone):%Y-%m-%d}.{form}"
    with tempfile.TemporaryDirectory(prefix="crawler-review-") as folder:
        path = Path(folder) / name
        write_review(path, make_view(newsroom, period, digest), load_style(newsroom.config))
        data = path.read_bytes()
    return make_download(data, name, CONTENT_TYPES[form])
