"""The extractors whose opinions decide what an article's text is. They are the extra `sites`.

None of them fetches anything here: each gets the page's text. Their dates are not used, because some are guesses.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.util import find_spec

from crawler.errors import UsageError, format_install_advice
from crawler.pages.blocks import parse_markup

REQUIRED_PACKAGES = ("trafilatura", "readability", "resiliparse")
LOUD_LOGGERS = ("trafilatura", "readability", "htmldate", "courlan")


def raise_if_not_installed() -> None:
    """Raise UsageError, with the command that installs it, when the extra `sites` is missing."""
    try:
        is_complete = all(find_spec(name) is not None for name in REQUIRED_PACKAGES)
    except ValueError:
        is_complete = False
    if not is_complete:
        raise UsageError(f"Reading pages of any site needs optional packages. {format_install_advice('sites')}")


def run_extractors(html: str) -> dict[str, str]:
    """Return the article's text as each extractor reads it, by its name; "" where one fails or finds nothing."""
    for name in LOUD_LOGGERS:  # they log an error for each page without text
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return {name: _run_extractor(extract, html) for name, extract in EXTRACTORS.items()}


def _run_extractor(extract: Callable[[str], str | None], html: str) -> str:
    try:
        return extract(html) or ""
    except Exception:  # noqa: BLE001 - a page that breaks one extractor is read by the others
        return ""


def _read_precisely(html: str) -> str | None:
    import trafilatura

    return trafilatura.extract(html, favor_precision=True, include_comments=False)


def _read_fast(html: str) -> str | None:
    import trafilatura

    return trafilatura.extract(html, fast=True, include_comments=False)


def _read_by_readability(html: str) -> str:
    import readability

    blocks = parse_markup(readability.Document(html).summary())
    return "\n".join(block.text for block in blocks if not block.is_image)


def _read_by_resiliparse(html: str) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    text: str = extract_plain_text(html, main_content=True)
    return text


EXTRACTORS: Mapping[str, Callable[[str], str | None]] = {
    "trafilatura": _read_precisely,
    "readability": _read_by_readability,
    "resiliparse": _read_by_resiliparse,
    "trafilatura_fast": _read_fast,
}
"""By their names in `evidence` and in `defaults/line_weights.toml`."""
