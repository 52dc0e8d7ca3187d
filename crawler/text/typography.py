"""One form for quotation marks, apostrophes and dashes."""

from __future__ import annotations

import unicodedata

_TYPOGRAPHY_TABLE = str.maketrans(
    dict.fromkeys("«»„“”‟″", '"') | dict.fromkeys("‘’‛′ʼ", "'") | dict.fromkeys("–—‑−", "-")
)


def normalize_typography(text: str) -> str:
    """Return the text in NFKC with plain quotation marks, apostrophes and hyphens. Letters keep their case."""
    return unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY_TABLE)
