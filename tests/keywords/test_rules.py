"""Rule files: errors with their line and remedy, the shipped rules and the schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.errors import RuleError
from crawler.keywords import Matcher, load_rules, parse_rules
from crawler.keywords.rules import make_rule_schema

SHIPPED = Path(__file__).parents[2] / "crawler" / "defaults"
GOOD = '[[rule]]\nname = "one"\nterms.en = ["Red Cross"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[rule]]\nname = "one"\nterms.en = ["x"', "not valid TOML"),
        (
            '[[rule]]\nname = "one"\nterm.en = ["Red Cross"]\n',
            "rules.toml:3: there is no key 'term' here, did you mean 'terms'?",
        ),
        ('[[rule]]\nname = "one"\nterms.fr = ["Croix"]\n', "rules.toml:3: there is no key 'fr' here"),
        ('[[rule]]\nterms.en = ["Red Cross"]\n', "rules.toml:1: the key 'name' is missing; add it."),
        (
            '[[rule]]\nname = "Red Cross"\nterms.en = ["a"]\n',
            "rules.toml:2: the name 'Red Cross' must be small letters",
        ),
        (GOOD + "\n" + GOOD, "rules.toml:2: there are 2 rules named 'one'"),
        ('[[rule]]\nname = "one"\n', "rules.toml:2: the rule 'one' looks for nothing"),
        ('[[rule]]\nname = "one"\nterms.en = ["--"]\n', "rules.toml:3: the term '--' has no letter or digit."),
        (
            '[[rule]]\nname = "one"\nterms.ru = ["гум* право"]\n',
            "in the term 'гум* право' the * must be at the end",
        ),
        ('[[rule]]\nname = "one"\nterms.ru = ["a*"]\n', "would match nearly everything"),
        (GOOD + '[[rule.context]]\nterms = ["Red Crss"]\n', "has no term 'Red Crss', did you mean 'Red Cross'?"),
        (
            GOOD + '[[rule.context]]\nsupport = ["@wr"]\n[vocabulary.war]\nen = ["war"]\n',
            "rules.toml:5: there is no vocabulary 'wr', did you mean 'war'?",
        ),
        (GOOD + '[[rule.context]]\nneeds = "luck"\n', "rules.toml:5: needs = 'luck' cannot be used"),
        (GOOD + '[[rule.context]]\nsupported_by = ["two"]\n', "supported_by names no rule 'two'"),
        (GOOD + 'query = "(a OR"\n', "rules.toml:4: the query of rule 'one' cannot be read: it ends too early"),
        (GOOD + "version = 2\n", "there is no key 'version' here"),
        ("version = 1\n", "the key 'rule' is missing"),
        (GOOD + 'languages = ["fr"]\n', "rules.toml:4: languages"),
    ],
)
def test_error_names_line_and_remedy(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(text)
    assert message in str(caught.value)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"none\.toml cannot be read: No such file"):
        load_rules(tmp_path / "none.toml")


def test_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_bytes("# крест\n".encode("cp1251"))
    with pytest.raises(RuleError, match="it is not UTF-8"):
        load_rules(tmp_path / "old.toml")


def test_shipped_rules_load() -> None:
    rules = load_rules(None)
    assert [rule.name for rule in rules.rules] == ["red-cross-movement", "ihl", "geneva-conventions"]
    assert rules.digest.startswith("sha256:") and rules.path is None
    assert all(rule.terms.en and rule.terms.ru and rule.terms.kk for rule in rules.rules)


def test_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(GOOD, encoding="utf-8")
    assert load_rules(tmp_path / "rules.toml").digest == parse_rules(GOOD).digest != load_rules(None).digest


def test_shipped_schema_is_current() -> None:
    shipped = json.loads((SHIPPED / "rules.schema.json").read_text(encoding="utf-8"))
    assert shipped == make_rule_schema(), (
        "write it again with: crawler rules schema > crawler/defaults/rules.schema.json"
    )


INCLUDED = 'include = "shipped"\n'
SHIPPED_NAMES = ["red-cross-movement", "ihl", "geneva-conventions"]


def test_a_file_adds_to_the_shipped_rules() -> None:
    alone, added = parse_rules(INCLUDED), parse_rules(INCLUDED + GOOD)
    assert [rule.name for rule in alone.rules] == SHIPPED_NAMES
    assert alone.rules == load_rules(None).rules
    assert [rule.name for rule in added.rules] == ["one", *SHIPPED_NAMES]
    assert added.list_missing_shipped() == []
    assert parse_rules(GOOD).list_missing_shipped() == SHIPPED_NAMES
    assert len({alone.digest, added.digest, parse_rules(GOOD).digest, load_rules(None).digest}) == 4


def test_an_own_rule_replaces_the_shipped_one_of_its_name() -> None:
    rules = parse_rules(f'{INCLUDED}[vocabulary.war]\nen = ["army"]\n' + GOOD.replace('"one"', '"ihl"'))
    assert [rule.name for rule in rules.rules] == ["ihl", "red-cross-movement", "geneva-conventions"]
    assert rules.rules[0] == parse_rules(GOOD.replace('"one"', '"ihl"')).rules[0]
    assert rules.vocabulary["war"].en == ("army",)
    assert "relief" in rules.vocabulary


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('include = "others"\n' + GOOD, "rules.toml:1: include = 'others' cannot be used"),
        (INCLUDED + "rule = 5\n", "rules.toml:2: rule = 5 cannot be used"),
        (INCLUDED + '[[rule]]\nterms.en = ["Red Cross"]\n', "rules.toml:2: the key 'name' is missing; add it."),
    ],
)
def test_an_error_in_a_file_that_includes_names_its_own_line(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rules(text)
    assert message in str(caught.value)


def test_terms_of_any_language_are_found_in_the_given_forms() -> None:
    rules = parse_rules('[[rule]]\nname = "one"\nterms.forms = ["Кызыл Ай", "Ҳилоли Аҳмар", "Qizil Yarim Oy*"]\n')
    matcher = Matcher(rules)
    for text in ("Кызыл Ай коому жардам берди", "Ҷамъияти Ҳилоли Аҳмар кумак расонд", "Qizil Yarim Oyning yordami"):
        assert [match.rule for match in matcher.find_matches({"body": text}, "ky")] == ["one"]
    assert not matcher.find_matches({"body": "Кызыл Айдын жардамы"}, "ky")
