"""A press review as paragraphs of runs, the same for Word and PDF.

Templates of Word files use the names of `ReviewDocument` and of what it contains: they are an interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum

from crawler.publish.digest import DigestStory
from crawler.publish.digest_view import DigestSection, DigestView
from crawler.publish.entries import Entry, RelatedArticle
from crawler.publish.xml_text import sanitize_text
from crawler.rights import Piece

REPLACEMENT_CHARACTER = "\ufffd"


class ParagraphKind(StrEnum):
    """The role of a paragraph, by which Word and PDF choose its style."""

    TITLE = "title"
    PERIOD = "period"
    SOFT = "soft"
    FACTS = "facts"
    COMMENT = "comment"
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
    """A paragraph. Links lead to its `anchor`. It is true if it has a text."""

    kind: ParagraphKind
    runs: tuple[TextRun, ...]
    anchor: str | None = None

    def __bool__(self) -> bool:
        """Return whether it has a text."""
        return bool(self.text.strip())

    @property
    def text(self) -> str:
        """The text of its runs."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewChange:
    """What a revision changed: a heading, a paragraph for each edit, and the command that shows all of it."""

    title: ReviewParagraph
    edits: tuple[ReviewParagraph, ...]
    note: ReviewParagraph


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPages:
    """Other pages of a story: a heading, a paragraph for each page, and how many are not listed. All may be empty."""

    title: ReviewParagraph
    pages: tuple[ReviewParagraph, ...] = ()
    more: ReviewParagraph


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStory:
    """A story, in the order in which it is read. `revised` are its other articles that were revised."""

    headline: ReviewParagraph
    facts: ReviewParagraph
    notes: tuple[ReviewParagraph, ...]
    lead: ReviewParagraph
    change: ReviewChange
    passages: tuple[ReviewParagraph, ...]
    link: ReviewParagraph
    matched: ReviewParagraph
    copies: ReviewPages
    versions: ReviewPages
    revised: tuple[ReviewChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSection:
    """The stories of a topic, or those taken down."""

    title: ReviewParagraph
    stories: tuple[ReviewStory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewContentsSection:
    """A section in the table of contents."""

    title: ReviewParagraph
    stories: tuple[ReviewParagraph, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewContents:
    """The table of contents: its heading, and for each section a link to it and to its stories."""

    title: ReviewParagraph
    sections: tuple[ReviewContentsSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSources:
    """The end of a review: what each source had, and which of them could not be read."""

    title: ReviewParagraph
    counts: tuple[ReviewParagraph, ...]
    counted: ReviewParagraph
    left_out: ReviewParagraph
    trouble_title: ReviewParagraph
    troubles: tuple[ReviewParagraph, ...]
    no_trouble: ReviewParagraph


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDocument:
    """A whole review, in the order in which it is read. `contents` is None for a review of few stories."""

    title: ReviewParagraph
    period: ReviewParagraph
    about: ReviewParagraph
    nothing: ReviewParagraph
    contents: ReviewContents | None
    sections: tuple[ReviewSection, ...]
    sources: ReviewSources
    made: ReviewParagraph


def list_paragraphs(part: object) -> Iterator[ReviewParagraph]:
    """Yield the paragraphs with a text of a review, or of a part of it, in their order."""
    if isinstance(part, ReviewParagraph):
        if part:
            yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from list_paragraphs(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from list_paragraphs(getattr(part, field.name))


def make_document(view: DigestView) -> ReviewDocument:
    """Return the whole review."""
    phrases, is_empty = view.phrases, view.digest.is_empty
    nothing = [_make_run(phrases["nothing"], strong=True), _make_run(f" {view.seen}")] if is_empty else []
    return ReviewDocument(
        title=_make_line(ParagraphKind.TITLE, view.title),
        period=_make_line(ParagraphKind.PERIOD, view.period),
        about=_make_line(ParagraphKind.SOFT, view.zone if is_empty else f"{view.zone} {view.number}."),
        nothing=_make_paragraph(ParagraphKind.NOTHING, nothing),
        contents=_make_contents(view) if view.has_contents else None,
        sections=tuple(_make_section(view, section) for section in view.sections),
        sources=_make_sources(view),
        made=_make_line(ParagraphKind.SOFT, ". ".join(line for line in (view.made, view.told_by) if line)),
    )


def _make_contents(view: DigestView) -> ReviewContents:
    def make_link(kind: ParagraphKind, text: str, anchor: str, language: str | None = None) -> ReviewParagraph:
        return _make_paragraph(kind, [_make_run(text, url=f"#{anchor}", language=language)])

    sections = (
        ReviewContentsSection(
            title=make_link(ParagraphKind.CONTENTS_PART, section.title, section.anchor),
            stories=tuple(
                make_link(
                    ParagraphKind.CONTENTS_STORY,
                    f"{number}. {view.headline(story.entry)}",
                    f"story-{number}",
                    story.entry.language,
                )
                for number, story in section.stories
            ),
        )
        for section in view.sections
    )
    title = _make_line(ParagraphKind.CONTENTS, view.phrases["contents"])
    return ReviewContents(title=title, sections=tuple(sections))


def _make_section(view: DigestView, section: DigestSection) -> ReviewSection:
    return ReviewSection(
        title=_make_line(ParagraphKind.PART, section.title, anchor=section.anchor),
        stories=tuple(_make_story(view, number, story) for number, story in section.stories),
    )


def _make_story(view: DigestView, number: int, story: DigestStory) -> ReviewStory:
    entry = story.entry
    headline = [_make_run(f"{number}. "), _make_run(view.headline(entry), url=entry.url, language=entry.language)]
    facts = [_make_run(view.label(entry), strong=True), _make_run(f" · {' · '.join(view.facts(entry))}")]
    credit = view.credit(entry)
    link = [_make_run(view.link(entry), strong=True, url=entry.url), _make_run(f" · {credit}" if credit else "")]
    rules = [line for line in (view.matched(entry), view.also_under(story)) if line]
    lead = _make_run(view.lead(entry) or "", strong=True, language=entry.language)
    change_title = _make_run(view.phrases["what_changed"] if view.edits(entry) else "", strong=True)
    return ReviewStory(
        headline=_make_paragraph(ParagraphKind.STORY, headline, anchor=f"story-{number}"),
        facts=_make_paragraph(ParagraphKind.FACTS, facts),
        notes=tuple(_make_notes(view, story)),
        lead=_make_paragraph(ParagraphKind.TEXT, [lead]),
        change=_make_change(view, entry, [change_title]),
        passages=tuple(
            _make_paragraph(ParagraphKind.TEXT, runs)
            for piece in view.pieces(entry)
            for runs in _split_lines(_make_piece_runs(piece, entry.language))
            if any(run.text.strip() for run in runs)
        ),
        link=_make_paragraph(ParagraphKind.TEXT, link),
        matched=_make_line(ParagraphKind.SOFT, ". ".join(rules)),
        copies=_make_copies(view, entry),
        versions=_make_versions(view, entry),
        revised=tuple(_make_revised(view, changed) for changed in story.changed),
    )


def _make_notes(view: DigestView, story: DigestStory) -> Iterator[ReviewParagraph]:
    """Yield the notes. The newsroom's own words are a paragraph of another kind than the facts of the source."""
    notes = view.notes(story)
    if story.own_line:
        label = _make_run(f"{view.phrases['own_line']}: ", strong=True)
        yield _make_paragraph(ParagraphKind.COMMENT, [label, _make_run(story.own_line)])
        notes = notes[1:]
    for note in notes:
        yield _make_paragraph(ParagraphKind.FACTS, [_make_run(note, italic=True)])


def _make_copies(view: DigestView, entry: Entry) -> ReviewPages:
    def make_page(other: RelatedArticle) -> ReviewParagraph:
        return _make_paragraph(ParagraphKind.ITEM, [_make_run(view.other(other), url=other.url)])

    copies = view.copies(entry)
    return ReviewPages(
        title=_make_line(ParagraphKind.SOFT, f"{view.carried(entry)}:" if copies else ""),
        pages=tuple(map(make_page, copies)),
        more=_make_line(ParagraphKind.ITEM, (view.more(entry, copies=True) if copies else None) or ""),
    )


def _make_versions(view: DigestView, entry: Entry) -> ReviewPages:
    """Return the story's other articles. Below certain ones, each that is only possibly of it says so."""
    lists = view.related(entry)
    pages = []
    for title, others, _ in lists:
        mark = "" if title == lists[0][0] else f"{title}: "
        for other in others:
            headline = _make_run(other.headline, url=other.url, language=other.language)
            runs = [_make_run(mark), headline, _make_run(f" ({view.other(other)})")]
            pages.append(_make_paragraph(ParagraphKind.ITEM, runs))
    return ReviewPages(
        title=_make_line(ParagraphKind.SOFT, f"{lists[0][0]}:" if lists else ""),
        pages=tuple(pages),
        more=_make_line(ParagraphKind.ITEM, (lists[-1][2] if lists else None) or ""),
    )


def _make_revised(view: DigestView, changed: Entry) -> ReviewChange:
    title = [
        _make_run(f"{view.revised_as_well(changed)}: ", strong=True),
        _make_run(view.headline(changed), url=changed.url, language=changed.language),
    ]
    return _make_change(view, changed, title)


def _make_change(view: DigestView, entry: Entry, title: list[TextRun]) -> ReviewChange:
    return ReviewChange(
        title=_make_paragraph(ParagraphKind.TEXT, title),
        edits=tuple(
            _make_paragraph(
                ParagraphKind.CHANGE,
                [_make_run(f"{label}: ", strong=True), *_make_piece_runs(piece, entry.language)],
            )
            for label, piece in view.edits(entry)
        ),
        note=_make_line(ParagraphKind.SOFT, view.whole_change(entry) or ""),
    )


def _make_sources(view: DigestView) -> ReviewSources:
    phrases, troubles = view.phrases, view.troubles
    trouble_title = _make_run(phrases["trouble"] if troubles else "", strong=True)
    return ReviewSources(
        title=_make_line(ParagraphKind.PART, phrases["sources"], anchor="sources"),
        counts=tuple(_make_line(ParagraphKind.ITEM, line) for line in view.counts),
        counted=_make_line(ParagraphKind.SOFT, phrases["counted"]),
        left_out=_make_line(ParagraphKind.SOFT, view.left_out or ""),
        trouble_title=_make_paragraph(ParagraphKind.TEXT, [trouble_title]),
        troubles=tuple(_make_line(ParagraphKind.ITEM, line) for line in troubles),
        no_trouble=_make_line(ParagraphKind.SOFT, "" if troubles else phrases["no_trouble"]),
    )


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
