"""`crawler diff` of two text files and of JSON lines. test_versions_command.py has that of stored versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawler.cli.app import app
from crawler.errors import UsageError

OLD = "The parties must meet twice a year. He was released.\n"
NEW = "The parties should meet once a year.\n"


def run(*arguments: str, given: str | bytes | None = None) -> str:
    found = CliRunner().invoke(app, ("diff", *arguments), input=given, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(OLD, encoding="utf-8-sig")
    (tmp_path / "b.txt").write_text(NEW, encoding="utf-8")
    return tmp_path


def test_two_files_are_compared(folder: Path) -> None:
    lines = run("a.txt", "b.txt").splitlines()
    assert lines[0] == "a.txt → b.txt"
    assert lines[1].startswith("substantive: ")
    assert "The parties [-must-]{+should+} meet [-twice-]{+once+} a year." in lines[4]
    assert "(a sentence removed)" in lines[5]
    assert run("a.txt", "a.txt").splitlines()[1] == "nothing changed"
    assert not list(folder.glob("*.db"))


def test_two_files_as_json(folder: Path) -> None:
    found = json.loads(run("a.txt", "b.txt", "--language", "en", "--json"))
    assert (found["from"], found["to"], found["severity"]) == ("a.txt", "b.txt", "substantive")
    assert {"modality", "figures", "removed"} <= set(found["kinds"])
    assert found["edits"][1]["old"] == "He was released."


def test_lines_of_edits_from_standard_input_and_from_a_file(folder: Path) -> None:
    edits = [
        {"id": 7, "language": "ru", "before": "Просмотров: 12", "after": "Просмотров: 15"},
        {"id": "b", "language": "kk", "before": "Ол он бес үй салды.", "after": "Ол 15 үй салды."},
        {"id": "c", "before": "Long talks.", "after": "Short talks."},
        {"id": "d", "language": "en", "before": OLD, "after": NEW},
        {"id": "e", "before": "Same.", "after": "Same."},
    ]
    text = "\n".join(json.dumps(edit) for edit in edits) + "\n\n"
    rows = [json.loads(line) for line in run("--jsonl", given=text).splitlines()]
    assert [(row["id"], row["severity"]) for row in rows] == [
        (7, "cosmetic"),
        ("b", "cosmetic"),
        ("c", "editorial"),
        ("d", "substantive"),
        ("e", "none"),
    ]
    assert set(rows[0]) == {"id", "severity", "kinds", "reason"}
    (folder / "edits.jsonl").write_text(text, encoding="utf-8")
    assert [json.loads(line) for line in run("--jsonl", "edits.jsonl").splitlines()] == rows


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        ((), None, "needs an article"),
        (("a.txt", "missing.txt"), None, "There is no text file missing.txt"),
        (("a.txt", "b.txt", "--from", "1"), None, "versions of an article"),
        (("a.txt", "b.txt", "--language", "fr"), None, "--language fr"),
        (("--jsonl", "a.txt", "b.txt"), None, "takes one file"),
        (("--jsonl",), '{"id": 1, "before": "a"}', "line 1 of standard input"),
        (("--jsonl",), '{"id": 1, "before": "a", "after": "b"}\nnonsense', "line 2 of standard input is not JSON"),
        (("--jsonl",), '{"id": 1, "language": "fr", "before": "a", "after": "b"}', '"language" is not one of'),
        (("--jsonl",), "[1]", 'needs "id"'),
        (("--jsonl",), "\n", "no line in standard input"),
    ],
)
def test_wrong_input_is_named(folder: Path, arguments: tuple[str, ...], given: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(app, ("diff", *arguments), input=given, catch_exceptions=False)


def test_file_of_another_encoding_is_refused(folder: Path) -> None:
    (folder / "c.txt").write_bytes("Привет".encode("cp1251"))
    with pytest.raises(UsageError, match=r"c\.txt is not UTF-8"):
        run("a.txt", "c.txt")
