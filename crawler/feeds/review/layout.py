"""A press review as paragraphs of runs: what Word and PDF both write, each in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from crawler.entries.digest import Told
from crawler.entries.entry import Entry
from crawler.entries.wording import Wording
from crawler.feeds.signs import NOT_XML
from crawler.rights import Piece


class Kind(StrEnum):
    """What a paragraph is."""

    TITLE = "title"
    PERIOD = "period"
    SOFT = "soft"
    NOTHING = "nothing"
    CONTENTS = "contents"
    CONTENTS_PART = "contents part"
    CONTENTS_STORY = "contents story"
    PART = "part"
    STORY = "story"
    TEXT = "text"
    CHANGE = "change"
    ITEM = "item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of one look. `url` is an address, or `#` and an anchor; `language` is that of the text."""

    text: str
    strong: bool = False
    italic: bool = False
    marked: bool = False
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph; `anchor` is what links lead to. `stays` keeps it on one page with the next."""

    kind: Kind
    runs: tuple[Run, ...]
    anchor: str | None = None
    stays: bool = False

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(run.text for run in self.runs)


def paragraphs(say: Wording) -> list[Paragraph]:
    """The whole review, in order; a story stays on one page, and so does the end."""
    parts = [list(_head(say)), *_parts(say), _together(_end(say))]
    return [paragraph for part in parts for paragraph in part]


def _together(paragraphs: Iterable[Paragraph]) -> list[Paragraph]:
    """The paragraphs that say something, all but the last staying with the next."""
    told = [paragraph for paragraph in paragraphs if paragraph.text.strip()]
    return [replace(paragraph, stays=paragraph is not told[-1]) for paragraph in told]


def _head(say: Wording) -> Iterator[Paragraph]:
    phrases = say.phrases
    yield _line(Kind.TITLE, say.title)
    yield _line(Kind.PERIOD, say.period)
    yield _line(Kind.SOFT, say.zone if say.digest.is_empty else f"{say.zone} {say.number}.")
    if say.digest.is_empty:
        yield _of(Kind.NOTHING, [_run(phrases["nothing"], strong=True), _run(f" {say.seen}")])
    if say.has_contents:
        yield _line(Kind.CONTENTS, phrases["contents"])
        for section in say.sections:
            yield _of(Kind.CONTENTS_PART, [_run(section.title, url=f"#{section.anchor}")])
            for number, told in section.stories:
                entry, text = told.entry, f"{number}. {say.headline(told.entry)}"
                yield _of(Kind.CONTENTS_STORY, [_run(text, url=f"#story-{number}", language=entry.language)])


def _parts(say: Wording) -> Iterator[list[Paragraph]]:
    for section in say.sections:
        title = [_line(Kind.PART, section.title, anchor=section.anchor)]
        for number, told in section.stories:
            yield _together([*title, *_story(say, number, told)])
            title = []


def _story(say: Wording, number: int, told: Told) -> Iterator[Paragraph]:
    entry = told.entry
    heading = [_run(f"{number}. "), _run(say.headline(entry), url=entry.url, language=entry.language)]
    yield _of(Kind.STORY, heading, anchor=f"story-{number}")
    facts = [_run(say.label(entry), strong=True), _run(f" · {' · '.join(say.facts(entry))}")]
    yield _of(Kind.SOFT, facts)
    for note in say.notes(told):
        yield _of(Kind.SOFT, [_run(note, italic=True)])
    if lead := say.lead(entry):
        yield _of(Kind.TEXT, [_run(lead, strong=True, language=entry.language)])
    if say.edits(entry):
        yield _of(Kind.TEXT, [_run(say.phrases["what_changed"], strong=True)])
    yield from _edits(say, entry)
    for piece in say.pieces(entry):
        for part in _lines(_piece(piece, entry.language)):
            yield _of(Kind.TEXT, part)
    yield from _beneath(say, told)


def _beneath(say: Wording, told: Told) -> Iterator[Paragraph]:
    entry = told.entry
    credit = say.credit(entry)
    link = [_run(say.link(entry), strong=True, url=entry.url)]
    yield _of(Kind.TEXT, [*link, _run(f" · {credit}" if credit else "")])
    under = [line for line in (say.matched(entry), say.also_under(told)) if line]
    yield _line(Kind.SOFT, ". ".join(under))
    if say.copies(entry):
        yield _line(Kind.SOFT, f"{say.carried(entry)}:")
        for other in say.copies(entry):
            yield _of(Kind.ITEM, [_run(say.other(other), url=other.url)])
        yield _line(Kind.ITEM, say.more(entry, copies=True) or "")
    if say.versions(entry):
        yield _line(Kind.SOFT, f"{say.phrases['versions']}:")
        for other in say.versions(entry):
            headline = _run(other.headline, url=other.url, language=other.language)
            yield _of(Kind.ITEM, [headline, _run(f" ({say.other(other)})")])
        yield _line(Kind.ITEM, say.more(entry, copies=False) or "")
    for each in told.changed:
        heading = [_run(f"{say.revised_as_well(each)}: ", strong=True)]
        yield _of(Kind.TEXT, [*heading, _run(say.headline(each), url=each.url, language=each.language)])
        yield from _edits(say, each)


def _edits(say: Wording, entry: Entry) -> Iterator[Paragraph]:
    for label, piece in say.edits(entry):
        yield _of(Kind.CHANGE, [_run(f"{label}: ", strong=True), *_piece(piece, entry.language)])


def _end(say: Wording) -> Iterator[Paragraph]:
    yield _line(Kind.PART, say.phrases["sources"], anchor="sources")
    for line in say.counts:
        yield _line(Kind.ITEM, line)
    yield _line(Kind.SOFT, say.phrases["counted"])
    if say.troubles:
        yield _of(Kind.TEXT, [_run(say.phrases["trouble"], strong=True)])
    for line in say.troubles:
        yield _line(Kind.ITEM, line)
    if not say.troubles:
        yield _line(Kind.SOFT, say.phrases["no_trouble"])
    yield _line(Kind.SOFT, ". ".join(line for line in (say.made, say.told_by) if line))


def _piece(piece: Piece, language: str | None) -> list[Run]:
    """A piece as runs, its matched words marked, an ellipsis where the article goes on."""
    before, after = piece.ends
    runs, at = [_run(before)], 0
    for begin, end in piece.marks:
        runs += [
            _run(piece.text[at:begin], language=language),
            _run(piece.text[begin:end], marked=True, language=language),
        ]
        at = end
    return [*runs, _run(piece.text[at:], language=language), _run(after)]


def _lines(runs: list[Run]) -> list[list[Run]]:
    """The runs of each paragraph of the article."""
    lines: list[list[Run]] = [[]]
    for run in runs:
        for number, text in enumerate(run.text.split("\n")):
            if number:
                lines.append([])
            lines[-1].append(_run(text, marked=run.marked, language=run.language))
    return lines


def _run(
    text: str,
    *,
    strong: bool = False,
    italic: bool = False,
    marked: bool = False,
    url: str | None = None,
    language: str | None = None,
) -> Run:
    return Run(
        text=NOT_XML.sub("\ufffd", text), strong=strong, italic=italic, marked=marked, url=url, language=language
    )


def _of(kind: Kind, runs: Iterable[Run], *, anchor: str | None = None) -> Paragraph:
    return Paragraph(kind=kind, runs=tuple(run for run in runs if run.text), anchor=anchor)


def _line(kind: Kind, text: str, *, anchor: str | None = None) -> Paragraph:
    return _of(kind, [_run(text)], anchor=anchor)
