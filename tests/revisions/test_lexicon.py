"""Test the words of meaning: how many there are, how phrases and forms are found, and that the file has no slips."""

from __future__ import annotations

import re

import pytest

from crawler.defaults import load_default_toml
from crawler.revisions.kinds import ChangeKind
from crawler.revisions.lexicon import is_listed, list_english_forms, list_groups, load_word_classes

MIN_ENTRIES = 40


@pytest.mark.parametrize("name", ["modality", "quantifiers", "frequency", "stance"])
@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_each_language_has_enough_words(name: str, language: str) -> None:
    groups = load_default_toml("revision_words.toml")[name].values()
    assert len({word for group in groups for word in group.get(language, "").split()}) >= MIN_ENTRIES


def test_every_class_is_a_kind() -> None:
    assert set(load_word_classes()) <= set(ChangeKind)


def test_entries_are_well_formed() -> None:
    for name, groups in load_default_toml("revision_words.toml").items():
        for group, languages in groups.items():
            for language, words in languages.items():
                bad = [word for word in words.split() if not re.fullmatch(r"(?:[^\W\d_]+\*?[_-])*[^\W\d_]+[*~]?", word)]
                assert (name, group, language, bad) == (name, group, language, [])


def test_longest_phrase_counts() -> None:
    words = "the minister of the interior must at least once a year".split()
    assert [each.groups for each in load_word_classes()["participants"].find_meanings(words)] == [
        frozenset({"interior_minister"})
    ]
    assert [each.groups for each in load_word_classes()["quantifiers"].find_meanings(words)] == [
        frozenset({"at_least"})
    ]
    assert [each.groups for each in load_word_classes()["frequency"].find_meanings(words)] == [frozenset({"yearly"})]


def test_words_of_one_group() -> None:
    for one, other in (("must", "shall"), ("осудил", "осуждает"), ("тиіс", "керек"), ("signed", "signature")):
        assert list_groups(one) & list_groups(other)
    for one, other in (("must", "should"), ("осудил", "отметил"), ("тиіс", "мүмкін"), ("signed", "discussed")):
        assert is_listed(one)
        assert not list_groups(one) & list_groups(other)


def test_english_forms() -> None:
    assert list(list_english_forms("urge")) == ["urge", "urges", "urged", "urging"]
    assert list(list_english_forms("deny")) == ["deny", "denies", "denied", "denying"]
    assert list(list_english_forms("launch")) == ["launch", "launches", "launched", "launching"]
