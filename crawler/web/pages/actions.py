"""What a reader does with a story or an article: the state that pages show, and the forms that change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.items import Article
from crawler.store import Store
from crawler.store.reader_actions import ActionKind, ArticleAtVersion, ArticleMarks, ReaderAction
from crawler.store.reading_lists import ListedStory
from crawler.web.access import Principal, get_principal
from crawler.web.errors import BadAddress, PageMissing, RoleMissing
from crawler.web.forms import FormValues, parse_row_number
from crawler.web.newsroom import Newsroom
from crawler.web.rendering import PageRenderer, make_address

MAX_NOTE_LENGTH = 4000
MAX_TARGETS = 200
REPEAT_WINDOW = timedelta(seconds=10)
"""Time in which the same note by the same user is a second click on the button."""
OWN_KINDS = frozenset({ActionKind.SEEN, ActionKind.UNSEEN})
"""The actions of which only the reader who did them sees something."""
UNMARKED = ArticleMarks()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkState:
    """What readers made of a story or an article. `targets` are its articles at the version that the page shows.

    `notes` and `others` are the actions that are not undone, the oldest first. `others` has no seen marks of others.
    """

    targets: tuple[str, ...]
    is_unseen: bool
    is_important: bool
    is_false_alarm: bool
    assigned_to: str | None
    notes: tuple[ReaderAction, ...]
    others: tuple[ReaderAction, ...]


def make_work_state(
    shown: Sequence[ArticleAtVersion], marks: Mapping[str, ArticleMarks], actions: Iterable[ReaderAction]
) -> WorkState:
    """Return the state of the shown articles together: unseen if one of them is, important if one of them is."""
    ids = {each.article_id for each in shown}
    of_each = [(each, marks.get(each.article_id, UNMARKED)) for each in shown]
    by_batch = {(action.batch, action.kind): action for action in actions if action.article_id in ids}
    own = sorted(by_batch.values(), key=lambda action: action.id)
    return WorkState(
        targets=tuple(f"{each.article_id}~{each.version}" for each in shown[:MAX_TARGETS]),
        is_unseen=any(mark.seen_version < each.version for each, mark in of_each),
        is_important=any(mark.is_important for _, mark in of_each),
        is_false_alarm=any(mark.is_false_alarm for _, mark in of_each),
        assigned_to=next((mark.assigned_to for _, mark in of_each if mark.assigned_to), None),
        notes=tuple(action for action in own if action.kind is ActionKind.NOTE),
        others=tuple(action for action in own if action.kind is not ActionKind.NOTE),
    )


def get_work_states(store: Store, stories: Sequence[ListedStory], reader: str) -> dict[str, WorkState]:
    """Return the state of each listed story by the id of its newest article."""
    shown = {story.card.article_id: list_shown_articles(story) for story in stories}
    ids = {each.article_id for articles in shown.values() for each in articles}
    marks = store.reader_actions.get_marks(ids, reader)
    actions = store.reader_actions.list_by_articles(ids, reader=reader)
    return {name: make_work_state(articles, marks, actions) for name, articles in shown.items()}


def get_work_state(store: Store, shown: Sequence[ArticleAtVersion], reader: str) -> WorkState:
    """Return the state of the articles of one page."""
    ids = {each.article_id for each in shown}
    marks = store.reader_actions.get_marks(ids, reader)
    actions = store.reader_actions.list_by_articles(ids, reader=reader)
    return make_work_state(shown, marks, actions)


def list_news_versions(store: Store, articles: Iterable[Article]) -> list[ArticleAtVersion]:
    """Return shown articles at their last version that was news: a new reading of an old page is none."""
    found = []
    for article in articles:
        card, version = store.cards.get(article.id), article.version or 1
        found.append(ArticleAtVersion(article.id, min(version, card.version) if card else version))
    return found


def list_shown_articles(story: ListedStory) -> list[ArticleAtVersion]:
    """Return the articles of a listed story in which a rule found something, at the version that the list shows."""
    found = [ArticleAtVersion(each.article_id, each.version) for each in story.articles if each.version is not None]
    return found or [ArticleAtVersion(story.card.article_id, story.card.version)]


def record_action(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Write what a reader did, and return to the page."""
    try:
        kind = ActionKind(form.get_first("do"))
    except ValueError:
        raise BadAddress from None
    about, back = parse_targets(form.get_all("article")), form.get_back_address()
    note = form.get_first("note").strip()[:MAX_NOTE_LENGTH] if kind is ActionKind.NOTE else None
    if note == "":
        return RedirectResponse(back, 303)
    if kind is ActionKind.ASSIGNED:
        note = form.get_first("assignee") or None
        kind = ActionKind.ASSIGNED if note else ActionKind.UNASSIGNED
    principal = get_principal(request)
    repeated = find_repeated_note(site.newsroom, principal, about, note) if kind is ActionKind.NOTE else None
    batch = repeated or save_action(site.newsroom, principal, about, kind, note)
    return RedirectResponse(add_parameter(back, "done", batch) + form.get_anchor(), 303)


def undo_action(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Undo what a reader did, and return to the page."""
    batch = parse_row_number(form.get_first("batch"))
    if batch is None:
        raise BadAddress
    undo_batch(site.newsroom, get_principal(request), batch)
    return RedirectResponse(add_parameter(form.get_back_address(), "undone", 1) + form.get_anchor(), 303)


def save_action(
    newsroom: Newsroom, principal: Principal, about: Sequence[ArticleAtVersion], kind: ActionKind, note: str | None
) -> int:
    """Write what a user did with articles, and return its batch. All but seen and unseen needs an analyst.

    Raise RoleMissing, or PageMissing if none of the articles is stored, or no user has the name to assign them to.
    """
    if kind not in OWN_KINDS and not principal.is_analyst:
        raise RoleMissing
    if kind is ActionKind.ASSIGNED and note not in list_assignees(newsroom, principal):
        raise PageMissing(f"There is no user {note}.")
    batch = newsroom.store.reader_actions.record(about, kind, by=principal.name, at=datetime.now(UTC), note=note)
    if batch is None:
        raise PageMissing("None of the articles is stored.")
    newsroom.story_counts.clear()
    return batch


def find_repeated_note(
    newsroom: Newsroom, principal: Principal, about: Sequence[ArticleAtVersion], note: str | None
) -> int | None:
    """Return the batch of this note if the user has just added it to these articles, else None."""
    ids, since = {each.article_id for each in about}, datetime.now(UTC) - REPEAT_WINDOW
    found = [
        each
        for each in newsroom.store.reader_actions.list_by_articles(ids)
        if (each.kind, each.note, each.made_by) == (ActionKind.NOTE, note, principal.name) and each.made_at >= since
    ]
    return found[-1].batch if {each.article_id for each in found} == ids else None


def list_assignees(newsroom: Newsroom, principal: Principal) -> list[str]:
    """Return the names of the users who can work on an article, the principal first. Without users it is `local`."""
    names = [user.name for user in newsroom.store.users.list_all() if not user.is_disabled]
    return list(dict.fromkeys([principal.name, *names]))


def undo_batch(newsroom: Newsroom, principal: Principal, batch: int) -> None:
    """Undo what was done together. Only an owner may undo what another one did.

    Raise RoleMissing, or PageMissing if there is no such batch.
    """
    actions = newsroom.store.reader_actions
    found = actions.list_batch(batch)
    if not found:
        raise PageMissing(f"There is no action {batch}.")
    if not principal.is_owner and any(each.made_by != principal.name for each in found):
        raise RoleMissing("Only an owner may undo what another one did.")
    actions.undo(batch, at=datetime.now(UTC))
    newsroom.story_counts.clear()


def parse_targets(values: Sequence[str]) -> list[ArticleAtVersion]:
    """Return the articles that a form names. Raise BadAddress for another text, and for none."""
    found = []
    for value in values[:MAX_TARGETS]:
        article_id, _, version = value.rpartition("~")
        if not article_id or not (version.isascii() and version.isdecimal()):
            raise BadAddress
        found.append(ArticleAtVersion(article_id, int(version[:9])))
    if not found:
        raise BadAddress
    return found


def add_parameter(address: str, name: str, value: object) -> str:
    """Return an address of a page with one more parameter."""
    return f"{address}{'&' if '?' in address else '?'}{make_address('', {name: value})[1:]}"
