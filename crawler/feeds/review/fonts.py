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

FAMILY = "Review"
CUTS = {"": "notos", "-Bold": "notosbo", "-Italic": "notosit", "-BoldItalic": "notosbi"}
SPARE = "ReviewSpare"
UNKNOWN = "\ufffd"
"""What stands for a sign that both lack."""
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
"""Soft hyphens, joiners, marks of direction: left out."""


@cache
def register() -> None:
    """Make the family known to reportlab, once."""
    for cut, name in CUTS.items():
        pdfmetrics.registerFont(TTFont(FAMILY + cut, BytesIO(pymupdf_fonts.myfont(name))))
    pdfmetrics.registerFont(TTFont(SPARE, BytesIO(pymupdf_fonts.myfont("figo"))))
    pdfmetrics.registerFontFamily(FAMILY, FAMILY, *(FAMILY + cut for cut in list(CUTS)[1:]))


def stretches(text: str) -> list[tuple[str, str]]:
    """The text cut by the font that has its signs, each with the font's name."""
    found: list[tuple[str, str]] = []
    for sign in INVISIBLE.sub("", text):
        font = next((name for name in (FAMILY, SPARE) if sign == "\n" or _has(name, sign)), None)
        name, drawn = (font, sign) if font else (FAMILY, UNKNOWN)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + drawn)
        else:
            found.append((name, drawn))
    return found


def _has(font: str, sign: str) -> bool:
    return ord(sign) in pdfmetrics.getFont(font).face.charToGlyph
