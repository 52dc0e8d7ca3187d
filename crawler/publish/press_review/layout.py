"""A press review as paragraphs of runs, the same for Word and PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from crawler.publish.digest import DigestStory
from crawler.publish.digest_view import DigestView
from crawler.publish.entries import Entry
from crawler.publish.xml_text import sanitize_text
from crawler.rights import Piece

REPLACEMENT_CHARACTER = "\ufffd"


class ParagraphKind(StrEnum):
    """The role of a paragraph, by which Word and PDF choose its style."""

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
class TextRun:
    """A stretch of text in one style. `url` is an address, or `#` and an anchor; `language` is that of the text."""

    text: str
    strong: bool = False
    italic: bool = False
    marked: bool = False
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewParagraph:
    """A paragraph. Links lead to its `anchor`. `keep_with_next` keeps it on one page with the next one."""

    kind: ParagraphKind
    runs: tuple[TextRun, ...]
    anchor: str | None = None
    keep_with_next: bool = False

    @property
    def text(self) -> str:
        """The text of its runs."""
        return "".join(run.text for run in self.runs)


def make_paragraphs(view: DigestView) -> list[ReviewParagraph]:
    """Return the whole review. Each story stays on one page, and so does the end."""
    parts = [list(_make_head(view)), *_make_sections(view), _keep_together(_make_end(view))]
    return [paragraph for part in parts for paragraph in part]


def _keep_together(paragraphs: Iterable[ReviewParagraph]) -> list[ReviewParagraph]:
    """Return the paragraphs that have a text. All but the last stay with the next."""
    shown = [paragraph for paragraph in paragraphs if paragraph.text.strip()]
    return [replace(paragraph, keep_with_next=paragraph is not shown[-1]) for paragraph in shown]


def _make_head(view: DigestView) -> Iterator[ReviewParagraph]:
    phrases = view.phrases
    yield _make_line(ParagraphKind.TITLE, view.title)
    yield _make_line(ParagraphKind.PERIOD, view.period)
    yield _make_line(ParagraphKind.SOFT, view.zone if view.digest.is_empty else f"{view.zone} {view.number}.")
    if view.digest.is_empty:
        runs = [_make_run(phrases["nothing"], strong=True), _make_run(f" {view.seen}")]
        yield _make_paragraph(ParagraphKind.NOTHING, runs)
    if view.has_contents:
        yield _make_line(ParagraphKind.CONTENTS, phrases["contents"])
        for section in view.sections:
            run = _make_run(section.title, url=f"#{section.anchor}")
            yield _make_paragraph(ParagraphKind.CONTENTS_PART, [run])
            for number, story in section.stories:
                entry, text = story.entry, f"{number}. {view.headline(story.entry)}"
                run = _make_run(text, url=f"#story-{number}", language=entry.language)
                yield _make_paragraph(ParagraphKind.CONTENTS_STORY, [run])


def _make_sections(view: DigestView) -> Iterator[list[ReviewParagraph]]:
    """Yield the paragraphs of each story. The first story of a section has its heading."""
    for section in view.sections:
        heading = [_make_line(ParagraphKind.PART, section.title, anchor=section.anchor)]
        for number, story in section.stories:
            yield _keep_together([*heading, *_make_story(view, number, story)])
            heading = []


def _make_story(view: DigestView, number: int, story: DigestStory) -> Iterator[ReviewParagraph]:
    entry = story.entry
    heading = [_make_run(f"{number}. "), _make_run(view.headline(entry), url=entry.url, language=entry.language)]
    yield _make_paragraph(ParagraphKind.STORY, heading, anchor=f"story-{number}")
    facts = [_make_run(view.label(entry), strong=True), _make_run(f" · {' · '.join(view.facts(entry))}")]
    yield _make_paragraph(ParagraphKind.SOFT, facts)
    for note in view.notes(story):
        yield _make_paragraph(ParagraphKind.SOFT, [_make_run(note, italic=True)])
    if lead := view.lead(entry):
        yield _make_paragraph(ParagraphKind.TEXT, [_make_run(lead, strong=True, language=entry.language)])
    if view.edits(entry):
        yield _make_paragraph(ParagraphKind.TEXT, [_make_run(view.phrases["what_changed"], strong=True)])
    yield from _make_edits(view, entry)
    for piece in view.pieces(entry):
        for runs in _split_lines(_make_piece_runs(piece, entry.language)):
            yield _make_paragraph(ParagraphKind.TEXT, runs)
    yield from _make_story_footer(view, story)


def _make_story_footer(view: DigestView, story: DigestStory) -> Iterator[ReviewParagraph]:
    """Yield what is below a story's text: link, credit, rules, the story's other pages."""
    entry = story.entry
    credit = view.credit(entry)
    link = _make_run(view.link(entry), strong=True, url=entry.url)
    yield _make_paragraph(ParagraphKind.TEXT, [link, _make_run(f" · {credit}" if credit else "")])
    rules = [line for line in (view.matched(entry), view.also_under(story)) if line]
    yield _make_line(ParagraphKind.SOFT, ". ".join(rules))
    if view.copies(entry):
        yield _make_line(ParagraphKind.SOFT, f"{view.carried(entry)}:")
        for other in view.copies(entry):
            yield _make_paragraph(ParagraphKind.ITEM, [_make_run(view.other(other), url=other.url)])
        yield _make_line(ParagraphKind.ITEM, view.more(entry, copies=True) or "")
    if view.versions(entry):
        yield _make_line(ParagraphKind.SOFT, f"{view.phrases['versions']}:")
        for other in view.versions(entry):
            headline = _make_run(other.headline, url=other.url, language=other.language)
            yield _make_paragraph(ParagraphKind.ITEM, [headline, _make_run(f" ({view.other(other)})")])
        yield _make_line(ParagraphKind.ITEM, view.more(entry, copies=False) or "")
    for changed in story.changed:
        heading = [
            _make_run(f"{view.revised_as_well(changed)}: ", strong=True),
            _make_run(view.headline(changed), url=changed.url, language=changed.language),
        ]
        yield _make_paragraph(ParagraphKind.TEXT, heading)
        yield from _make_edits(view, changed)


def _make_edits(view: DigestView, entry: Entry) -> Iterator[ReviewParagraph]:
    for label, piece in view.edits(entry):
        runs = [_make_run(f"{label}: ", strong=True), *_make_piece_runs(piece, entry.language)]
        yield _make_paragraph(ParagraphKind.CHANGE, runs)
    yield _make_line(ParagraphKind.SOFT, view.whole_change(entry) or "")


def _make_end(view: DigestView) -> Iterator[ReviewParagraph]:
    phrases = view.phrases
    yield _make_line(ParagraphKind.PART, phrases["sources"], anchor="sources")
    for line in view.counts:
        yield _make_line(ParagraphKind.ITEM, line)
    yield _make_line(ParagraphKind.SOFT, phrases["counted"])
    yield _make_line(ParagraphKind.SOFT, view.left_out or "")
    if view.troubles:
        yield _make_paragraph(ParagraphKind.TEXT, [_make_run(phrases["trouble"], strong=True)])
        for line in view.troubles:
            yield _make_line(ParagraphKind.ITEM, line)
    else:
        yield _make_line(ParagraphKind.SOFT, phrases["no_trouble"])
    yield _make_line(ParagraphKind.SOFT, ". ".join(line for line in (view.made, view.told_by) if line))


def _make_piece_runs(piece: Piece, language: str | None) -> list[TextRun]:
    """Return a piece as runs: its matched words marked, an ellipsis where the article has more text."""
    before, after = piece.ends
    runs, position = [_make_run(before)], 0
    for start, end in piece.marks:
        runs += [
            _make_run(piece.text[position:start], language=language),
            _make_run(piece.text[start:end], marked=True, language=language),
        ]
        position = end
    return [*runs, _make_run(piece.text[position:], language=language), _make_run(after)]


def _split_lines(runs: list[TextRun]) -> list[list[TextRun]]:
    """Return the runs of each paragraph of the article."""
    lines: list[list[TextRun]] = [[]]
    for run in runs:
        first, *others = run.text.split("\n")
        lines[-1].append(replace(run, text=first))
        lines += [[replace(run, text=text)] for text in others]
    return lines


def _make_run(
    text: str,
    *,
    strong: bool = False,
    italic: bool = False,
    marked: bool = False,
    url: str | None = None,
    language: str | None = None,
) -> TextRun:
    clean = sanitize_text(text, REPLACEMENT_CHARACTER)
    return TextRun(text=clean, strong=strong, italic=italic, marked=marked, url=url, language=language)


def _make_paragraph(kind: ParagraphKind, runs: Iterable[TextRun], *, anchor: str | None = None) -> ReviewParagraph:
    return ReviewParagraph(kind=kind, runs=tuple(run for run in runs if run.text), anchor=anchor)


def _make_line(kind: ParagraphKind, text: str, *, anchor: str | None = None) -> ReviewParagraph:
    return _make_paragraph(kind, [_make_run(text)], anchor=anchor)
