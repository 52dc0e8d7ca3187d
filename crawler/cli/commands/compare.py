"""`crawler compare`: whether two articles are one text, one story, or neither, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crawler.errors import UsageError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.similarity.comparison import Document, Similarity
    from crawler.similarity.semantic import Embedding
    from crawler.store import Store

MAX_PASSAGE_LENGTH = 160


def compare(
    context: typer.Context,
    a: Annotated[str | None, typer.Argument(help="An article's id, its address, or a text file.")] = None,
    b: Annotated[str | None, typer.Argument(help="The other one.")] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help='Judge lines {"id", "a": {"url", "lang", "title"?, "text", "published"?}, "b": {…}} of the one file '
            "given, or of standard input.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for machines.")] = False,
) -> None:
    """Say whether two articles are the same text, the same story, or neither, and what speaks for it."""
    if jsonl:
        if b is not None:
            raise UsageError("compare --jsonl takes one file of pairs, not two.")
        for line in compare_lines(_read_text(a or "-"), a or "standard input", _load_embedding(context)):
            typer.echo(line)
    elif a is None or b is None:
        raise UsageError("compare needs two articles (ids, addresses or text files), or --jsonl FILE.")
    else:
        typer.echo(_compare_two(context, a, b, as_json))


def _load_embedding(context: typer.Context) -> Embedding | None:
    """What reads the meaning of texts, None where the owner does not want it."""
    from crawler.config import load_config
    from crawler.similarity.semantic import load_embedding

    return load_embedding() if load_config(context.obj).semantic else None


def compare_lines(text: str, file: str, embedding: Embedding | None = None) -> Iterator[str]:
    """A JSON line of the verdict for every JSON line of a text; UsageError names the line that cannot be read."""
    from crawler.similarity.comparison import compare_documents

    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"line {number} of {file}"
            pair = _parse_pair(line, where)
            found = compare_documents(
                _make_document(pair["a"], where, embedding), _make_document(pair["b"], where, embedding)
            )
            row = {"id": pair["id"], "verdict": found.verdict, "scores": found.scores}
            yield json.dumps(row, ensure_ascii=False)


def _parse_pair(line: str, where: str) -> dict[str, Any]:
    try:
        pair = json.loads(line)
    except ValueError as error:
        raise UsageError(f"The {where} is not JSON: {error}.") from error
    sides = [pair.get(side) for side in ("a", "b")] if isinstance(pair, dict) and "id" in pair else [None]
    if not all(isinstance(side, dict) and isinstance(side.get("text"), str) for side in sides):
        raise UsageError(f'The {where} needs "id", and "a" and "b" with a "text" each.')
    return dict(pair)


def _make_document(side: dict[str, Any], where: str, embedding: Embedding | None) -> Document:
    from crawler.similarity.comparison import make_document
    from crawler.similarity.url_identity import find_release_id

    for key in ("url", "title", "published"):
        if not isinstance(side.get(key), str | None):
            raise UsageError(f"The {where} has {key!r} that is no text.")
    day = _parse_day(side.get("published"))
    story = find_release_id(side.get("url"))
    return make_document(side["text"], title=side.get("title"), published=day, release_id=story, embedding=embedding)


def _parse_day(published: str | None) -> date | None:
    """The day a text was published, in the time zone it is written in; None where that is no ISO 8601 time."""
    try:
        return datetime.fromisoformat(published.strip()).date() if published else None
    except ValueError:
        return None


def _compare_two(context: typer.Context, a: str, b: str, as_json: bool) -> str:
    from crawler.config import load_config
    from crawler.similarity.comparison import compare_documents
    from crawler.store import open_store

    config, embedding = load_config(context.obj), _load_embedding(context)
    if Path(a).is_file() and Path(b).is_file():
        found = compare_documents(_document_from_file(a, embedding), _document_from_file(b, embedding))
    else:
        with open_store(config.database_url) as store:
            found = compare_documents(
                _find_document(a, store, config, embedding), _find_document(b, store, config, embedding)
            )
    if as_json:
        return json.dumps(similarity_to_dict(found), ensure_ascii=False)
    return format_similarity(found)


def _document_from_file(name: str, embedding: Embedding | None) -> Document:
    from crawler.similarity.comparison import make_document

    return make_document(_read_text(name), embedding=embedding)


def _find_document(name: str, store: Store, config: Config, embedding: Embedding | None) -> Document:
    """What a person calls an article: a file, an id, or an address that the store knows."""
    from crawler.similarity.documents import make_article_document

    if Path(name).is_file():
        return _document_from_file(name, embedding)
    article = store.articles.get(name)
    if article is None and "://" in name:
        article = next(iter(store.articles.list_by_url(name)), None)
    if article is None:
        raise UsageError(f"{name!r} is no text file, and no article of that id or address is in {store.name}.")
    return make_article_document(article, ZoneInfo(config.timezone), embedding)


def _read_text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The file {file} is not UTF-8 at byte {error.start}; convert it first.") from error


def similarity_to_dict(found: Similarity) -> dict[str, Any]:
    """A judgement as plain JSON values."""
    return {
        "verdict": found.verdict,
        "scores": found.scores,
        "shared": list(found.shared),
        "ignored": list(found.ignored),
        "common": list(found.common),
        "against": found.contradiction,
        "by_identity": found.is_one_release,
    }


def format_similarity(found: Similarity) -> str:
    """A judgement for a person: the verdict, its figures, the passages in common and those that did not count."""
    figures = "  ".join(f"{name} {value:g}" for name, value in found.scores.items())
    lines = [f"{found.verdict.replace('_', ' ')}", f"  {figures}"]
    if found.is_one_release:
        lines.append("  by address: versions of one release, whatever they have in common")
    if found.contradiction:
        lines.append(f"  against one story: {found.contradiction}")
    if found.common:
        lines.append(f"  in common: {', '.join(found.common)}")
    for name, passages in (("shared", found.shared), ("ignored", found.ignored)):
        lines += [f"  {name}: {' '.join(passage.split())[:MAX_PASSAGE_LENGTH]}" for passage in passages]
    return "\n".join(lines)
