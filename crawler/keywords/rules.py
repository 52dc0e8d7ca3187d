"""The rule file: what matters, in an analyst's words. An error names file, line and remedy.

A rule is a topic. It has terms in each language, in their base form, with contexts for terms that also mean something
else; or a query in one string. `docs/rules.md` explains the file. `crawler/defaults/rules.schema.json` is its JSON
Schema, made from these classes.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from crawler.config.base import TextLanguage
from crawler.config.toml_file import KeyPath, format_location, list_known_keys, parse_toml
from crawler.defaults import read_default
from crawler.errors import RuleError, suggest_nearest
from crawler.keywords.automaton import GIVEN_FORMS
from crawler.keywords.query import MIN_OPEN_TERM_LETTERS, find_query_problem, guess_term_language, list_query_terms
from crawler.text.folding import fold_term

TermText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Language = Literal["en", "ru", "kk"]
FieldName = Literal["title", "lead", "body"]
LANGUAGES: tuple[str, ...] = get_args(Language)
FIELDS: tuple[str, ...] = get_args(FieldName)
SHIPPED_RULES = "rules.toml"
SHIPPED_INCLUDE = "shipped"
MAX_CACHED_RULE_SETS = 8
"""A run parses the rules in 40 ms, unless the process that it was forked from has them; a newsroom reads them again and
again."""


class RuleFileSection(BaseModel):
    """A part of the rule file. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TermLists(RuleFileSection):
    """Terms by language in their base form; of any language in the forms that are given. A final `*`: any ending."""

    en: tuple[TermText, ...] = ()
    ru: tuple[TermText, ...] = ()
    kk: tuple[TermText, ...] = ()
    forms: tuple[TermText, ...] = Field((), description="terms of any language, in each form that they may have")

    def list_terms(self) -> list[tuple[str, str]]:
        """Return (language, term) in the order of the file."""
        return [(language, term) for language in (*LANGUAGES, GIVEN_FORMS) for term in getattr(self, language)]


class ContextRule(RuleFileSection):
    """When an ambiguous term counts. Otherwise its match is weak: stored and shown, without an alert."""

    terms: tuple[TermText, ...] = Field((), description="the terms of the rule that this is for; none: all of them")
    needs: Literal["nothing", "capitals", "support"] = Field(
        "nothing",
        description="nothing: the term counts unless something speaks against it; capitals: it needs support only when "
        "it lacks the capitals that it has here; support: it always needs support",
    )
    support: tuple[TermText, ...] = Field((), description="terms or @vocabulary that support the meaning wanted")
    support_small: tuple[TermText, ...] = Field(
        (), description="those that support it, in place of support, when it lacks the capitals that it has here"
    )
    against: tuple[TermText, ...] = Field((), description="terms or @vocabulary that indicate another meaning")
    against_small: tuple[TermText, ...] = Field(
        (), description="the same, unless the term has its capitals where other words would not"
    )
    no_support_near: tuple[TermText, ...] = Field(
        (), description="against it, and support does not count near one of these: only other strong terms do"
    )
    not_before: tuple[TermText, ...] = Field((), description="the term does not count directly before one of these")
    not_after: tuple[TermText, ...] = Field((), description="the term does not count directly after one of these")
    sure_before: tuple[TermText, ...] = Field((), description="the term counts directly before one of these")
    sure_after: tuple[TermText, ...] = Field((), description="the term counts directly after one of these")
    unsure_before: tuple[TermText, ...] = Field((), description="the term needs support directly before one of these")
    unsure_after: tuple[TermText, ...] = Field((), description="the term needs support directly after one of these")
    supported_by: tuple[str, ...] = Field(
        (), description="other rules whose strong matches support it, as those of its own rule do"
    )
    reach: int = Field(500, ge=0, description="characters around the match in which support and against count")


class Rule(RuleFileSection):
    """One topic. It matches where one of its terms is, when every other condition holds."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str | None = Field(None, description="the topic as people call it")
    titles: dict[Language, str] = Field(default_factory=dict, description="the same by language: en, ru, kk")
    terms: TermLists = Field(default_factory=TermLists, description="one of these must be in the text")
    query: str | None = Field(None, description='a search like ("Red Cross" OR МККК) AND NOT title:hockey')
    all_of: tuple[TermText, ...] = Field((), description="all of these must be in the text")
    any_of: tuple[TermText, ...] = Field((), description="at least one of these must be in the text")
    none_of: tuple[TermText, ...] = Field((), description="none of these may be in the text")
    fields: tuple[FieldName, ...] = Field((), description="only in these fields; none: in all")
    languages: tuple[TextLanguage, ...] = Field((), description="only in texts of these languages; none: in all")
    sources: tuple[str, ...] = Field((), description="only in articles of these sources; none: of all")
    context: tuple[ContextRule, ...] = ()

    def get_title(self, language: str) -> str:
        """Return the title in a language, else the general title, else the name."""
        own = next((title for key, title in self.titles.items() if key == language), None)
        return own or self.title or self.name

    def list_terms(self) -> list[tuple[str, str]]:
        """Return (language, term) of every term. The letters decide the language of a term in a list."""
        lists = [(guess_term_language(term), term) for term in (*self.all_of, *self.any_of, *self.none_of)]
        return self.terms.list_terms() + lists


class RuleFile(RuleFileSection):
    """The whole file."""

    version: Literal[1] = Field(1, description="version of the file format")
    include: Literal["shipped"] | None = Field(
        None,
        description="shipped: the shipped rules and vocabularies too, but for those with the name of one in this file",
    )
    vocabulary: dict[str, TermLists] = Field(
        default_factory=dict, description="lists of words that contexts name with @"
    )
    rule: tuple[Rule, ...] = Field(min_length=1, description="the topics")


class RuleSet:
    """The rules in force.

    `digest` is `sha256:<hex>` of the text, and of the shipped rules that it includes. A rematch records it.
    """

    def __init__(self, file: RuleFile, *, path: Path | None, digest: str) -> None:
        self.rules = file.rule
        self.vocabulary = file.vocabulary
        self.path = path
        self.digest = digest

    def list_missing_shipped(self) -> list[str]:
        """Return the names of the shipped rules that are not in force."""
        names = {rule.name for rule in self.rules}
        shipped = tomllib.loads(read_default(SHIPPED_RULES))
        return [rule["name"] for rule in shipped["rule"] if rule["name"] not in names]

    def get_titles(self, language: str) -> dict[str, str]:
        """Return the titles of the topics in a language, by the names of their rules."""
        return {rule.name: rule.get_title(language) for rule in self.rules}

    def __repr__(self) -> str:
        return f"RuleSet({self.path or 'shipped rules'}, {len(self.rules)} rules, {self.digest[:19]})"


def load_rules(path: Path | None = None) -> RuleSet:
    """Return the rules of the setting's file, or the shipped rules. RuleError names file, line and remedy."""
    if path is None:
        return parse_rules(read_default(SHIPPED_RULES))
    return _load_file(path, "Remove `rules` from crawler.toml to use the shipped rules.")


def load_rules_argument(path: Path) -> RuleSet:
    """Return the rules of a file that a command's argument names. RuleError names file, line and remedy."""
    return _load_file(path, "Correct the name of the file, or name none to use the rules in force.")


def _load_file(path: Path, advice: str) -> RuleSet:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RuleError(f"The rule file {path} cannot be read: {reason}. {advice}") from error
    return parse_rules(text, path)


@lru_cache(maxsize=MAX_CACHED_RULE_SETS)
def parse_rules(text: str, path: Path | None = None) -> RuleSet:
    """Return the rules in a text of TOML. Errors name `path`. A text that was parsed before is not parsed again."""
    name = str(path or SHIPPED_RULES)
    values, sources = parse_toml(text, name, RuleError), [text]
    if values.get("include") == SHIPPED_INCLUDE:
        sources.append(read_default(SHIPPED_RULES))
        values = _add_shipped(values, tomllib.loads(sources[-1]))
    try:
        file = RuleFile.model_validate(values)
    except ValidationError as error:
        raise RuleError(_format_error(error, text, name)) from error
    for problem, key_path in _list_problems(file):
        raise RuleError(f"{format_location(name, text, key_path)}: {problem}")
    return RuleSet(file, path=path, digest="sha256:" + hashlib.sha256("".join(sources).encode()).hexdigest())


def _add_shipped(values: dict[str, Any], shipped: dict[str, Any]) -> dict[str, Any]:
    """Return a file's values with the shipped rules after its own, so that errors still find the own ones' lines.

    A value of the wrong type is left for the validation to report.
    """
    own_rules, own_words = values.get("rule", []), values.get("vocabulary", {})
    if not isinstance(own_rules, list) or not isinstance(own_words, dict):
        return values
    names = {rule.get("name") for rule in own_rules if isinstance(rule, dict)}
    return {
        **values,
        "rule": [*own_rules, *(rule for rule in shipped["rule"] if rule["name"] not in names)],
        "vocabulary": {**shipped["vocabulary"], **own_words},
    }


def make_rule_schema() -> dict[str, Any]:
    """Return the JSON Schema of rule files, as shipped in `rules.schema.json`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RuleFile.model_json_schema()}


def _list_problems(file: RuleFile) -> Iterator[tuple[str, KeyPath]]:
    """Yield the mistakes that types cannot exclude, with their place in the file."""
    counts = Counter(rule.name for rule in file.rule)
    for name, lists in file.vocabulary.items():
        for language, term in lists.list_terms():
            if problem := _find_term_problem(term):
                yield problem, ("vocabulary", name, language, term)
    for index, rule in enumerate(file.rule):
        here: KeyPath = ("rule", index)
        if counts[rule.name] > 1:
            yield f"there are {counts[rule.name]} rules named {rule.name!r}; give each its own name.", (*here, "name")
        for key_path, term in _list_term_places(rule):
            if problem := _find_term_problem(term):
                yield problem, (*here, *key_path, term)
        if not (rule.terms.list_terms() or rule.query or rule.all_of or rule.any_of):
            yield f"the rule {rule.name!r} looks for nothing; give it terms or a query.", (*here, "name")
        if rule.query is not None and (problem := find_query_problem(rule.query)):
            yield f"the query of rule {rule.name!r} cannot be read: {problem}", (*here, "query")
        for problem, key_path in _list_context_problems(rule, file, set(counts)):
            yield problem, (*here, *key_path)


def _list_term_places(rule: Rule) -> Iterator[tuple[KeyPath, str]]:
    for language, term in rule.terms.list_terms():
        yield ("terms", language), term
    for key in ("all_of", "any_of", "none_of"):
        for term in getattr(rule, key):
            yield (key,), term


def _list_context_problems(rule: Rule, file: RuleFile, names: set[str]) -> Iterator[tuple[str, KeyPath]]:
    own_terms = {term for _, term in rule.list_terms()}
    if rule.query and not find_query_problem(rule.query):
        own_terms |= set(list_query_terms(rule.query))
    word_lists = (
        *("support", "support_small", "against", "against_small", "no_support_near"),
        *("not_before", "not_after", "sure_before", "sure_after", "unsure_before", "unsure_after"),
    )
    for index, context in enumerate(rule.context):
        here: KeyPath = ("context", index)
        for term in context.terms:
            if term not in own_terms:
                hint = suggest_nearest(term, own_terms)
                yield (
                    f"the rule {rule.name!r} has no term {term!r}{hint}; write it as in the terms.",
                    (*here, "terms", term),
                )
        for key in word_lists:
            for word in getattr(context, key):
                if word.startswith("@") and word[1:] not in file.vocabulary:
                    hint = suggest_nearest(word[1:], file.vocabulary) or "."
                    yield f"there is no vocabulary {word[1:]!r}{hint}", (*here, key, word)
                elif problem := _find_term_problem(word.lstrip("@")):
                    yield problem, (*here, key, word)
        for name in context.supported_by:
            if name not in names:
                hint = suggest_nearest(name, names) or "."
                yield f"supported_by names no rule {name!r}{hint}", (*here, "supported_by", name)


def _find_term_problem(term: str) -> str | None:
    stem = term.removesuffix("*")
    if "*" in stem:
        return f"in the term {term!r} the * must be at the end."
    if not fold_term(stem):
        return f"the term {term!r} has no letter or digit."
    if stem != term and len(stem) < MIN_OPEN_TERM_LETTERS:
        return f"the term {term!r} would match nearly everything; write at least three letters before the *."
    return None


def _format_error(error: ValidationError, text: str, name: str) -> str:
    first = error.errors()[0]
    keys = first["loc"]
    where = format_location(name, text, keys)
    what = next((key for key in reversed(keys) if isinstance(key, str)), "the file")
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no key {what!r} here{suggest_nearest(what, list_known_keys(RuleFile, keys)) or '.'}"
    if first["type"] == "missing":
        return f"{where}: the key {what!r} is missing; add it."
    if what == "name":
        return f"{where}: the name {first['input']!r} must be small letters, digits and hyphens, such as 'red-cross'."
    return f"{where}: {what} = {first['input']!r} cannot be used: {first['msg'][0].lower()}{first['msg'][1:]}."
