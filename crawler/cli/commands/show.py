"""`crawler show`: read one article as it is stored, with what is known about it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.commands.versions import format_version, version_to_dict
from crawler.cli.console import format_local_time, format_text_removal, list_doubts, print_json
from crawler.cli.options import MAX_COUNT, ArticleArgument, JsonOption
from crawler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crawler.config import Config
    from crawler.items import Article, Rights
    from crawler.revisions.revision_diff import RevisionDiff
    from crawler.store import Store, StoredStory

MARK = "*"
LABEL_WIDTH = 12


def show(
    context: typer.Context,
    article: ArticleArgument,
    version: Annotated[
        int | None, typer.Option(min=1, max=MAX_COUNT, metavar="N", help="This version. Default: the current one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show an article's text, with the words that rules matched.

    After it: its versions, copies and story, where each field was on the page, and what its source permits. On a
    terminal a pager shows it.
    """
    import click

    from crawler.cli.selection import resolve_article
    from crawler.config import load_config
    from crawler.context.configured_store import open_configured_store

    config = load_config(context.obj)
    with open_configured_store(config) as store:
        article_id = resolve_article(store, article, config)
        versions = store.versions.list_by_article(article_id)
        changes = store.diffs.list_by_article(article_id, versions)
        shown = choose_version(versions, version)
        story_id = store.stories.get_id_by_article(article_id)
        story = store.stories.get(story_id) if story_id is not None else None
        if as_json:
            print_json(article_to_dict(config, shown, versions, changes, story))
            return
        lines = list(format_article(config, store, shown, versions, changes, story))
    click.echo_via_pager("\n".join(lines) + "\n")


def choose_version(versions: Sequence[Article], number: int | None) -> Article:
    """Return the version of this number, or the newest. Raise UsageError if there is none of this number."""
    found = versions[-1] if number is None else next((each for each in versions if each.version == number), None)
    if found is None:
        known = ", ".join(str(each.version) for each in versions)
        raise UsageError(f"{versions[-1].id} has no version {number}. Its versions: {known}.")
    return found


def format_article(
    config: Config,
    store: Store,
    article: Article,
    versions: Sequence[Article],
    changes: Sequence[RevisionDiff | None],
    story: StoredStory | None,
) -> Iterator[str]:
    """Yield the lines of an article: head, text with marked matches, and what is known about it."""
    from crawler import spiders
    from crawler.publish.builder import make_rights_registry

    state = store.articles.get_state(article.id)
    when = format_local_time(article.published_at, config.timezone) if article.published_at else "no date"
    facts = (spiders.get_title(article.source), article.language or "unknown language", when, article.section)
    yield mark_field(article, "title") or article.headline
    yield " · ".join(filter(None, (*facts, article.place, article.author)))
    yield state.url if state else article.url
    yield ""
    if article.lead:
        yield from (mark_field(article, "lead"), "")
    yield from (format_text_removal(article, config.timezone) or mark_field(article, "body")).split("\n")
    yield ""
    yield from _format_row("article", article.id)
    yield from _format_row("shown", format_version(article, config.timezone))
    for each, change in zip(versions, changes, strict=True):
        if len(versions) > 1:
            judged = f"  {change.severity}: {change.reason}" if change else ""
            yield from _format_row("version", format_version(each, config.timezone).removeprefix("version ") + judged)
    yield from _format_relations(article, story)
    yield from _format_matches(article)
    yield from (line for doubt in list_doubts(article) for line in _format_row("doubtful", doubt))
    yield from (line for row in article.provenance.items() for line in _format_row("provenance", ": ".join(row)))
    yield from _format_rights(make_rights_registry(config).get(article), article)


def mark_field(article: Article, field: str) -> str:
    """Return the text of a field with the words that rules matched between marks."""
    from crawler.publish.search import Snippet
    from crawler.text.spans import merge_spans

    text = article.texts[field] or ""
    spans = sorted({(match.start, match.end) for match in article.matches if match.field == field})
    return Snippet(field, text, tuple(merge_spans(spans))).format(MARK)


def _format_relations(article: Article, story: StoredStory | None) -> Iterator[str]:
    """Yield the articles with the same text, and the story."""
    members = story.members if story else ()
    cluster = next((member.cluster for member in members if member.article.id == article.id), None)
    copies = [member.article.id for member in members if member.cluster == cluster and member.article.id != article.id]
    if article.copy_of and article.copy_of not in copies:
        copies.insert(0, article.copy_of)
    yield from (line for copied in copies for line in _format_row("same text", copied))
    if story is not None:
        others = len(members) - 1
        yield from _format_row("story", f"{story.id}, with {others} more; `crawler story {story.id}` lists them")


def _format_matches(article: Article) -> Iterator[str]:
    by_rule = sorted(article.matches, key=lambda match: (match.rule, match.strength.value))
    for (rule, strength), group in groupby(by_rule, key=lambda match: (match.rule, match.strength)):
        matches = list(group)
        words = ", ".join(dict.fromkeys(match.surface for match in matches))
        reasons = "; ".join(dict.fromkeys(match.reason for match in matches if match.reason))
        yield from _format_row("match", f"{rule} ({strength}): {words}" + (f" – {reasons}" if reasons else ""))


def _format_rights(rights: Rights, article: Article) -> Iterator[str]:
    link = ", with a link" if rights.link_required else ""
    reference = f", reference: {rights.reference}" if rights.reference else ""
    yield from _format_row("rights", f"{rights.excerpt_share:.0%} of the text may be quoted{link}{reference}")
    if article.attribution:
        yield from _format_row("credit", article.attribution)
    if rights.wording:
        source = f" ({rights.source})" if rights.source else ""
        yield from _format_row("wording", rights.wording + source)


def _format_row(label: str, text: str) -> Iterator[str]:
    yield f"{label:{LABEL_WIDTH}} {text}"


def article_to_dict(
    config: Config,
    article: Article,
    versions: Sequence[Article],
    changes: Sequence[RevisionDiff | None],
    story: StoredStory | None,
) -> dict[str, Any]:
    """Return an article as JSON values, with its versions, the other articles of its story and today's rights."""
    from dataclasses import asdict

    from crawler.publish.builder import make_rights_registry

    cluster = {member.article.id: member.cluster for member in story.members} if story else {}
    others = [{"id": each, "same_text": number == cluster[article.id]} for each, number in cluster.items()]
    return article.to_dict() | {
        "current_version": versions[-1].version,
        "versions": [version_to_dict(each, change) for each, change in zip(versions, changes, strict=True)],
        "story": story.id if story else None,
        "story_articles": [each for each in others if each["id"] != article.id],
        "rights_today": asdict(make_rights_registry(config).get(article)),
    }
