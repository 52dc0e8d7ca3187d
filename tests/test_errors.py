"""Errors: one sentence each, an exit code each, and the worst of several."""

from __future__ import annotations

import inspect
import itertools
import re
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
    suggest_nearest,
)

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]
TREE = {
    name: (len(indent) // 4, int(code) if code else None)
    for indent, name, code in re.findall(r"^    ([│├└─ ]*)([A-Z]\w+) +(\d+)?", errors.__doc__ or "", re.MULTILINE)
}


@pytest.mark.parametrize("cls", CLASSES)
def test_class_stands_in_the_tree_with_its_exit_code(cls: type[CrawlerError]) -> None:
    code = TREE[cls.__name__][1]
    if code is not None:
        assert cls.exit_code == code


def test_tree_holds_nothing_else() -> None:
    assert set(TREE) == {cls.__name__ for cls in CLASSES}


def test_children_follow_their_parent_in_the_tree() -> None:
    above: list[str] = []
    for name, (depth, _) in TREE.items():
        cls = getattr(errors, name)
        assert cls.__base__.__name__ == (above[depth - 1] if depth else "Exception")
        above[depth:] = [name]


@pytest.mark.parametrize("cls", CLASSES)
def test_class_says_what_it_is(cls: type[Exception]) -> None:
    assert (cls.__doc__ or "").strip()


RANKED = (1, 2, 12, 11, 10, 13, 14, 15)


@pytest.mark.parametrize(("higher", "lower"), list(itertools.combinations(RANKED, 2)))
def test_one_code_outranks_the_other(higher: int, lower: int) -> None:
    assert choose_exit_code([higher, lower]) == choose_exit_code([lower, 0, higher]) == higher


@pytest.mark.parametrize(
    ("codes", "code"), [([], 0), ([0, 0], 0), ([13], 13), ([0, 13], 13), ([77], 1), ([77, 12], 12)]
)
def test_worst(codes: list[int], code: int) -> None:
    assert choose_exit_code(codes) == code


@given(st.lists(st.sampled_from([0, *RANKED])))
def test_worst_is_one_of_them_in_any_order(codes: list[int]) -> None:
    assert choose_exit_code(codes) == choose_exit_code(reversed(codes)) == choose_exit_code(set(codes))
    assert choose_exit_code(codes) in {0, *codes}


def test_every_exit_code_has_a_rank() -> None:
    assert {cls.exit_code for cls in CLASSES} - {0} <= set(RANKED) == set(errors.EXIT_CODE_PRECEDENCE)
    assert NotAnArticle.exit_code == 0


def test_changed_page_names_field_selector_and_address() -> None:
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
def test_nearest(word: str, hint: str) -> None:
    assert suggest_nearest(word, ["mfa", "qazmonitor"]) == hint


def test_every_exit_code_is_told_in_the_readme_and_by_help() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = readme[readme.index("**Exit codes**") :].split("\n\n", 1)[0]
    codes, order = told.split("Of several, ", 1)
    assert sorted(int(found) for found in re.findall(r"(?::\s|·\s|\*\*: )(\d+) ", codes)) == sorted(
        {0, *EXIT_CODE_PRECEDENCE}
    )
    assert [int(found) for found in re.findall(r"\d+", order.split(".")[0])] == list(EXIT_CODE_PRECEDENCE)
    assert [int(found) for found in re.findall(r"\d+", app.info.epilog or "")] == sorted({0, *EXIT_CODE_PRECEDENCE})
