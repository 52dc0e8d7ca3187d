"""A press review in a file: HTML, Markdown and text by templates, Word and PDF by the extra `review`.

letterhead.py  name and logo of the organisation
layout.py      the review as paragraphs, the same for Word and PDF
word.py        the paragraphs as .docx, by a template (docxtpl)
review.docx    the shipped template; `tests/support/review_template.py` made it
pdf.py         the paragraphs as .pdf (reportlab), with fonts from a wheel
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crawler.config import Config
from crawler.errors import UsageError, format_install_advice
from crawler.publish.atomic_write import open_atomic, resolve_output_path, write_atomic
from crawler.publish.digest_view import DigestView, render_digest
from crawler.publish.press_review.letterhead import Letterhead, load_letterhead
from crawler.publish.templates import Templates

REVIEW_SUFFIXES = (".html", ".md", ".txt", ".docx", ".pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStyle:
    """How a review looks: letterhead, templates of text forms, and the Word template; None: the shipped one."""

    letterhead: Letterhead = field(default_factory=Letterhead)
    templates: Templates = field(default_factory=Templates)
    word_template: Path | None = None


def load_style(config: Config, word_template: Path | None = None) -> ReviewStyle:
    """Return the look of the configuration. A Word template that is given replaces its own.

    Raise ConfigError for a logo, a template or a folder of templates that does not exist.
    """
    template = word_template or config.review.template
    if template is not None and not template.is_file():
        place = "--template" if word_template else "review.template"
        raise UsageError(f"{place}: there is no file {template}. `crawler digest --write-template FILE` writes one.")
    return ReviewStyle(
        letterhead=load_letterhead(config), templates=Templates(config.templates), word_template=template
    )


def raise_if_unwritable(path: Path) -> None:
    """Raise UsageError for an unknown suffix, a place that cannot be written, or a missing extra."""
    if path.suffix.lower() not in REVIEW_SUFFIXES:
        raise UsageError(f"-o {path}: the ending must be one of {', '.join(REVIEW_SUFFIXES)}.")
    resolve_output_path(path)
    _get_formatter(path.suffix.lower(), ReviewStyle())


def write_review(path: Path, view: DigestView, style: ReviewStyle) -> None:
    """Write the review in the form of the file's suffix. The file is complete, or stays as it was."""
    raise_if_unwritable(path)
    content = _get_formatter(path.suffix.lower(), style)(view)
    with open_atomic(path) as file:
        file.write(content)


def write_word_template(path: Path) -> None:
    """Write the shipped Word template, to be edited. Raise UsageError if the file exists or the suffix is not .docx."""
    option = "--write-template"
    if path.suffix.lower() != ".docx":
        raise UsageError(f"{option} {path}: the ending must be .docx.")
    if path.exists():
        raise UsageError(f"{option} {path} exists already and is not overwritten; choose another name.")
    try:
        from crawler.publish.press_review.word import read_shipped_template
    except ImportError as error:
        raise _make_missing_extra_error(".docx") from error
    write_atomic(path, read_shipped_template(), option)


def _get_formatter(suffix: str, style: ReviewStyle) -> Callable[[DigestView], bytes]:
    """Return the function that makes a file's bytes. Raise UsageError if its extra is missing."""
    try:
        if suffix == ".docx":
            from crawler.publish.press_review.word import format_docx

            return lambda view: format_docx(view, style.letterhead, style.word_template)
        if suffix == ".pdf":
            from crawler.publish.press_review.pdf import format_pdf

            return lambda view: format_pdf(view, style.letterhead)
    except ImportError as error:
        raise _make_missing_extra_error(suffix) from error

    def format_text(view: DigestView) -> bytes:
        text = render_digest(style.templates, suffix[1:], view, letterhead=style.letterhead)
        return text.encode("utf-8", "replace")

    return format_text


def _make_missing_extra_error(suffix: str) -> UsageError:
    return UsageError(f"{suffix} needs an optional package. {format_install_advice('review')}")
