"""`crawler compare`: decide whether two articles are one text, one story, or neither, and say why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli.console import is_file_name, list_lines, parse_json_line, print_json, read_text
from crawler.cli.options import JsonOption
from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.similarity.comparison import Similarity
    from crawler.similarity.documents import Document
    from crawler.similarity.semantic import Embedding
    from crawler.store import Store

SENTENCES = {
    "exact": "Both texts have the same words.",
    "near_duplicate": "They are one text, which one of them shortens, extends or edits.",
    "same_story": "They report one event in different words.",
    "different": "They have too little in common to report one event.",
}
"""What each relation means, by its name."""
MAX_PASSAGE_LENGTH = 160
"""Characters shown of a passage."""


def compare(
    context: typer.Context,
    a: Annotated[
        str | None, typer.Argument(metavar="A", help="Article id, URL, the source's number for it, or text file.")
    ] = None,
    b: Annotated[str | None, typer.Argument(metavar="B", help="The article to compare with A.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Compare the pairs of a JSON Lines file A, or of standard input.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two articles: one text, one story, or neither.

    Each line of a --jsonl file is {"id", "a": {"url", "lang", "title"?, "text", "published"?}, "b": {…}}.
    """
    from crawler.config import load_config
    from crawler.similarity.semantic import load_embedding

    config = load_config(context.obj)
    model = load_embedding() if config.semantic else None
    if jsonl:
        if b is not None:
            raise UsageError("compare --jsonl takes one file of pairs, not two.")
        for line in compare_lines(read_text(a or "-"), a or "-", model):
            typer.echo(line)
    elif a is None or b is None:
        raise UsageError("compare needs two articles (ids, URLs or text files), or --jsonl FILE.")
    else:
        similarity = _compare_two(config, a, b, model)
        if as_json:
            print_json(similarity_to_dict(similarity))
        else:
            typer.echo(format_similarity(similarity))


def compare_lines(text: str, file: str, embedding: Embedding | None = None) -> Iterator[str]:
    """Yield a JSON line with the relation for each JSON line of a text. Raise UsageError that names a bad line."""
    from crawler.similarity.comparison import compare_documents

    for where, line in list_lines(text, file):
        pair = _parse_pair(line, where)
        similarity = compare_documents(
            _make_document(pair["a"], where, embedding), _make_document(pair["b"], where, embedding)
        )
        row = {"id": pair["id"], "verdict": similarity.relation, "scores": similarity.scores}
        yield json.dumps(row, ensure_ascii=False)


def _parse_pair(line: str, where: str) -> dict[str, Any]:
    pair = parse_json_line(line, where)
    sides = [pair.get(side) for side in ("a", "b")] if isinstance(pair, dict) and "id" in pair else [None]
    if not all(isinstance(side, dict) and isinstance(side.get("text"), str) for side in sides):
        raise UsageError(f'The {where} needs "id", and "a" and "b" with a "text" each.')
    return dict(pair)


def _make_document(side: dict[str, Any], where: str, embedding: Embedding | None) -> Document:
    from crawler.similarity.documents import make_document
    from crawler.similarity.url_identity import find_release_id

    for key in ("url", "title", "published"):
        if not isinstance(side.get(key), str | None):
            raise UsageError(f"In the {where}, {key!r} is not a text.")
    day = _parse_day(side.get("published"))
    story = find_release_id(side.get("url"))
    return make_document(side["text"], title=side.get("title"), published=day, release_id=story, embedding=embedding)


def _parse_day(published: str | None) -> date | None:
    """Return the day of an ISO 8601 time, in the time's own time zone, or None for any other text."""
    try:
        return datetime.fromisoformat(published.strip()).date() if published else None
    except ValueError:
        return None


def _compare_two(config: Config, a: str, b: str, embedding: Embedding | None) -> Similarity:
    from crawler.context.configured_store import open_configured_store
    from crawler.similarity.comparison import compare_documents

    if is_file_name(a) and is_file_name(b):
        return compare_documents(_read_document(a, embedding), _read_document(b, embedding))
    with open_configured_store(config) as store:
        documents = [_find_document(name, store, config, embedding) for name in (a, b)]
    return compare_documents(documents[0], documents[1])


def _read_document(file: str, embedding: Embedding | None) -> Document:
    from crawler.similarity.documents import make_document

    return make_document(read_text(file), embedding=embedding)


def _find_document(name: str, store: Store, config: Config, embedding: Embedding | None) -> Document:
    """Return the text that a file name, an article id, a stored URL or the source's number names.

    Raise UsageError when there is none, or when the number is that of several articles.
    """
    from crawler.cli.selection import find_article_ids, resolve_article
    from crawler.similarity.documents import make_article_document
    from crawler.text.dates import load_time_zone

    if is_file_name(name):
        return _read_document(name, embedding)
    article = next(iter(store.articles.list_by_url(name)), None) if "://" in name else None
    if article is None and not find_article_ids(store, name, config):
        raise UsageError(
            f"{name!r} is no text file, and no article of that id, address or number is in {store.name}. "
            "`crawler articles` lists them."
        )
    article = article or store.articles.get(resolve_article(store, name, config))
    assert article is not None
    return make_article_document(article, load_time_zone(config.timezone), embedding)


def similarity_to_dict(similarity: Similarity) -> dict[str, Any]:
    """Return a similarity as JSON values."""
    return {
        "verdict": similarity.relation,
        "scores": similarity.scores,
        "shared": list(similarity.shared),
        "ignored": list(similarity.ignored),
        "common": list(similarity.common),
        "against": similarity.contradiction,
        "by_identity": similarity.is_one_release,
    }


def format_similarity(similarity: Similarity) -> str:
    """Return the relation, a sentence that explains it, the shared passages and the ignored ones as lines."""
    lines = [f"{similarity.relation.replace('_', ' ')}", f"  {SENTENCES[similarity.relation]}"]
    if similarity.is_one_release:
        lines.append("  by URL: two versions of one press release, whatever their texts have in common")
    if similarity.contradiction:
        lines[1] = "  They have much in common, but report two events."
        lines.append(f"  against one story: {similarity.contradiction}")
    for name, passages in (("shared", similarity.shared), ("ignored", similarity.ignored)):
        lines += [f"  {name}: {' '.join(passage.split())[:MAX_PASSAGE_LENGTH]}" for passage in passages]
    return "\n".join(lines)
