"""Errors: their tree, exit codes, stored names and hints."""

from __future__ import annotations

import inspect
import itertools
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import errors
from crawler.cli.app import app
from crawler.errors import (
    EXIT_CODE_PRECEDENCE,
    CrawlerError,
    NotAnArticle,
    PageChanged,
    UnknownSource,
    choose_exit_code,
    format_install_advice,
    suggest_nearest,
)

ROOT = Path(__file__).parents[1]
CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
TREE = {
    name: (len(indent) // 4, int(code) if code else None)
    for indent, name, code in re.findall(r"^    ([│├└─ ]*)([A-Z]\w+) +(\d+)?", errors.__doc__ or "", re.MULTILINE)
}


@pytest.mark.parametrize("cls", CLASSES)
def test_docstring_lists_class_with_its_exit_code(cls: type[CrawlerError]) -> None:
    code = TREE[cls.__name__][1]
    if code is not None:
        assert cls.exit_code == code


def test_docstring_lists_nothing_else() -> None:
    assert set(TREE) == {cls.__name__ for cls in CLASSES}


def test_docstring_lists_subclass_below_its_base() -> None:
    above: list[str] = []
    for name, (depth, _) in TREE.items():
        cls = getattr(errors, name)
        assert cls.__base__.__name__ == (above[depth - 1] if depth else "Exception")
        above[depth:] = [name]


@pytest.mark.parametrize("cls", CLASSES)
def test_class_has_a_docstring(cls: type[Exception]) -> None:
    assert (cls.__doc__ or "").strip()


RANKED = (17, 1, 20, 2, 18, 19, 21, 16, 12, 11, 10, 13, 14, 15)


@pytest.mark.parametrize(("higher", "lower"), list(itertools.combinations(RANKED, 2)))
def test_precedence_of_exit_codes(higher: int, lower: int) -> None:
    assert choose_exit_code([higher, lower]) == choose_exit_code([lower, 0, higher]) == higher


@pytest.mark.parametrize(
    ("codes", "code"), [([], 0), ([0, 0], 0), ([13], 13), ([0, 13], 13), ([77], 1), ([77, 12], 12)]
)
def test_choose_exit_code(codes: list[int], code: int) -> None:
    assert choose_exit_code(codes) == code


@given(st.lists(st.sampled_from([0, *RANKED])))
def test_chosen_exit_code_does_not_depend_on_order(codes: list[int]) -> None:
    assert choose_exit_code(codes) == choose_exit_code(reversed(codes)) == choose_exit_code(set(codes))
    assert choose_exit_code(codes) in {0, *codes}


def test_every_exit_code_has_a_rank() -> None:
    assert {cls.exit_code for cls in CLASSES} - {0} <= set(RANKED) == set(errors.EXIT_CODE_PRECEDENCE)
    assert NotAnArticle.exit_code == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NoSnapshots", "NothingStored"),
        ("MissingSnapshot", "NotStored"),
        ("NoArticles", "Silent"),
        ("SourceLocked", "Held"),
        ("ForbiddenTarget", "Refused"),
    ],
)
def test_renamed_classes_keep_their_stored_names(name: str, kind: str) -> None:
    assert getattr(errors, name).kind == kind


def test_stored_names_are_unique_and_mostly_the_class_names() -> None:
    kinds = [cls.kind for cls in CLASSES if issubclass(cls, CrawlerError)]
    assert len(set(kinds)) == len(kinds)
    assert len(set(kinds) - {cls.__name__ for cls in CLASSES}) == 5


def test_page_changed_names_field_selector_and_url() -> None:
    error = PageChanged("title", "h1", "nothing", "https://example.org/1")
    assert (error.field, error.selector, error.found, error.url) == ("title", "h1", "nothing", "https://example.org/1")
    assert all(
        part in str(error) for part in ("'title'", "'h1'", "nothing", "https://example.org/1", "crawler snapshot")
    )


def test_unknown_source_names_the_nearest_and_all() -> None:
    assert str(UnknownSource("mfo", ["qazmonitor", "mfa"])) == (
        "There is no source 'mfo', did you mean 'mfa'? Known sources: mfa, qazmonitor."
    )


@pytest.mark.parametrize(("word", "hint"), [("mfo", ", did you mean 'mfa'?"), ("zzz", ""), ("", "")])
def test_suggest_nearest(word: str, hint: str) -> None:
    assert suggest_nearest(word, ["mfa", "qazmonitor"]) == hint


def test_documents_and_help_list_every_exit_code() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = text[text.index("## Exit codes") :]
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]
    assert codes == sorted({0, *EXIT_CODE_PRECEDENCE})
    (order,) = re.findall(r"the first of ([\d, ]+) is the exit code", section)
    assert [int(code) for code in order.split(", ")] == list(EXIT_CODE_PRECEDENCE)
    assert [int(found) for found in re.findall(r"\d+", app.info.epilog or "")] == sorted({0, *EXIT_CODE_PRECEDENCE})


def test_install_advice_names_this_python() -> None:
    advice = format_install_advice("parquet")
    assert advice == f'Run in the project\'s folder: {sys.executable} -m pip install ".[parquet]"'


def test_message_that_quotes_a_site_is_one_line_without_unseen_characters() -> None:
    error = PageChanged("records", "x", "bad\x1b[2J\x07\u009b \u202e\nmfa: healthy", "https://example.org/\x1b")
    assert error.args[0].isprintable()
    assert "bad[2J mfa: healthy" in str(error)
