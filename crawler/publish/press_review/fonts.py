"""The letters of the PDF: Noto Sans in four cuts, and FiraGO for what it lacks (arrows, other scripts), from the wheel
of `pymupdf-fonts`; nothing of the machine is used.
"""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO

import pymupdf_fonts
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from crawler.text.characters import UNPRINTED_CHARACTERS

FONT_FAMILY = "Review"
FONT_CUTS = {"": "notos", "-Bold": "notosbo", "-Italic": "notosit", "-BoldItalic": "notosbi"}
FALLBACK_FONT = "ReviewSpare"
REPLACEMENT_CHARACTER = "\ufffd"
"""What stands for a sign that both lack."""
INVISIBLE_CHARACTERS = re.compile(f"[{UNPRINTED_CHARACTERS}]")
"""Soft hyphens, joiners, marks of direction: left out."""


@cache
def register_fonts() -> None:
    """Make the family known to reportlab, once."""
    for cut, name in FONT_CUTS.items():
        pdfmetrics.registerFont(TTFont(FONT_FAMILY + cut, BytesIO(pymupdf_fonts.myfont(name))))
    pdfmetrics.registerFont(TTFont(FALLBACK_FONT, BytesIO(pymupdf_fonts.myfont("figo"))))
    pdfmetrics.registerFontFamily(FONT_FAMILY, FONT_FAMILY, *(FONT_FAMILY + cut for cut in list(FONT_CUTS)[1:]))


def split_by_font(text: str) -> list[tuple[str, str]]:
    """The text cut by the font that has its signs, each with the font's name."""
    found: list[tuple[str, str]] = []
    for sign in INVISIBLE_CHARACTERS.sub("", text):
        font = next((name for name in (FONT_FAMILY, FALLBACK_FONT) if sign == "\n" or _has_glyph(name, sign)), None)
        name, drawn = (font, sign) if font else (FONT_FAMILY, REPLACEMENT_CHARACTER)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + drawn)
        else:
            found.append((name, drawn))
    return found


def _has_glyph(font: str, sign: str) -> bool:
    return ord(sign) in pdfmetrics.getFont(font).face.charToGlyph
