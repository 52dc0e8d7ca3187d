"""A stored page shows every mutant that breaks a selector, drops a field or empties a result of the extraction."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mutation import MUTATED_FILES, MUTATED_MODULES, MutationLaboratory, make_data_mutants, make_mutants

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

NOT_READ = "callers read only the tags img, li and figcaption"
TYPES = "a record of other types is a problem, which no expectation states; tests/pages/test_govkz.py tries it"
MESSAGE = "it is in an error message only"
LABELS = "stored pages end with a label that is a whole line; tests/pages/test_govkz_rendered.py tries all labels"
SURVIVORS = {
    "pages.blocks: Block: garble 'p'": NOT_READ,
    "pages.blocks: parse_text: garble 'p'": NOT_READ,
    "pages.blocks: _BlockCollector.__init__: garble 'p'": NOT_READ,
    "pages.refusal: raise_if_refused: garble 'location'": MESSAGE,
    "pages.refusal: raise_if_refused: garble 'nowhere'": MESSAGE,
    "pages.base: Page.select_one: return found[0]": "for new sources; tests/pages/test_page_base.py tries it",
    **{
        f"pages.govkz: module: garble {key}": TYPES
        for key in ("'title' #2", "'body' #2", "'short_description'", "'heropic'", "'alt_image'")
    },
    "pages.govkz: NewsAnswer.make_answer_error: garble '; '": MESSAGE,
    "pages.govkz: NewsAnswer.parse_created_date: garble 'utc'": "a setting; tests/pages/test_govkz.py tries it",
    "pages.govkz_rendered: _load_end_pattern: garble '|'": LABELS,
    "pages.govkz_rendered: _load_end_pattern: garble '|' #3": LABELS,
    "page_labels.toml: garble govkz.end_beginnings": LABELS,
    **{
        f"spiders.ktkz: KtArticle.find_parts: garble '{field}'": "a name in an error; tests/spiders/test_ktkz.py"
        for field in ("body", "nothing", "published_at", "title")
    },
    "spiders.govkz: module: garble 'query News($projects: String, $lang: Str'": "it is in the request, not in the page",
    "spiders.qazmonitor: split_captions: garble 'img'": "no caller reads the tag of an image that was found",
    "spiders.qazmonitor: split_captions: garble 'img' #2": "no caller reads the tag of a caption that was found",
    **{
        mutant: entry["reason"]
        for entry in tomllib.loads(Path(__file__).with_name("surviving_mutants.toml").read_text("utf-8"))["survivors"]
        for mutant in entry["mutants"]
    },
}
"""Mutants that no stored page can show, each with the reason. One that a page shows must leave the list."""


@pytest.fixture(scope="module")
def laboratory() -> Iterator[MutationLaboratory]:
    yield MutationLaboratory()


def test_unchanged_code_passes(laboratory: MutationLaboratory) -> None:
    assert laboratory.find_witness(None) is None


@pytest.mark.parametrize("module", MUTATED_MODULES)
def test_a_stored_page_shows_every_mutant(laboratory: MutationLaboratory, module: str) -> None:
    found = {mutant.name: laboratory.find_witness(mutant) for mutant in make_mutants(module)}
    assert found
    survived = {name for name, witness in found.items() if witness is None}
    justified = {name for name in SURVIVORS if name.startswith(f"{module}:")}
    assert survived == justified


@pytest.mark.parametrize("file", MUTATED_FILES)
def test_a_stored_page_shows_every_garbled_label(laboratory: MutationLaboratory, file: str) -> None:
    found = {mutant.name: laboratory.find_witness(mutant) for mutant in make_data_mutants(file)}
    survived = {name for name, witness in found.items() if witness is None}
    assert survived == {name for name in SURVIVORS if name.startswith(f"{file}:")}


def test_survivors_are_mutants() -> None:
    names = {mutant.name for module in MUTATED_MODULES for mutant in make_mutants(module)}
    names |= {mutant.name for file in MUTATED_FILES for mutant in make_data_mutants(file)}
    assert set(SURVIVORS) <= names


def test_no_mutant_merely_fails_to_import(laboratory: MutationLaboratory) -> None:
    """A mutant that breaks the module itself would prove nothing about the stored pages."""
    mutants = [mutant for module in MUTATED_MODULES for mutant in make_mutants(module)]
    assert not [m.name for m in mutants if (laboratory.find_witness(m) or "").startswith("does not import")]
