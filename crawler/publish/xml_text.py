"""Text and elements of XML, without the characters that XML forbids."""

from __future__ import annotations

import re

from lxml import etree

XML_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters and lone surrogates. JSON and CSV are better without them too."""


def sanitize_text(text: str, replacement: str = "") -> str:
    r"""Return the text with each forbidden character replaced, by default with nothing.

    >>> sanitize_text("МККК\x00 \x1b[0m")
    'МККК [0m'
    """
    return XML_FORBIDDEN.sub(replacement, text)


def add_element(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """Add an element at the end of its parent, without forbidden characters and empty attributes. Return it."""
    values = {key: sanitize_text(value) for key, value in attributes.items() if value}
    element = etree.SubElement(parent, name, values)
    element.text = sanitize_text(text) if text is not None else None
    return element


def serialize_xml(root: etree._Element) -> bytes:
    """Return an XML document."""
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return document
