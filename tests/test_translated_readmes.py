"""The READMEs in Russian and Kazakh have the commands, pictures and links of README.md."""

from __future__ import annotations

import re

import pytest
from support.sandbox import ROOT


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_commands_pictures_and_links_are_those_of_the_original(language: str) -> None:
    original = (ROOT / "README.md").read_text(encoding="utf-8")
    translated = (ROOT / "docs" / f"README.{language}.md").read_text(encoding="utf-8")
    assert list_code_blocks(translated) == list_code_blocks(original)
    targets = {(ROOT / target).resolve() for target in list_link_targets(original)}
    translated_targets = {(ROOT / "docs" / target).resolve() for target in list_link_targets(translated)}
    readmes = {ROOT / "README.md", *(ROOT / "docs").glob("README.*.md")}
    assert translated_targets - readmes == targets - readmes


def list_code_blocks(text: str) -> list[str]:
    return re.findall(r"^```\n.*?^```$", text, re.MULTILINE | re.DOTALL)


def list_link_targets(text: str) -> list[str]:
    return re.findall(r"\]\(([\w./-]+)\)", text)
