"""The Word template of the press review: as shipped, edited by an owner, and with mistakes; the letterhead."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from support.day_of_news import NOON, make_article, save_article
from support.digest_text import make_view

from crawler.config import Config
from crawler.errors import BadTemplate, ConfigError, UsageError
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.press_review import ReviewStyle, load_style, write_review, write_word_template
from crawler.publish.press_review.letterhead import Letterhead, Logo, measure_logo
from crawler.store import Store

pytest.importorskip("docxtpl")
pytest.importorskip("reportlab")
from docx import Document
from docx.oxml.ns import qn
from PIL import Image
from support.review_template import make_template

from crawler.publish.press_review.word import read_shipped_template

NAME = "Пресс-служба «Қызыл Жарты Ай» & Co"


def make_logo(folder: Path, suffix: str = "png", size: tuple[int, int] = (300, 100)) -> Path:
    path = folder / f"logo.{suffix}"
    Image.new("RGB", size, "#c8102e").save(path)
    return path


def make_style(path: Path) -> ReviewStyle:
    return load_style(Config.model_validate({"review": {"organisation": NAME, "logo": path}}))


def edit_template(folder: Path, edit: Callable[[Any], None]) -> Path:
    """Return a copy of the shipped template, edited by python-docx."""
    document = Document(BytesIO(read_shipped_template()))
    edit(document)
    document.save(folder / "own.docx")
    return folder / "own.docx"


def replace_line(folder: Path, old: str, new: str) -> Path:
    """Return a copy of the shipped template in which one paragraph, of body or footer, has another text."""

    def edit(document: Any) -> None:
        paragraphs = (*document.paragraphs, *document.sections[0].footer.paragraphs)
        next(each for each in paragraphs if each.text == old).runs[0].text = new

    return edit_template(folder, edit)


def write_word(store: Store, folder: Path, template: Path | None = None, language: str = "en") -> Any:
    write_review(folder / "review.docx", make_view(store, language), ReviewStyle(word_template=template))
    return Document(folder / "review.docx")


def list_texts(document: Any, style: str | None = None) -> list[str]:
    return [each.text for each in document.paragraphs if style in (None, each.style.name)]


def test_shipped_template_is_what_the_script_makes() -> None:
    shipped, made = (zipfile.ZipFile(BytesIO(data)) for data in (read_shipped_template(), make_template()))
    assert shipped.namelist() == made.namelist()
    for name in shipped.namelist():
        assert shipped.read(name) == made.read(name), name


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_no_tag_and_no_empty_line_is_left(day: Store, tmp_path: Path, language: str) -> None:
    document = write_word(day, tmp_path, language=language)
    for text in (*list_texts(document), *list_texts(document.sections[0].footer)):
        assert text.strip()
        assert not {"{", "}"} & set(text)
    assert document.tables == []  # there is no letterhead


def test_owner_changes_words_order_and_look(day: Store, tmp_path: Path) -> None:
    def edit(document: Any) -> None:
        lines = {paragraph.text: paragraph for paragraph in document.paragraphs}
        lines["{{ review.title }}"].runs[
            0
        ].text = "Morning news of {{r organisation or 'the desk' }}: {{ review.title }}"
        lines["{{ story.matched }}"].runs[0].text = "({{ story.matched.text | upper }})"
        link, headline = lines["{{ story.link }}"]._p, lines["{{ story.headline }}"]._p
        headline.addprevious(link)
        lines["{{ story.facts }}"].style = document.styles["Heading 3"]

    document = write_word(day, tmp_path, edit_template(tmp_path, edit))
    texts = list_texts(document)
    assert texts[0] == "Morning news of the desk: Press review"
    assert any(text.startswith("(MATCHED: ") for text in texts)
    first = next(
        number for number, text in enumerate(texts) if text.startswith("1. ") and "Heading" in _style(document, number)
    )
    assert texts[first - 1].startswith("Read")
    assert "Heading 3" in _style(document, first + 1)
    assert next(link.address for link in document.paragraphs[first].hyperlinks).startswith("https://")


def _style(document: Any, number: int) -> str:
    return str(document.paragraphs[number].style.name)


def test_tags_that_word_has_split_are_read(day: Store, tmp_path: Path) -> None:
    """Word divides a text into runs wherever it checked the spelling."""

    def edit(document: Any) -> None:
        for paragraph in (*document.paragraphs, *document.sections[0].footer.paragraphs):
            text = paragraph.runs[0].text
            paragraph.runs[0].text = text[:1]
            for character in text[1:]:
                paragraph.add_run(character)

    document = write_word(day, tmp_path, edit_template(tmp_path, edit))
    assert [text[:2] for text in list_texts(document, "Heading 2")] == ["1.", "2.", "3.", "4.", "5.", "6."]
    assert "NUMPAGES" in document.sections[0].footer._element.xml


def test_what_a_page_says_is_no_tag(store: Store, tmp_path: Path) -> None:
    title = "МККК {{ review.title }} {% for %} {# & <w:p/> #}"
    save_article(store, make_article("mfa:1:ru", title, "О МККК. " * 30, NOON, "https://www.gov.kz/a?b=1&c=2"), NOON)
    (headline,) = list_texts(write_word(store, tmp_path), "Heading 2")
    assert headline == f"1. {title}"


MISTAKES = {
    ("{{ story.facts }}", "{{ storry.facts }}"): "document, {{ storry.facts }}: 'storry' is undefined.",
    ("{{ story.headline }}", "x {{ story.headlin }} y"): "document, {{ story.headlin }}: ",
    ("{%p endif %}", "{%p endiff %}"): "document, {% endiff %}: Encountered unknown tag 'endiff'.",
    ("{%p for note in story.notes %}", "x"): "document, {% endfor %}: ",
    ("{{ story.facts }}", "{{ story.facts "): "a tag has no end in the paragraph «{{ story.facts ».",
    ("{{ story.facts }}", "{{ 1 // 0 }}"): "document, {{ 1 // 0 }}: ZeroDivisionError: ",
    (
        "{{ story.facts }}",
        "{{ story.facts.text.__class__.mro() }}",
    ): "document, {{ story.facts.text.__class__.mro() }}: ",
    ("{{ story.facts }}", "{{p story.facts }}"): "document: a tag is where Word allows none.",
    ("{{ page_number }}", "{{ page }}"): "footer1, {{ page }}: 'page' is undefined.",
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.items(), ids=[new for _, new in MISTAKES])
def test_a_mistake_in_a_template_is_one_sentence_with_its_place(
    day: Store, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    template = replace_line(tmp_path, *change)
    with pytest.raises(BadTemplate) as caught:
        write_word(day, tmp_path, template)
    assert str(caught.value).startswith(f"The template {template}")
    assert said in str(caught.value)
    assert caught.value.exit_code == 18
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "review.docx").exists()


@pytest.mark.parametrize("content", [b"", b"PK nonsense", "zip"])
def test_a_template_that_is_no_word_file(day: Store, tmp_path: Path, content: bytes | str) -> None:
    template = tmp_path / "own.docx"
    if isinstance(content, bytes):
        template.write_bytes(content)
    else:
        with zipfile.ZipFile(template, "w") as file:
            file.writestr("a.txt", "x")
    with pytest.raises(BadTemplate, match=r"own\.docx is no Word file \(\.docx\), or a broken one\."):
        write_word(day, tmp_path, template)


def test_template_is_written_once(tmp_path: Path) -> None:
    target = tmp_path / "own.docx"
    write_word_template(target)
    assert target.read_bytes() == read_shipped_template()
    with pytest.raises(UsageError, match="exists already"):
        write_word_template(target)
    with pytest.raises(UsageError, match=r"the ending must be \.docx"):
        write_word_template(tmp_path / "own.dotx")


def test_style_of_the_configuration(tmp_path: Path) -> None:
    config = Config.model_validate({"review": {"template": tmp_path / "none.docx"}})
    with pytest.raises(UsageError, match=r"review\.template: there is no file .*none\.docx\."):
        load_style(config)
    own = edit_template(tmp_path, lambda _: None)
    assert load_style(config, own).word_template == own
    with pytest.raises(UsageError, match=r"--template: there is no file"):
        load_style(Config(), tmp_path / "x.docx")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_letterhead_is_in_word_pdf_and_html(day: Store, tmp_path: Path, suffix: str) -> None:
    style = make_style(make_logo(tmp_path, suffix))
    for ending in ("docx", "pdf", "html"):
        write_review(tmp_path / f"review.{ending}", make_view(day, "ru"), style)
    document = Document(tmp_path / "review.docx")
    (row,) = document.tables[0].rows
    assert [cell.text for cell in row.cells] == [NAME, ""]
    extent = row.cells[1]._tc.find(f".//{qn('wp:extent')}")
    assert [round(int(extent.get(side)) / 36_000) for side in ("cx", "cy")] == [42, 14]  # millimetres
    page = PdfReader(tmp_path / "review.pdf").pages[0]
    assert NAME in page.extract_text()
    assert [(image.image.size if image.image else None) for image in page.images] == [(300, 100)]
    html = (tmp_path / "review.html").read_text(encoding="utf-8")
    assert "Пресс-служба «Қызыл Жарты Ай» &amp; Co</td>" in html
    assert f'<img src="data:image/{"jpeg" if suffix == "jpg" else "png"};base64,' in html


def test_a_name_without_a_logo_and_a_logo_without_a_name(day: Store, tmp_path: Path) -> None:
    logo = make_style(make_logo(tmp_path)).letterhead.logo
    for letterhead in (Letterhead(organisation=NAME), Letterhead(logo=logo)):
        for ending in ("docx", "pdf", "html"):
            write_review(tmp_path / f"review.{ending}", make_view(day, "en"), ReviewStyle(letterhead=letterhead))
        texts = [cell.text for cell in Document(tmp_path / "review.docx").tables[0].rows[0].cells]
        assert texts == [letterhead.organisation or "", ""]
        assert bool(PdfReader(tmp_path / "review.pdf").pages[0].images) is (letterhead.logo is not None)
        assert ("<img" in (tmp_path / "review.html").read_text("utf-8")) is (letterhead.logo is not None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no picture that can be read. Save it as .png or .jpg."),
        (b"", "is no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2_000_000), "is larger than 2 MB"),
    ],
)
def test_unusable_logo_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "logo.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        make_style(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"review.logo: {path}")


@pytest.mark.parametrize("ending", ["docx", "pdf"])
@pytest.mark.parametrize("length", [8, 20, 60])
def test_a_logo_that_is_cut_off_is_refused(day: Store, tmp_path: Path, ending: str, length: int) -> None:
    data = make_logo(tmp_path).read_bytes()[:length]
    style = ReviewStyle(letterhead=Letterhead(logo=Logo(tmp_path / "logo.png", data, "image/png")))
    with pytest.raises(ConfigError, match="is no picture that can be read"):
        write_review(tmp_path / f"review.{ending}", make_view(day, "en"), style)
    assert not (tmp_path / f"review.{ending}").exists()


def test_a_logo_keeps_its_proportions(tmp_path: Path) -> None:
    for pixels, millimetres in {(300, 100): (42, 14), (1200, 100): (60, 5), (10, 70): (2, 14)}.items():
        data = make_logo(tmp_path, size=pixels).read_bytes()
        assert measure_logo(Logo(tmp_path, data, "image/png")) == pytest.approx(millimetres)
