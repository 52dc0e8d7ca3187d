"""Routes of what readers do with articles: notes, seen, important, false alarm, and undo."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response

from crawler.roles import Role
from crawler.store.reader_actions import ActionKind, ArticleAtVersion, ReaderAction
from crawler.web.api.models import ActionPage, ActionResult, ActionRow
from crawler.web.api.parameters import ArticleId, ListParameters, RowNumber, format_cursor, parse_row_cursor
from crawler.web.api.routing import Context, answer_in_thread, make_router
from crawler.web.pages.actions import MAX_NOTE_LENGTH, MAX_TARGETS, save_action, undo_batch

router = make_router("notes and marks")


class ActionParameters(ListParameters):
    """The filters of the list of actions."""

    kind: ActionKind | None = None
    article: ArticleId | None = None


class ArticleTarget(BaseModel):
    """An article at the version that the reader had before them."""

    model_config = ConfigDict(extra="forbid")

    id: ArticleId
    version: RowNumber


class ActionRequest(BaseModel):
    """What to do with articles. A note needs `note`: its text. So does `assigned`: the name of the user."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    kind: ActionKind
    articles: Annotated[list[ArticleTarget], Field(min_length=1, max_length=MAX_TARGETS)]
    """Those that are not stored are skipped."""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTE_LENGTH)] | None = None

    @model_validator(mode="after")
    def check_note(self) -> ActionRequest:
        """Raise ValueError for a note without text, an assignment without a name, and another action with one."""
        if (self.kind in (ActionKind.NOTE, ActionKind.ASSIGNED)) != bool(self.note):
            raise ValueError("a `note` needs a text and `assigned` a name, and no other action has one")
        return self


@router.get("/actions", response_model=ActionPage)
@answer_in_thread(Role.READER)
def list_actions(context: Context, wanted: Annotated[ActionParameters, Query()]) -> ActionPage:
    """List what readers did with articles and did not undo, the newest first. `kind=note` lists the notes.

    Nobody sees which articles others have seen.
    """
    before = parse_row_cursor(wanted.cursor)
    found = context.newsroom.store.reader_actions.list_newest(
        wanted.limit + 1, before=before, kind=wanted.kind, article_id=wanted.article, reader=context.principal.name
    )
    shown = found[: wanted.limit]
    following = format_cursor(shown[-1].id) if len(found) > len(shown) else None
    return ActionPage(items=[_make_action_row(each) for each in shown], next=following)


@router.post("/actions", response_model=ActionResult, status_code=201)
@answer_in_thread(Role.READER)
def record_action(context: Context, wanted: ActionRequest) -> Response:
    """Mark articles as seen, important or a false alarm, assign them, or add a note.

    All but seen and unseen needs an analyst.
    """
    about = [ArticleAtVersion(each.id, each.version) for each in wanted.articles]
    batch = save_action(context.newsroom, context.principal, about, wanted.kind, wanted.note)
    return Response(ActionResult(batch=batch).model_dump_json(), 201, media_type="application/json")


@router.delete("/actions/{batch}", status_code=204, response_class=Response)
@answer_in_thread(Role.READER)
def undo_action(
    context: Context, batch: Annotated[RowNumber, Path(description="The number of the action.")]
) -> Response:
    """Undo an action. Only an owner may undo what another one did."""
    undo_batch(context.newsroom, context.principal, batch)
    return Response(status_code=204)


def _make_action_row(action: ReaderAction) -> ActionRow:
    return ActionRow(
        id=action.id,
        batch=action.batch,
        article=action.article_id,
        version=action.version,
        kind=action.kind,
        note=action.note,
        made_at=action.made_at,
        made_by=action.made_by,
    )
