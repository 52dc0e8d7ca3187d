"""Title, paragraphs and foot of a PDF by the size of its letters and the distance of its lines."""

from __future__ import annotations

import pytest

from crawler.generic.pdf_release import (
    FIRST_PARAGRAPH,
    PdfLine,
    find_heading,
    find_title,
    join_paragraphs,
    load_no_titles,
    read_lines,
    remove_foot,
)

LETTERHEAD = [PdfLine("WATER COMMISSION", 24, 800), PdfLine("Dushanbe, 3 May 2026", 10, 770)]
TITLE = [PdfLine("Ferry resumes on the upper lake", 18, 740), PdfLine("after a pause", 18, 718)]
TEXT = [
    PdfLine("The ferry carried passengers again on Saturday, after weeks", 12, 690),
    PdfLine("in which the pier was rebuilt plank by plank by the crew.", 12, 673),
    PdfLine("Who may cross", 12, 640, is_bold=True),
    PdfLine("Trucks over twelve tons will wait until the second pier is", 12, 624),
    PdfLine("tested.", 12, 607),
]
FOOT = [PdfLine("12 Canal Street, Dushanbe", 8, 30)]


def test_title_is_the_longest_run_of_larger_letters_before_the_text() -> None:
    lines = [*LETTERHEAD, *TITLE, *TEXT]
    assert find_heading(lines) == slice(2, 4)
    assert find_heading([*LETTERHEAD[1:], *TEXT]) is None
    assert find_heading([*TEXT, *TITLE]) is None
    assert find_heading([]) is None


PLAIN_TITLE = [PdfLine(line.text, 12, line.height) for line in TITLE]
BOLD_TITLE = [PdfLine(line.text, 12, line.height, is_bold=True) for line in TITLE]
HEAD = [PdfLine("WATER COMMISSION OF THE REGION", 12, 800, is_bold=True), PdfLine("Dushanbe, 3 May 2026", 12, 770)]
WHOLE_TITLE = "Ferry resumes on the upper lake after a pause"


@pytest.mark.parametrize(
    ("title", "stated", "text", "rule"),
    [
        (TITLE, "Market opens in the north", WHOLE_TITLE, "largest letters"),
        (PLAIN_TITLE, f"{WHOLE_TITLE}.", WHOLE_TITLE, "title in the file's data and in the text"),
        (
            [],
            "Passengers carried on Saturday again",
            "Passengers carried on Saturday again",
            "title in the file's data",
        ),
        (BOLD_TITLE, "Market opens in the north", WHOLE_TITLE, "bold letters"),
        (BOLD_TITLE, "Microsoft Word - the ferry carried passengers.docx", WHOLE_TITLE, "bold letters"),
        (PLAIN_TITLE, "", "WATER COMMISSION OF THE REGION", "bold letters"),
        (PLAIN_TITLE, "Market opens in the north", "WATER COMMISSION OF THE REGION", "bold letters"),
    ],
)
def test_title_without_larger_letters(title: list[PdfLine], stated: str, text: str, rule: str) -> None:
    found = find_title([*HEAD, *title, *TEXT], stated)
    assert (found.text, found.rule) == (text, rule)


def test_title_that_nothing_marks_is_the_first_paragraph() -> None:
    found = find_title([*PLAIN_TITLE, *TEXT], "release_12-final.docx")
    assert (found.text, found.place, found.rule) == (None, None, FIRST_PARAGRAPH)


@pytest.mark.parametrize(
    ("text", "is_title"),
    [
        ("PRESS RELEASE No. 25/2026", False),
        ("Пресс-релиз № 4", False),
        ("Баспасөз релизі", False),
        ("Document1", False),
        ("2026-11-28_release", False),
        ("Press release rules change in May", True),
        ("Ferry resumes", True),
    ],
)
def test_labels_and_file_names_are_no_titles(text: str, is_title: bool) -> None:
    assert (load_no_titles().fullmatch(text) is None) == is_title


def test_paragraphs_end_at_larger_distances_and_other_letters() -> None:
    assert join_paragraphs(TEXT) == [f"{TEXT[0].text} {TEXT[1].text}", "Who may cross", f"{TEXT[3].text} tested."]


def test_without_distances_a_full_line_continues() -> None:
    lines = [PdfLine(line.text, 12, 690 - 17 * number) for number, line in enumerate(TEXT)]
    assert join_paragraphs(lines)[0] == f"{TEXT[0].text} {TEXT[1].text} Who may cross"


def test_one_large_distance_does_not_join_indented_paragraphs() -> None:
    texts = (
        "The pier was rebuilt plank by plank.",
        "Short end.",
        "The ferry carries lorries up to a weight of",
        "six.",
    )
    lines = [PdfLine(text, 12, 690 - 17 * number) for number, text in enumerate(texts)]
    assert join_paragraphs([PdfLine("Dushanbe", 12, 740), *lines])[1:] == [
        f"{texts[0]} {texts[1]}",
        f"{texts[2]} {texts[3]}",
    ]


def test_foot_in_small_letters_is_no_text() -> None:
    note = PdfLine("Prices are those of May.", 8, 595)
    assert [line.text for line in remove_foot([*FOOT, *TEXT, note])] == ["", *(line.text for line in TEXT), note.text]


def test_lines_of_a_page_have_their_letters_and_height() -> None:
    pytest.importorskip("reportlab")
    pypdf = pytest.importorskip("pypdf")
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    written = BytesIO()
    canvas = Canvas(written)
    for line in (TITLE[0], TEXT[2]):
        canvas.setFont("Helvetica-Bold" if line.is_bold else "Helvetica", line.size)
        canvas.drawString(72, line.height, line.text)
    canvas.save()
    assert [line for line in read_lines(pypdf.PdfReader(written).pages[0]) if line.text] == [TITLE[0], TEXT[2]]
