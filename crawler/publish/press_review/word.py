"""A review as a Word file: a template (docxtpl) that an analyst can edit, filled with links and marked words.

The shipped template is `review.docx` beside this file; docs/press-review.md names what a template may contain. What a
template shows is a `ReviewParagraph`: it is written as runs, because it has links, a language and marked words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from io import BytesIO
from pathlib import Path
from traceback import extract_tb
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import BadZipFile

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from lxml import etree
from markupsafe import Markup

from crawler.errors import BadTemplate, CrawlerError
from crawler.publish.digest_view import DigestView
from crawler.publish.phrases import get_locale
from crawler.publish.press_review.layout import ReviewDocument, ReviewParagraph, TextRun, list_paragraphs, make_document
from crawler.publish.press_review.letterhead import Letterhead, Logo, measure_logo

MARK_COLOR = "FDF0B3"
CONTENTS_FIELD = r'TOC \o "1-2" \h \z \n'
MAX_SHOWN_LENGTH = 60
"""Characters of a template's paragraph that an error shows."""
RUN_END, RUN_BEGIN = "</w:t></w:r>", '<w:r><w:t xml:space="preserve">'
NO_WORD_FILE = (BadZipFile, PackageNotFoundError, KeyError, ValueError, etree.XMLSyntaxError)


def read_shipped_template() -> bytes:
    """Return the shipped template, a Word file."""
    return resources.files("crawler.publish.press_review").joinpath("review.docx").read_bytes()


def format_docx(view: DigestView, letterhead: Letterhead, template: Path | None) -> bytes:
    """Return the review as .docx, by the owner's template or the shipped one.

    Raise BadTemplate, with file and place, for a template that cannot be used, ConfigError for a broken logo.
    """
    word_file = _WordTemplate(view, template)
    word_file.fill(letterhead)
    _set_properties(word_file.docx, view)
    stream = BytesIO()
    word_file.docx.save(stream)
    return stream.getvalue()


class _WordTemplate(DocxTemplate):  # type: ignore[misc]
    """A template that is being filled with one review."""

    def __init__(self, view: DigestView, path: Path | None) -> None:
        super().__init__(BytesIO(read_shipped_template()) if path is None else str(path))
        self.view, self.path = view, path
        self.review: ReviewDocument = make_document(view)
        self.bookmark_numbers: dict[str, int] = {}
        links = list(list_paragraphs(self.review.contents.sections)) if self.review.contents else []
        self.contents_ends: tuple[ReviewParagraph | None, ...] = (links[0], links[-1]) if links else (None, None)
        self.environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined, finalize=self._format_value)

    def fill(self, letterhead: Letterhead) -> None:
        """Replace the tags of body, headers, footers and notes. Raise BadTemplate if that is impossible."""
        values = {"review": self.review, "organisation": letterhead.organisation, "logo": letterhead.logo}
        try:
            self.init_docx()
        except NO_WORD_FILE as error:
            raise BadTemplate(f"The template {self.path} is no Word file (.docx), or a broken one.") from error
        self.render({**values, "page_number": _PageNumber(self.view.phrases["page"])}, self.environment)

    def patch_xml(self, src_xml: str) -> str:
        """Return a part as a text for Jinja. `{{r name }}` means the same as `{{ name }}`: both are runs.

        Raise BadTemplate for a tag that has no end in its paragraph: it would swallow what comes next.
        """
        for paragraph in etree.fromstring(src_xml.encode()).iter(qn("w:p")):
            text = "".join(paragraph.itertext(qn("w:t")))
            if any(text.count(begin) != text.count(end) for begin, end in (("{{", "}}"), ("{%", "%}"), ("{#", "#}"))):
                raise BadTemplate(f"The template {self._name}: a tag has no end in the paragraph «{_shorten(text)}».")
        return str(super().patch_xml(re.sub(r"(\{(?:<[^>]*>)*\{(?:<[^>]*>)*)r(?=\s)", r"\1", src_xml)))

    def render_xml_part(self, src_xml: str, part: Any, context: Any, jinja_env: Any = None) -> str:
        """Return a filled part. Raise BadTemplate, with the place, for an error in its tags."""
        # White space in a tag has no meaning. So each tag begins a line, and the line of an error finds its tag.
        source = re.sub(r"(\{[{%][-+]?)", r"\1\n", src_xml)
        place = f"The template {self._name}, {Path(str(part.partname)).stem}"
        try:
            filled = str(super().render_xml_part(source, part, context, jinja_env))
            etree.fromstring(filled.encode())
        except etree.XMLSyntaxError as error:
            raise BadTemplate(
                f"{place}: a tag is where Word allows none. {{%p … %}} needs a paragraph of its own, {{{{ … }}}} is "
                "among words."
            ) from error
        except CrawlerError:
            raise
        except Exception as error:  # a template may do anything, such as adding words
            kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
            raise BadTemplate(f"{place}{_find_tag(error, source)}: {kind}{str(error).rstrip('.')}.") from error
        return filled

    def render_properties(self, context: Any, jinja_env: Any = None) -> None:
        """Leave the template's properties: `format_docx` sets them."""

    @property
    def _name(self) -> str:
        return str(self.path or "review.docx")

    def _format_value(self, value: object) -> object:
        """Return what a tag `{{ value }}` becomes. It is inside a run, which ends before other runs begin."""
        match value:
            case None:
                return ""
            case ReviewParagraph():
                return Markup(RUN_END + "".join(self._format_paragraph(value)) + RUN_BEGIN)
            case Logo():
                return Markup(str(self._make_picture(value)))
            case _PageNumber():
                return Markup(RUN_END + value.format_runs() + RUN_BEGIN)
        return value

    def _format_paragraph(self, paragraph: ReviewParagraph) -> Iterator[str]:
        """Yield the runs. A heading has a bookmark for its links; the contents are a field that Word can update."""
        if paragraph is self.contents_ends[0]:
            yield _make_field_mark("begin") + _make_instruction(CONTENTS_FIELD) + _make_field_mark("separate")
        number = None
        if paragraph.anchor and paragraph.anchor not in self.bookmark_numbers:
            number = self.bookmark_numbers[paragraph.anchor] = len(self.bookmark_numbers) + 1
            yield f'<w:bookmarkStart w:id="{number}" w:name="{_make_bookmark_name(paragraph.anchor)}"/>'
        for run in paragraph.runs:
            yield self._format_run(run)
        if number:
            yield f'<w:bookmarkEnd w:id="{number}"/>'
        if paragraph is self.contents_ends[1]:
            yield _make_field_mark("end")

    def _format_run(self, run: TextRun) -> str:
        locale = get_locale(run.language)
        looks = [  # in the order of the schema: Word rejects a file with another one
            '<w:rStyle w:val="Hyperlink"/>' if run.url else "",
            "<w:b/>" if run.strong else "",
            "<w:i/>" if run.italic else "",
            f'<w:shd w:val="clear" w:color="auto" w:fill="{MARK_COLOR}"/>' if run.marked else "",
            f'<w:lang w:val="{locale}"/>' if locale else "",
        ]
        text = f'<w:r><w:rPr>{"".join(looks)}</w:rPr><w:t xml:space="preserve">{escape(run.text)}</w:t></w:r>'
        if not run.url:
            return text
        if run.url.startswith("#"):
            return f'<w:hyperlink w:anchor="{_make_bookmark_name(run.url[1:])}" w:history="1">{text}</w:hyperlink>'
        target = self.current_rendering_part.relate_to(run.url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        return f'<w:hyperlink r:id={quoteattr(target)} w:history="1">{text}</w:hyperlink>'

    def _make_picture(self, logo: Logo) -> InlineImage:
        width, height = measure_logo(logo)
        return InlineImage(self, BytesIO(logo.data), Mm(width), Mm(height))


class _PageNumber:
    """The words "Page 1 of 9" with fields for the numbers: only Word knows them."""

    def __init__(self, phrase: str) -> None:
        self.phrase = phrase

    def format_runs(self) -> str:
        """Return the runs."""
        runs = []
        for part in re.split(r"(\{pages?\})", self.phrase):
            shown = f'<w:r><w:t xml:space="preserve">{"1" if part.startswith("{") else escape(part)}</w:t></w:r>'
            if part.startswith("{"):
                field = _make_instruction("PAGE" if part == "{page}" else "NUMPAGES")
                shown = _make_field_mark("begin") + field + _make_field_mark("separate") + shown
                shown += _make_field_mark("end")
            runs.append(shown)
        return "".join(runs)


def _find_tag(error: Exception, source: str) -> str:
    """Return the tag that failed. Each tag of the source begins a line."""
    if isinstance(error, TemplateSyntaxError):
        line: int | None = error.lineno
    else:
        numbers = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == "<template>"]
        line = numbers[-1] if numbers else None
    lines = re.sub(r"<w:p([ >])", r"\n<w:p\1", source).split("\n")  # as docxtpl gives them to Jinja
    if line is None or not 1 < line <= len(lines):
        return ""
    tag = re.split(r"[-+]?[}%]\}", lines[line - 1], maxsplit=1)[0].strip()
    return f", {{{{ {tag} }}}}" if lines[line - 2].rstrip("-+").endswith("{{") else f", {{% {tag} %}}"


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}…"


def _set_properties(document: Any, view: DigestView) -> None:
    """Set the language by which Word checks the spelling, and what Word shows about a file."""
    locale = view.phrases["locale"]
    defaults = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    if defaults is not None:
        for old in defaults.findall(qn("w:lang")):
            defaults.remove(old)
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), locale)
        defaults.append(language)
    properties = document.core_properties
    properties.title, properties.subject = f"{view.title}. {view.period}", view.number
    properties.author = properties.last_modified_by = "crawler"
    properties.language = locale
    properties.keywords = ", ".join(part.title for part in view.sections)[:255]
    properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)


def _make_bookmark_name(anchor: str) -> str:
    """Return a name that Word allows. The prefix is that of bookmarks of a table of contents."""
    return "_Toc_" + anchor.replace("-", "_")


def _make_field_mark(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def _make_instruction(code: str) -> str:
    return f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
