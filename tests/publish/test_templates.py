"""An error in an owner's template names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import ConfigError
from crawler.publish.templates import Templates

MISTAKES = {
    "One\n{{ nosuch }}\n": ("digest.txt:2", "'nosuch' is undefined"),
    "{% macro m() %}\n\n{{ nosuch }}\n{% endmacro %}\n{{ m() }}": ("digest.txt:3", "'nosuch' is undefined"),
    "One\nTwo\n{% if %}": ("digest.txt:3", "Expected an expression"),
    "One\n{{ 1|nosuch }}": ("digest.txt:2", "No filter named 'nosuch'"),
    "One\n{{ ''.__class__.mro() }}": ("digest.txt:2", "unsafe"),
    "\n{% include 'part.txt' %}": ("part.txt:4", "'lost' is undefined"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_an_error_names_file_and_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "digest.txt").write_text(text, encoding="utf-8")
    (tmp_path / "part.txt").write_text("\n\n\n{{ lost }}", encoding="utf-8")
    place, said = MISTAKES[text]
    with pytest.raises(ConfigError) as caught:
        Templates(tmp_path).render("digest.txt")
    assert str(caught.value).startswith(f"The template {tmp_path / place} cannot be used: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The template digest\.odt cannot be used"):
        Templates(tmp_path).render("digest.odt")


def test_an_error_in_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/digest.txt").write_text("\n{{ nosuch }}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"The template mine/digest\.txt:2 cannot be used"):
        Templates(Path("mine")).render("digest.txt")
