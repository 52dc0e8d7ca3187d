"""A press review in a file: HTML, Markdown and text by the templates of `entries`, Word and PDF by the extra `review`.

layout.py  the review as paragraphs, the same for Word and PDF
word.py    the paragraphs as .docx (python-docx)
pdf.py     the paragraphs as .pdf (reportlab)
fonts.py   the letters of the PDF, which come in a wheel
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawler.entries.templates import Templates
from crawler.entries.wording import Wording, render
from crawler.errors import UsageError
from crawler.feeds.whole import check_place, whole_file

ENDINGS = (".html", ".md", ".txt", ".docx", ".pdf")


def check(path: Path) -> None:
    """UsageError for an ending that says no form, a place that cannot be written, or a form whose extra is missing."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"-o {path}: the ending must be one of {', '.join(ENDINGS)}.")
    check_place(path)
    _writer(path.suffix.lower(), None)


def write(path: Path, say: Wording, templates: Templates) -> None:
    """Write the review in the form of the file's ending. The file is there whole, or as it was before."""
    check(path)
    content = _writer(path.suffix.lower(), templates)(say)
    with whole_file(path) as file:
        file.write(content)


def _writer(ending: str, templates: Templates | None) -> Callable[[Wording], bytes]:
    """What makes the bytes of a form; UsageError where its extra is missing."""
    try:
        if ending == ".docx":
            from crawler.feeds.review.word import word

            return word
        if ending == ".pdf":
            from crawler.feeds.review.pdf import pdf

            return pdf
    except ImportError as error:
        raise UsageError(f'{ending} needs an optional package ({error}): pip install "crawler[review]"') from error
    return lambda say: render(templates or Templates(), ending[1:], say).encode("utf-8", "replace")
