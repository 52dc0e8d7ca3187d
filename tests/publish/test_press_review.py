"""The press review as files in every language, read back: Word by python-docx, PDF by pypdf."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader
from support.day_of_news import revise_talks
from support.digest_text import BODIES, count_shown, make_view, remove_own_words, strip_markup

from crawler.errors import UsageError
from crawler.publish.composed_review import compose_digest
from crawler.publish.digest_view import DigestView
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.press_review import REVIEW_SUFFIXES, ReviewStyle, raise_if_unwritable, write_review
from crawler.store import Store

pytest.importorskip("docx")
pytest.importorskip("reportlab")
pytest.importorskip("pymupdf_fonts")
from docx import Document
from docx.oxml.ns import qn

KAZAKH = "ӘәҒғҚқҢңӨөҰұҮүҺһІі"
LINKS = 6 + 3
"""Stories and headings. The contents have a link to each."""


# A file takes up to half a second to write, and as long to read. Tests of one store share what they only read.
@lru_cache(maxsize=32)
def make_file(store: Store, name: str, **values: Any) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        write_review(path, make_view(store, path.stem, **values), ReviewStyle())
        return path.read_bytes()


@lru_cache(maxsize=32)
def open_word(store: Store, language: str, **values: Any) -> Any:
    return Document(BytesIO(make_file(store, f"{language}.docx", **values)))


@lru_cache(maxsize=32)
def open_pdf(store: Store, language: str, **values: Any) -> PdfReader:
    return PdfReader(BytesIO(make_file(store, f"{language}.pdf", **values)), strict=True)


@lru_cache(maxsize=32)
def list_page_texts(store: Store, language: str, **values: Any) -> list[str]:
    return [page.extract_text() for page in open_pdf(store, language, **values).pages]


def read_text(store: Store, name: str, **values: Any) -> str:
    """Return what a reader sees."""
    if name.endswith("docx"):
        found = open_word(store, name[:2], **values)
        return "\n".join(paragraph.text for paragraph in found.paragraphs)
    return "\n".join(list_page_texts(store, name[:2], **values))


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_word_has_headings_links_and_its_language(day: Store, language: str) -> None:
    found = open_word(day, language)
    headings = [
        (paragraph.style.name, paragraph.text) for paragraph in found.paragraphs if "Heading" in paragraph.style.name
    ]
    assert [name for name, _ in headings].count("Heading 1") == 4
    assert [text[:2] for name, text in headings if name == "Heading 2"] == ["1.", "2.", "3.", "4.", "5.", "6."]
    addresses = {link.address for paragraph in found.paragraphs for link in paragraph.hyperlinks if link.address}
    assert "https://www.gov.kz/memleket/entities/mfa/press/news/details/1300001?lang=ru" in addresses
    assert "https://www.kt.kz/rus/press-materialy/v_mid_obsudili_kurs_1378100001.html" in addresses
    assert found.core_properties.language[:2] == language
    assert found.core_properties.title.startswith(found.paragraphs[0].text)
    (spoken,) = found.styles.element.findall(f"{qn('w:docDefaults')}//{qn('w:lang')}")
    assert spoken.get(qn("w:val"))[:2] == language


def test_links_of_the_contents_have_bookmarks(day: Store) -> None:
    found = open_word(day, "ru")
    named = {mark.get(qn("w:name")) for mark in found.element.iter(qn("w:bookmarkStart"))}
    inside = [link.fragment for paragraph in found.paragraphs for link in paragraph.hyperlinks if not link.address]
    assert len(inside) == LINKS
    assert set(inside) <= named
    kinds = [mark.get(qn("w:fldCharType")) for mark in found.element.iter(qn("w:fldChar"))]
    assert kinds == ["begin", "separate", "end"]
    foot = found.sections[0].footer._element.xml
    assert "PAGE" in foot
    assert "NUMPAGES" in foot


def test_parts_of_the_word_file_are_well_formed(day: Store) -> None:
    """Word rejects a file whose run properties are not in the order of the schema."""
    order = "rStyle rFonts b bCs i iCs color sz szCs highlight u shd lang".split()
    with zipfile.ZipFile(BytesIO(make_file(day, "kk.docx"))) as parts:
        for name in parts.namelist():
            if not name.endswith(".xml"):
                continue
            for properties in etree.fromstring(parts.read(name)).iter(qn("w:rPr")):
                places = [order.index(tag) for each in properties if (tag := etree.QName(each).localname) in order]
                assert places == sorted(places), etree.tostring(properties)


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_pdf_has_letters_links_outline_and_pages(day: Store, language: str) -> None:
    found = open_pdf(day, language)
    texts = list_page_texts(day, language)
    assert "Қызылордада Қызыл Жарты Ай қоғамының" in " ".join(" ".join(texts).split())
    assert re.search(r"Уральске\s40\s.*Уральске\s60\s", " ".join(texts), re.DOTALL)
    assert "‹" in " ".join(texts)
    links = [link.get_object() for page in found.pages for link in page.get("/Annots", [])]
    addresses = {str(link["/A"]["/URI"]) for link in links if "/A" in link and "/URI" in link["/A"]}
    assert "https://qazmonitor.com/news/2001/exhibition-on-the-geneva-conventions" in addresses
    inside = [link for link in links if "/URI" not in link.get("/A", {})]
    assert len(inside) >= LINKS
    outline = found.outline
    assert len([each for each in outline if not isinstance(each, list)]) == 4
    stories = [each.title for part in outline if isinstance(part, list) for each in part]
    assert [title[:2] for title in stories] == ["1.", "2.", "3.", "4.", "5.", "6."]
    assert found.metadata is not None
    assert found.metadata.title
    assert str(found.trailer["/Root"]["/Lang"]) == language
    for number, text in enumerate(texts, start=1):
        phrases = make_view(day, language).phrases
        assert phrases.fill("page", page=str(number), pages=str(len(texts))) in text


def test_pdf_fonts_are_embedded_and_have_kazakh_letters(day: Store) -> None:
    from crawler.publish.press_review.pdf import FALLBACK_FONT, FONT_FAMILY, register_fonts, split_by_font

    register_fonts()
    assert split_by_font(f"{KAZAKH}«»…–‹›№₸") == [(FONT_FAMILY, f"{KAZAKH}«»…–‹›№₸")]
    assert split_by_font("a\u00ad→ b\U0001f600") == [
        (FONT_FAMILY, "a"),
        (FALLBACK_FONT, "→"),
        (FONT_FAMILY, " b"),
    ]
    for page in open_pdf(day, "kk").pages:
        for font in (each.get_object() for each in page["/Resources"]["/Font"].values()):
            assert "/FontFile2" in font.get("/FontDescriptor", {"/FontFile2": 0})


@pytest.fixture(scope="module")
def long_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with 18 stories that are as long as stories are. Do not write to it."""
    from support.day_of_news import NOON, make_article, save_article
    from support.empty_stores import open_test_store

    with open_test_store(f"sqlite:///{tmp_path_factory.mktemp('long_day') / 'crawler.db'}") as store:
        for number in range(18):
            body = f"Делегация МККК номер {number} посетила область и осмотрела склады с помощью для жителей. " * 40
            url = f"https://www.gov.kz/news/{number}"
            save_article(
                store, make_article(f"mfa:{number}:ru", f"МККК: день {number} и {number * 7}", body, NOON, url), NOON
            )
        yield store


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_first_story_begins_on_the_first_page(long_day: Store, language: str) -> None:
    """The contents take half of the page."""
    found = open_pdf(long_day, language)
    first, *others = [each for part in found.outline if isinstance(part, list) for each in part]
    assert found.get_destination_page_number(first) == 0
    pages = [found.get_destination_page_number(each) for each in others]
    assert pages == sorted(pages)


def test_pictures_that_no_font_has_leave_no_sign(store: Store) -> None:
    from support.day_of_news import NOON, make_article, save_article

    face, flag, pair, key = "\U0001f600", "\U0001f1f0\U0001f1ff", "\U0001f468\u200d\U0001f469", "1\ufe0f\u20e3"
    title = f"МККК {face}{flag} {pair} {key} \U0001f44d\U0001f3fd \U0001fae8 помог"
    save_article(store, make_article("mfa:1:ru", title, "О МККК \U0001f389. " * 30, NOON, "https://www.gov.kz/a"), NOON)
    text = " ".join(read_text(store, "ru.pdf").split())
    assert "1. МККК 1 помог" in text
    assert "\ufffd" not in text
    assert "\U0001f600" in read_text(store, "ru.docx")


@pytest.mark.parametrize("ending", ["docx", "pdf"])
def test_no_file_has_more_of_a_body_than_the_share(day: Store, ending: str) -> None:
    for language in OUTPUT_LANGUAGES:
        text = remove_own_words(make_view(day, language), read_text(day, f"{language}.{ending}"))
        for body in BODIES.values():
            assert count_shown(body, text) <= 0.3 * len(body) + 4
    assert count_shown(BODIES["talks"], remove_own_words(make_view(day, "ru"), read_text(day, f"ru.{ending}"))) > 100


@pytest.mark.parametrize("ending", ["docx", "pdf"])
def test_no_file_has_a_redacted_name(day: Store, ending: str) -> None:
    names = ("Милошевич", "Бакаев", "Оразбаева", "Волонтёры")
    seen = read_text(day, f"ru.{ending}", redact=names)
    assert "█" in seen or "––––" in seen
    if ending == "docx":
        with zipfile.ZipFile(BytesIO(make_file(day, "ru.docx", redact=names))) as parts:
            seen += "".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())
    else:
        found = open_pdf(day, "ru", redact=names)
        seen += str(found.outline) + str(found.metadata)
    assert not [name for name in names if name.casefold() in seen.casefold()]


@pytest.mark.parametrize("ending", [name[1:] for name in REVIEW_SUFFIXES])
def test_an_empty_review_is_a_valid_file(store: Store, ending: str) -> None:
    for language in OUTPUT_LANGUAGES:
        found = make_file(store, f"{language}.{ending}")
        assert found
        if ending in ("docx", "pdf"):
            text = " ".join(read_text(store, f"{language}.{ending}").split())
            assert make_view(store, language).phrases["nothing"] in text


def test_every_revised_article_of_a_story_says_what_changed(store: Store) -> None:
    revise_talks(store)
    for ending in ("docx", "pdf"):
        text = " ".join(read_text(store, f"en.{ending}").split())
        assert "Revised as well: Ministry of Foreign Affairs of Kazakhstan, Russian" in text
        assert text.count("Before:") == text.count("Now:") >= 2


def test_characters_that_xml_forbids_are_replaced(store: Store) -> None:
    from support.day_of_news import NOON, make_article, save_article

    title = "МККК \x0b\x00 \ud800 <b>&amp; \U0001f600 عربي"
    save_article(
        store, make_article("mfa:1:ru", title, "О МККК и о погоде. " * 9, NOON, 'https://www.gov.kz/a?b=1&c="2"'), NOON
    )
    for ending in REVIEW_SUFFIXES:
        assert make_file(store, f"ru{ending}")
    assert "<b>&amp;" in read_text(store, "ru.docx")


def test_a_file_is_complete_or_stays_as_it_was(day: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "en.pdf"
    target.write_text("what stood here before")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(UsageError, match="No space left"):
            write_review(target, make_view(day, "en"), ReviewStyle())
    assert target.read_text() == "what stood here before"
    assert list(tmp_path.iterdir()) == [target]


def test_an_unwritable_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must be one of \.html, \.md, \.txt, \.docx, \.pdf"):
        raise_if_unwritable(tmp_path / "review.rtf")
    with pytest.raises(UsageError, match="there is no folder"):
        raise_if_unwritable(tmp_path / "none" / "review.pdf")


@pytest.mark.parametrize(
    ("ending", "package"),
    [
        ("docx", "docx"),
        pytest.param("docx", "docxtpl", marks=pytest.mark.slow),
        pytest.param("pdf", "reportlab", marks=pytest.mark.slow),
        pytest.param("pdf", "pymupdf_fonts", marks=pytest.mark.slow),
    ],
)
def test_missing_extra_is_one_sentence(tmp_path: Path, ending: str, package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = ['digest', '-o', 'review.{ending}']\n"
    code += "from crawler.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)})  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"crawler: .{ending} needs an optional package. "
        f'Run in the project\'s folder: {sys.executable} -m pip install ".[review]"\n'
    )
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*.docx")) + list(tmp_path.glob("*.pdf"))


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_own_line_is_called_a_comment_in_every_form(day: Store, tmp_path: Path, language: str) -> None:
    label = {"en": "Comment of the newsroom", "ru": "Комментарий редакции", "kk": "Редакция түсініктемесі"}[language]
    view = make_view(day, language)
    names = [story.entry.id for story in view.digest.stories]
    composed = DigestView(compose_digest(view.digest, names, {names[0]: "Сверить город."}), view.phrases)
    for suffix in REVIEW_SUFFIXES:
        write_review(tmp_path / f"review{suffix}", composed, ReviewStyle())
    (commented,) = [
        paragraph
        for paragraph in Document(tmp_path / "review.docx").paragraphs
        if paragraph.style.name == "Review Comment"
    ]
    pages = PdfReader(tmp_path / "review.pdf").pages
    texts = [commented.text, "\n".join(page.extract_text() for page in pages)]
    texts += [strip_markup((tmp_path / f"review{suffix}").read_text(encoding="utf-8")) for suffix in (".html", ".md")]
    assert [f"{label}: Сверить город." in " ".join(text.split()) for text in texts] == [True] * 4
    plain = (tmp_path / "review.txt").read_text(encoding="utf-8")
    assert f"\n\n   | {label}: Сверить город.\n\n" in plain
