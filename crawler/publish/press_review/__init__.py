"""A press review in a file: HTML, Markdown and text by templates, Word and PDF by the extra `review`.

layout.py  the review as paragraphs, the same for Word and PDF
word.py    the paragraphs as .docx (python-docx)
pdf.py     the paragraphs as .pdf (reportlab), with fonts from a wheel
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.errors import UsageError, format_install_advice
from crawler.publish.atomic_write import open_atomic, resolve_output_path
from crawler.publish.digest_view import DigestView, render_digest
from crawler.publish.templates import Templates

REVIEW_SUFFIXES = (".html", ".md", ".txt", ".docx", ".pdf")


def raise_if_unwritable(path: Path) -> None:
    """Raise UsageError for an unknown suffix, a place that cannot be written, or a missing extra."""
    if path.suffix.lower() not in REVIEW_SUFFIXES:
        raise UsageError(f"-o {path}: the ending must be one of {', '.join(REVIEW_SUFFIXES)}.")
    resolve_output_path(path)
    _get_formatter(path.suffix.lower(), None)


def write_review(path: Path, view: DigestView, templates: Templates) -> None:
    """Write the review in the form of the file's suffix. The file is complete, or stays as it was."""
    raise_if_unwritable(path)
    content = _get_formatter(path.suffix.lower(), templates)(view)
    with open_atomic(path) as file:
        file.write(content)


def _get_formatter(suffix: str, templates: Templates | None) -> Callable[[DigestView], bytes]:
    """Return the function that makes a file's bytes. Raise UsageError if its extra is missing."""
    try:
        if suffix == ".docx":
            from crawler.publish.press_review.word import format_docx

            return format_docx
        if suffix == ".pdf":
            from crawler.publish.press_review.pdf import format_pdf

            return format_pdf
    except ImportError as error:
        raise UsageError(f"{suffix} needs an optional package. {format_install_advice('review')}") from error
    return lambda view: render_digest(templates or Templates(), suffix[1:], view).encode("utf-8", "replace")
