"""The templates of messages and digests (Jinja2): an owner's own where the folder `templates` has one, else ours.

HTML is escaped by itself, by the template's ending. A template sees what it is given and nothing of the machine
(sandboxed); what it does not know is an error, not a gap.
"""

from __future__ import annotations

import re
import textwrap
from importlib import resources
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from crawler.errors import ConfigError
from crawler.rights import Piece


class Templates:
    """Renders templates by name."""

    def __init__(self, owner_folder: Path | None = None) -> None:
        folder = str(resources.files("crawler.defaults").joinpath("templates"))
        shipped = FileSystemLoader(folder)
        if owner_folder is not None and not owner_folder.is_dir():
            raise ConfigError(f"templates: {owner_folder} is no folder.")
        loaders: list[BaseLoader] = [FileSystemLoader(owner_folder)] if owner_folder else []
        self._folders = [Path(owner_folder) if owner_folder else None, Path(folder)]
        self._jinja = SandboxedEnvironment(
            loader=ChoiceLoader([*loaders, shipped]),
            autoescape=select_autoescape(("html",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._jinja.filters["marked_html"] = mark_html
        self._jinja.filters["marked_text"] = mark_text
        self._jinja.filters["marked_md"] = mark_markdown
        self._jinja.filters["md"] = escape_markdown
        self._jinja.filters["wrapped"] = wrap_text

    def render(self, name: str, **values: Any) -> str:
        """The template filled in; ConfigError with file and line for an owner's that cannot be used."""
        try:
            return self._jinja.get_template(name).render(**values)
        except Exception as error:  # whatever an owner's template does: a sum of words, a file that is no text
            where = self._find_location(error) or name
            kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
            raise ConfigError(f"The template {where} cannot be used: {kind}{str(error).rstrip('.')}.") from error

    def _find_location(self, error: Exception) -> str | None:
        """File and line of the mistake: a syntax error's own, else the last line of a template that was at work."""
        if isinstance(error, TemplateSyntaxError):
            return f"{error.filename or error.name}:{error.lineno}"
        frames = [(Path(frame.filename), frame.lineno) for frame in extract_tb(error.__traceback__)]
        places = [f"{file}:{line}" for file, line in frames if file.parent in self._folders]
        return places[-1] if places else None


def mark_html(piece: Piece, tag: str = "mark") -> Markup:
    """A piece with its matched words in a tag, and an ellipsis where the article goes on."""
    return Markup(_mark_words(piece, lambda word: f"<{tag}>{escape(word)}</{tag}>", lambda text: str(escape(text))))


def mark_text(piece: Piece, sign: str = "*") -> str:
    """A piece with a sign around its matched words, and an ellipsis where the article goes on."""
    return _mark_words(piece, lambda word: f"{sign}{word}{sign}", lambda text: text)


def escape_markdown(text: str) -> str:
    """A text in which nothing is taken for Markdown or HTML, on one line.

    >>> md("1. *Red* <b>")
    '1\\\\. \\\\*Red\\\\* &lt;b>'
    """
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"^(\d+)([.)])|^([-+>=])", lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", escaped)


def mark_markdown(piece: Piece) -> str:
    """A piece as Markdown with its matched words bold, and an ellipsis where the article goes on."""
    return _mark_words(piece, lambda word: f"**{escape_markdown(word)}**", _escape_between)


def wrap_text(text: str, indent: int = 0, width: int = 88) -> str:
    """A text in lines, all but the first indented; words and addresses stay whole."""
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _escape_between(text: str) -> str:
    begin, end = (" " if text[:1].isspace() else "", " " if text[-1:].isspace() else "")
    return f"{begin}{escape_markdown(text)}{end}" if text.strip() else begin


def _mark_words(piece: Piece, mark: Any, plain: Any) -> str:
    parts, at = [], 0
    for begin, end in piece.marks:
        parts += [plain(piece.text[at:begin]), mark(piece.text[begin:end])]
        at = end
    return "".join([*parts, plain(piece.text[at:])]).join(piece.ends)
