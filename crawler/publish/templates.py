"""The templates of messages and digests (Jinja2): an owner's if the folder `templates` has one of that name, else ours.

Names ending in `.html` are escaped automatically. The environment is sandboxed: a template sees its values and nothing
of the machine. An unknown name is an error, not a gap.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from crawler.errors import BadTemplate, ConfigError
from crawler.rights import Piece


class Templates:
    """Renders templates by name. Raises ConfigError if the owner's folder does not exist."""

    def __init__(self, owner_folder: Path | None = None) -> None:
        shipped = Path(str(resources.files("crawler.defaults").joinpath("templates")))
        if owner_folder is not None and not owner_folder.is_dir():
            raise ConfigError(f"templates: {owner_folder} is no folder.")
        self._folders = (Path(owner_folder), shipped) if owner_folder else (shipped,)
        self._jinja = _make_environment(self._folders)

    def render(self, name: str, **values: Any) -> str:
        """Return the filled template. Raise BadTemplate with file and line for an owner's that cannot be used."""
        try:
            return self._jinja.get_template(name).render(**values)
        except Exception as error:  # An owner's template may do anything: add words, be no text file.
            location = self._find_location(error) or name
            kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
            raise BadTemplate(f"The template {location} cannot be used: {kind}{str(error).rstrip('.')}.") from error

    def _find_location(self, error: Exception) -> str | None:
        """Return file and line of a syntax error, else of the last template that was running."""
        if isinstance(error, TemplateSyntaxError):
            return f"{error.filename or error.name}:{error.lineno}"
        frames = [(Path(frame.filename), frame.lineno) for frame in extract_tb(error.__traceback__)]
        locations = [f"{file}:{line}" for file, line in frames if file.parent in self._folders]
        return locations[-1] if locations else None


@lru_cache(maxsize=4)
def _make_environment(folders: tuple[Path, ...]) -> SandboxedEnvironment:
    """Return the environment of the templates in these folders. It reads a file again that has changed."""
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Owners' templates use these names.
    environment.filters |= {
        "marked_html": mark_html,
        "marked_text": mark_text,
        "marked_md": mark_markdown,
        "md": escape_markdown,
        "wrapped": wrap_text,
    }
    return environment


def mark_html(piece: Piece, tag: str = "mark") -> Markup:
    """Return a piece with its matched words in a tag, and an ellipsis where the article has more text."""
    return Markup(_mark_words(piece, lambda word: f"<{tag}>{escape(word)}</{tag}>", lambda text: str(escape(text))))


def mark_text(piece: Piece, sign: str = "*") -> str:
    """Return a piece with a sign around its matched words, and an ellipsis where the article has more text."""
    return _mark_words(piece, lambda word: f"{sign}{word}{sign}", lambda text: text)


def mark_markdown(piece: Piece) -> str:
    """Return a piece as Markdown with its matched words bold, and an ellipsis where the article has more text."""
    return _mark_words(piece, lambda word: f"**{escape_markdown(word)}**", _escape_between)


def escape_markdown(text: str) -> str:
    """Return a text on one line in which nothing is Markdown, HTML, a link or a mention.

    >>> escape_markdown("1. *Red* <b>")
    '1\\\\. \\\\*Red\\\\* &lt;b>'
    """
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;")
    escaped = re.sub(r"@(?=\S)", "@\u200b", escaped)
    escaped = re.sub(r"(?<=http)(s?):(?=//)|(?<=www)\.", lambda found: rf"{found[1] or ''}\{found[0][-1]}", escaped)
    return re.sub(r"^(\d+)([.)])|^([-+>=])", lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", escaped)


def _escape_between(text: str) -> str:
    """Return the text between two marked words, with a space at either end if it had one."""
    start, end = (" " if text[:1].isspace() else "", " " if text[-1:].isspace() else "")
    return f"{start}{escape_markdown(text)}{end}" if text.strip() else start


def wrap_text(text: str, indent: int = 0, width: int = 88) -> str:
    """Return a text in lines, all but the first indented. Words and addresses stay whole."""
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _mark_words(piece: Piece, mark: Callable[[str], str], keep: Callable[[str], str]) -> str:
    """Return a piece with its ends. `mark` formats matched words, `keep` the text between them."""
    parts, position = [], 0
    for start, end in piece.marks:
        parts += [keep(piece.text[position:start]), mark(piece.text[start:end])]
        position = end
    return "".join([*parts, keep(piece.text[position:])]).join(piece.ends)
