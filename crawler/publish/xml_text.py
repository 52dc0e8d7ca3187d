"""Signs that no file for others may hold: those that XML forbids, and halves of letters that are no text at all."""

from __future__ import annotations

import re

XML_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sanitize_text(text: str) -> str:
    r"""The text without them.

    >>> clean("МККК\x00 \x1b[0m")
    'МККК [0m'
    """
    return XML_FORBIDDEN.sub("", text)
