"""Whatever breaks a selector, drops a field or empties a helper of the extraction is shown by a stored page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.mutation import MUTATED, MutationLaboratory, make_mutants

pytestmark = pytest.mark.slow

UNREAD = "only img, li and figcaption are asked for; the tag of anything else is never read"
TYPES = "a record of other types is a problem, which no expectation states; tried by tests/platforms/test_govkz.py"
GATES = "a challenge shows several of these signs; each is tried by tests/extract/test_refusal.py"
SURVIVORS = {
    **{
        f"platforms.govkz: NewsAnswer.article: garble {key}": TYPES
        for key in ("'body' #2", "'short_description'", "'alt_image'", "'title' #2", "'heropic'")
    },
    **{
        f"extract.refusal: module: garble '{word}'": GATES
        for word in (
            *("__ddg", "_incapsula", "access denied", "attention required", "captcha-delivery", "cf-chl-", "verify"),
            *("challenges.cloudflare", "ddos-guard", "just a moment", "one more step"),
        )
    },
    "extract.refusal: check: garble 'location'": "stands in a sentence for people",
    "extract.refusal: check: garble 'nowhere'": "stands in a sentence for people",
    **{
        f"spiders.ktkz: KtArticle.parts: garble '{field}'": "the field's name in an error; tests/spiders/test_ktkz.py"
        for field in ("body", "nothing", "published_at", "title")
    },
    "extract.page: module: garble 'letters of the text, asked for as '": "stands in a sentence for people",
    "extract.page: Page.one: return found[0]": "for new sources; tried by tests/extract/test_page.py",
    "extract.blocks: Block: garble 'p'": UNREAD,
    "extract.blocks: of_text: garble 'p'": UNREAD,
    "extract.blocks: _Walk.__init__: garble 'p'": UNREAD,
    "platforms.govkz: NewsAnswer.read: garble 'id' #3": "ids page the list; tried by tests/platforms/test_govkz.py",
    "platforms.govkz: NewsAnswer.refusal_of: garble '; '": "stands in a sentence for people",
    "platforms.govkz: NewsAnswer.published: garble 'utc'": "a setting; tried by tests/platforms/test_govkz.py",
    "spiders.mfa: module: garble 'query News($projects: String, $lang: Str'": "asked of the site, not read from it",
    "spiders.qazmonitor: captions: garble 'img' #3": "the tag of a picture that was found is never read",
    "spiders.qazmonitor: captions: garble 'img' #5": "the tag of a caption that was found is never read",
    "spiders.qazmonitor: captions: garble 'img' #4": "text before its image; tests/spiders/test_qazmonitor.py",
}
"""Mutants that no stored page can show, each with the reason; one that a page shows must leave the list."""


@pytest.fixture(scope="module")
def laboratory() -> Iterator[MutationLaboratory]:
    yield MutationLaboratory()


def test_unchanged_code_passes(laboratory: MutationLaboratory) -> None:
    assert laboratory.find_witness(None) is None


@pytest.mark.parametrize("module", MUTATED)
def test_every_mutant_is_shown_by_a_stored_page(laboratory: MutationLaboratory, module: str) -> None:
    found = {mutant.name: laboratory.find_witness(mutant) for mutant in make_mutants(module)}
    assert len(found) >= 5
    survived = {name for name, witness in found.items() if witness is None}
    justified = {name for name in SURVIVORS if name.startswith(f"{module}:")}
    assert survived == justified


def test_survivors_are_mutants() -> None:
    assert set(SURVIVORS) <= {mutant.name for module in MUTATED for mutant in make_mutants(module)}


def test_no_mutant_merely_fails_to_import(laboratory: MutationLaboratory) -> None:
    """A mutant that breaks the module itself would prove nothing about the stored pages."""
    names = [m for module in MUTATED for m in make_mutants(module)]
    assert not [m.name for m in names if (laboratory.find_witness(m) or "").startswith("does not import")]
