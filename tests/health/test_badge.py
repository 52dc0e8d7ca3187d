"""The small picture of a source: well-formed, readable aloud, with contrast, and with nothing from elsewhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from crawler.health.badge import BROKEN, COLOURS, badge
from crawler.items import Health

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("verdict", [*Health, "unwatched"])
def test_it_says_source_verdict_and_time(verdict: str) -> None:
    root = ElementTree.fromstring(badge("mfa", verdict, "since 2026-11-20 10:15"))
    said = f"mfa: {verdict}, since 2026-11-20 10:15"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == root.findtext(f"{SVG}title") == said
    assert [text.text for text in root.iter(f"{SVG}text")] == ["mfa", verdict, "since 2026-11-20 10:15"]


def test_texts_stay_inside() -> None:
    for source in ("x", "a-source-with-a-very-long-name"):
        root = ElementTree.fromstring(badge(source, "healthy", "since 2026-11-20 10:15"))
        for text in root.iter(f"{SVG}text"):
            half = float(text.attrib["textLength"]) / 2
            assert half < float(text.attrib["x"]) < float(root.attrib["width"]) - half


def test_many_may_stand_in_one_page() -> None:
    assert " id=" not in badge("mfa", "healthy", "x"), "an id would be the first picture's for all"


def test_names_are_no_markup() -> None:
    assert ElementTree.fromstring(badge("<a&b>", "healthy", "x")).findtext(f"{SVG}title") == "<a&b>: healthy, x"


def test_nothing_is_fetched() -> None:
    drawn = badge("mfa", "healthy", "since 2026-11-20 10:15").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|@import|href|<style|<script", drawn)


@pytest.mark.parametrize("colour", [*COLOURS.values(), BROKEN, "#24292f"])
def test_white_is_readable_on_each_colour(colour: str) -> None:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    light = sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (light + 0.05) >= 4.5
