"""Change or remove a rule in the rules file, and keep the rest of the file, its comments and its order, as they are.

A shipped rule is changed by a rule of the same name in the own file, which takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.config import Config
from crawler.defaults import read_default
from crawler.errors import UsageError
from crawler.keywords import RuleSet, parse_rules
from crawler.keywords.rules import SHIPPED_RULES, Rule, RuleFile
from crawler.service.saved_search import read_rules_text
from crawler.service.subscription_file import parse_document_text

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

TERM_KEYS = ("en", "ru", "kk", "forms")
MAX_VALUES_ON_A_LINE = 3
LIST_KEYS = ("all_of", "any_of", "none_of", "sources")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTerms:
    """What a rule looks for, and where. `terms` has the lists of `TERM_KEYS`, `lists` those of `LIST_KEYS`."""

    query: str
    terms: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, tuple[str, ...]]


def get_rule_terms(rule: Rule) -> RuleTerms:
    """Return what a rule looks for."""
    return RuleTerms(
        query=rule.query or "",
        terms={key: getattr(rule.terms, key) for key in TERM_KEYS},
        lists={key: getattr(rule, key) for key in LIST_KEYS},
    )


def has_own_rule(config: Config, name: str) -> bool:
    """Return whether the rules file itself has a rule, so that it can be removed."""
    if config.rules is None:
        return False
    document = parse_document_text(read_rules_text(config), config.rules)
    return _find_rule(document, name) is not None


def change_rule_text(text: str, path: Path, name: str, wanted: RuleTerms) -> str:
    """Return the text of a rules file with a rule that looks for something else. Raise RuleError for an impossible one.

    A list that stays as it is keeps its lines and comments.
    """
    document = parse_document_text(text, path)
    table = _find_rule(document, name)
    if table is None:
        table = _copy_shipped_rule(document, name)
    _set_value(table, "query", wanted.query)
    for key, values in wanted.lists.items():
        _set_list(table, key, values)
    if any(wanted.terms.values()) and "terms" not in table:
        import tomlkit

        table["terms"] = tomlkit.table()
    for key, values in wanted.terms.items():
        if values or "terms" in table:
            _set_list(table["terms"], key, values)
    changed = document.as_string()
    parse_rules(changed, path)
    return changed


def remove_rule_text(text: str, path: Path, name: str) -> str:
    """Return the text of a rules file without a rule. A shipped rule of that name is in force again, if it is included.

    Raise UsageError if the file has no such rule or no other one, RuleError if another rule needs it.
    """
    document = parse_document_text(text, path)
    rules = document.get("rule", [])
    index = next((at for at, each in enumerate(rules) if each.get("name") == name), None)
    if index is None:
        raise UsageError(f"{path} has no rule {name!r}, so it cannot be removed there.")
    del rules[index]
    if not rules:
        del document["rule"]
    changed = document.as_string()
    parse_rules(changed, path)
    return changed


def narrow_rules(rules: RuleSet, name: str) -> RuleSet:
    """Return a rule alone, without contexts, which need other rules. It finds every text that the rule can find."""
    own = tuple(rule.model_copy(update={"context": ()}) for rule in rules.rules if rule.name == name)
    return RuleSet(RuleFile.model_construct(rule=own, vocabulary={}), path=rules.path, digest=rules.digest)


def _find_rule(document: TOMLDocument, name: str) -> Any:
    return next((each for each in document.get("rule", []) if each.get("name") == name), None)


def _copy_shipped_rule(document: TOMLDocument, name: str) -> Any:
    """Add the shipped rule to a document, and return it there."""
    import tomlkit

    shipped = tomlkit.parse(read_default(SHIPPED_RULES))
    found = _find_rule(shipped, name)
    if found is None:
        raise UsageError(f"There is no rule {name!r}.")
    if "rule" not in document:
        document.add(tomlkit.nl())
        document["rule"] = tomlkit.aot()
    document["rule"].append(found)
    return document["rule"][-1]


def _set_value(table: Any, key: str, value: str) -> None:
    if value and table.get(key) != value:
        table[key] = value
    elif not value and key in table:
        del table[key]


def _set_list(table: Any, key: str, values: Iterable[str]) -> None:
    import tomlkit

    wanted = list(values)
    if wanted == list(table.get(key, [])):
        return
    if not wanted:
        del table[key]
        return
    array = tomlkit.array()
    array.extend(wanted)
    table[key] = array.multiline(multiline=len(wanted) > MAX_VALUES_ON_A_LINE)
