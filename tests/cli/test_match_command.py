"""`crawler match` and `crawler rules check`, for people and scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crawler.cli.commands import match as command
from crawler.cli.commands import rules
from crawler.errors import RuleError, UsageError

RUN = CliRunner()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    """Both commands, in a folder without configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = typer.Typer()
    made.command("match")(command.match)
    made.add_typer(rules.app, name="rules")
    return made


def test_a_text_is_explained(app: typer.Typer) -> None:
    done = RUN.invoke(app, ["match"], input="Глава Красного Креста прибыл. IHL group met.")
    assert done.exit_code == 0
    assert "STRONG  red-cross-movement  'Красного Креста', a form of 'Красный Крест'  (body 6-21)" in done.stdout
    assert "WEAK  ihl  'IHL'" in done.stdout
    assert "because: directly followed by 'group'" in done.stdout
    assert done.stdout.endswith("Relevant: 1 strong of 2 matches.\n")


def test_nothing_found_and_weak_only(app: typer.Typer) -> None:
    assert "no rule matches" in RUN.invoke(app, ["match"], input="Nothing.").stdout
    assert "1 weak match only" in RUN.invoke(app, ["match"], input="The IHL met.").stdout


def test_json_lines(app: typer.Typer, tmp_path: Path) -> None:
    records = [
        {"id": 1, "text": "МККК\u2028и"},
        {"id": "b", "text": "Nothing.", "title": "Red Cross aid", "lang": "en"},
        {"id": 3, "text": "IHL"},
    ]
    (tmp_path / "in.jsonl").write_text(
        "\n\n".join(json.dumps(one, ensure_ascii=False) for one in records), encoding="utf-8"
    )
    done = RUN.invoke(app, ["match", "--jsonl", "in.jsonl"])
    said = [json.loads(line) for line in done.stdout.strip().split("\n")]
    assert [(one["id"], one["relevant"], len(one["matches"])) for one in said] == [
        (1, True, 1),
        ("b", True, 1),
        (3, False, 1),
    ]
    assert said[1]["matches"][0]["field"] == "title"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "The line 2 of standard input is not JSON"),
        ("[" * 100_000, "The line 2 of standard input is not JSON"),
        ('{"id": 1}', 'needs "id" and "text"'),
        ('{"id": 1, "text": "a", "title": 3}', "'title' is not a text"),
    ],
)
def test_a_broken_line_is_named(app: typer.Typer, line: str, message: str) -> None:
    done = RUN.invoke(app, ["match", "--jsonl"], input='{"id": 0, "text": "x"}\n' + line)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_a_list_without_a_line_is_refused(app: typer.Typer) -> None:
    assert "no line in standard input" in str(RUN.invoke(app, ["match", "--jsonl"], input="\n").exception)


def test_a_missing_or_foreign_file_is_named(app: typer.Typer, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(RUN.invoke(app, ["match", "none.txt"]).exception)
    (tmp_path / "old.txt").write_bytes("крест".encode("cp1251"))
    assert "is not UTF-8 at byte 0" in str(RUN.invoke(app, ["match", "old.txt"]).exception)


def test_rules_file_of_the_owner(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[rule]]\nname = "water"\nterms.en = ["river", "IWP"]\n', encoding="utf-8")
    assert "STRONG  water" in RUN.invoke(app, ["match", "--rules", "own.toml"], input="Two rivers.").stdout
    checked = RUN.invoke(app, ["rules", "check", "own.toml"]).stdout
    assert "water: 2 terms, 4 forms" in checked
    assert "IWP is short and may mean something else" in checked
    assert "own.toml: 1 rule, no error" in checked


def test_the_shipped_rules_pass_their_own_check(app: typer.Typer) -> None:
    done = RUN.invoke(app, ["rules", "check"])
    assert "shipped rules: 3 rules, no error" in done.stdout
    assert "may mean something else" not in done.stdout


def test_a_broken_rule_file_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[[rule]]\nname = "x"\n', encoding="utf-8")
    assert isinstance(RUN.invoke(app, ["rules", "check", "bad.toml"]).exception, RuleError)


@pytest.mark.parametrize("words", [["match", "--rules", "none.toml"], ["rules", "check", "none.toml"]])
def test_a_missing_rules_file_of_the_command_line_is_named(app: typer.Typer, words: list[str]) -> None:
    message = str(RUN.invoke(app, words, input="x").exception)
    assert "none.toml cannot be read: No such file or directory. Correct the name" in message
    assert "crawler.toml" not in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--language", "de"), "There is no language 'de'. Known languages: en, kk, ky, ru, tg, uz."),
        (("--source", "mfaa"), "did you mean 'mfa'?"),
    ],
)
def test_unknown_names_are_refused(app: typer.Typer, words: tuple[str, ...], message: str) -> None:
    done = RUN.invoke(app, ["match", *words], input="x")
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_the_schema_is_printed(app: typer.Typer) -> None:
    assert json.loads(RUN.invoke(app, ["rules", "schema"]).stdout)["title"] == "RuleFile"
