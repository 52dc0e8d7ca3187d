"""A stored page shows every mutant that breaks a selector, drops a field or empties a result of the extraction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.mutation import MUTATED_FILES, MUTATED_MODULES, MutationLaboratory, make_data_mutants, make_mutants

pytestmark = pytest.mark.slow

SURVIVORS: dict[str, str] = {}
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
