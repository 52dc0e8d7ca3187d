"""The rule file: what matters, in an analyst's words; read, checked and refused with file, line and remedy.

A rule is a topic: terms per language, base forms only, with contexts for terms that also mean something else, or a
query in one string. `docs/rules.md` teaches the file; `crawler/defaults/rules.schema.json` is its JSON Schema, made
from these classes.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from crawler.errors import RuleError, suggest_nearest
from crawler.keywords import query
from crawler.text.folding import fold_term

LANGUAGES = ("en", "ru", "kk")
FIELDS = ("title", "lead", "body")

TermText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Language = Literal["en", "ru", "kk"]


class RuleFileSection(BaseModel):
    """A part of the rule file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TermLists(RuleFileSection):
    """Terms per language in their base form; `*` at the end stands for any ending."""

    en: tuple[TermText, ...] = ()
    ru: tuple[TermText, ...] = ()
    kk: tuple[TermText, ...] = ()

    def list_terms(self) -> list[tuple[str, str]]:
        """(language, term) in the order of the file."""
        return [(language, term) for language in LANGUAGES for term in getattr(self, language)]


class ContextRule(RuleFileSection):
    """When an ambiguous term counts. Otherwise its match is weak: kept and shown, not alerted."""

    terms: tuple[TermText, ...] = Field((), description="the rule's terms it is for; none: every term of the rule")
    needs: Literal["nothing", "capitals", "support"] = Field(
        "nothing",
        description="nothing: counts unless something speaks against it; capitals: needs support only when not "
        "written in capitals as here; support: needs support always",
    )
    support: tuple[TermText, ...] = Field((), description="terms or @vocabulary that speak for the meaning wanted")
    against: tuple[TermText, ...] = Field((), description="terms or @vocabulary that speak for another meaning")
    against_small: tuple[TermText, ...] = Field(
        (), description="the same, but only where it is not written with its capitals, or they would stand there anyway"
    )
    not_before: tuple[TermText, ...] = Field(
        (), description="directly followed by one of these it means something else"
    )
    not_after: tuple[TermText, ...] = Field((), description="directly preceded by one of these it means something else")
    sure_before: tuple[TermText, ...] = Field((), description="directly followed by one of these it counts")
    sure_after: tuple[TermText, ...] = Field((), description="directly preceded by one of these it counts")
    supported_by: tuple[str, ...] = Field(
        (), description="other rules whose strong matches support it, as the rule's own do"
    )
    reach: int = Field(500, ge=0, description="characters around the match in which support and against are looked for")


class Rule(RuleFileSection):
    """One topic. It matches where one of its terms stands and every other condition given holds."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str | None = Field(None, description="the topic as people call it")
    titles: dict[Language, str] = Field(default_factory=dict, description="the same by language: en, ru, kk")
    terms: TermLists = Field(default_factory=TermLists, description="one of these stands in the text")
    query: str | None = Field(None, description='a search like ("Red Cross" OR МККК) AND NOT title:hockey')
    all_of: tuple[TermText, ...] = Field((), description="all of these stand in the text")
    any_of: tuple[TermText, ...] = Field((), description="at least one of these stands in the text")
    none_of: tuple[TermText, ...] = Field((), description="none of these stands in the text")
    fields: tuple[Literal["title", "lead", "body"], ...] = Field((), description="only in these fields; none: in all")
    languages: tuple[Language, ...] = Field((), description="only in texts of these languages; none: in all")
    sources: tuple[str, ...] = Field((), description="only in articles of these sources; none: of all")
    context: tuple[ContextRule, ...] = ()

    def get_title(self, language: str) -> str:
        """What the topic is called in a language, as well as the file says it."""
        own = next((title for key, title in self.titles.items() if key == language), None)
        return own or self.title or self.name

    def list_terms(self) -> list[tuple[str, str]]:
        """(language, term) of every term, those of the lists with their language guessed from the letters."""
        lists = [(query.guess_term_language(term), term) for term in (*self.all_of, *self.any_of, *self.none_of)]
        return self.terms.list_terms() + lists


class RuleFile(RuleFileSection):
    """The whole file."""

    version: Literal[1] = Field(1, description="of the file format")
    vocabulary: dict[str, TermLists] = Field(
        default_factory=dict, description="lists of words that contexts name with @"
    )
    rule: tuple[Rule, ...] = Field(min_length=1, description="the topics")


class RuleSet:
    """The rules in force. `digest` is `sha256:<hex>` of the file's bytes: what an article was last marked with."""

    def __init__(self, file: RuleFile, *, path: Path | None, digest: str) -> None:
        self.rules = file.rule
        self.vocabulary = file.vocabulary
        self.path = path
        self.digest = digest

    def get_titles(self, language: str) -> dict[str, str]:
        """What the topics are called in a language, by the names of their rules."""
        return {rule.name: rule.get_title(language) for rule in self.rules}

    def __repr__(self) -> str:
        return f"RuleSet({self.path or 'shipped rules'}, {len(self.rules)} rules, {self.digest[:19]})"


def load_rules(path: Path | None = None) -> RuleSet:
    """The rules of a file, or the shipped ones; RuleError names file, line and remedy."""
    if path is None:
        return parse_rules(resources.files("crawler.defaults").joinpath("rules.toml").read_text(encoding="utf-8"))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise RuleError(
            f"The rule file {path} cannot be read: {reason}. Leave `rules` out to use the shipped rules."
        ) from error
    return parse_rules(text, path)


def parse_rules(text: str, path: Path | None = None) -> RuleSet:
    """The rules in a text of TOML; `path` is where it stands, for messages."""
    name = str(path or "rules.toml")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: not valid TOML: {error}.") from error
    try:
        file = RuleFile.model_validate(values)
    except ValidationError as error:
        raise RuleError(_format_error(error, text, name)) from error
    for problem, place in _list_problems(file):
        raise RuleError(f"{name}{_find_line(text, place)}: {problem}")
    return RuleSet(file, path=path, digest="sha256:" + hashlib.sha256(text.encode()).hexdigest())


def make_rule_schema() -> dict[str, Any]:
    """The JSON Schema of rule files, as shipped in `rules.schema.json`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RuleFile.model_json_schema()}


KeyPath = tuple[str | int, ...]


def _list_problems(file: RuleFile) -> list[tuple[str, KeyPath]]:
    """What the types cannot say: names used twice, terms without letters, references to nothing, broken queries."""
    found: list[tuple[str, KeyPath]] = []
    names = Counter(rule.name for rule in file.rule)
    for name, words in file.vocabulary.items():
        found += [
            (problem, ("vocabulary", name, term))
            for _, term in words.list_terms()
            if (problem := _find_term_problem(term))
        ]
    for index, rule in enumerate(file.rule):
        here: KeyPath = ("rule", index)
        if names[rule.name] > 1:
            found.append(
                (f"there are {names[rule.name]} rules named {rule.name!r}; give each its own name.", (*here, "name"))
            )
        found += [(problem, (*here, term)) for _, term in rule.list_terms() if (problem := _find_term_problem(term))]
        if not (rule.terms.list_terms() or rule.query or rule.all_of or rule.any_of):
            found.append((f"the rule {rule.name!r} looks for nothing; give it terms or a query.", (*here, "name")))
        if rule.query is not None and (problem := query.find_query_problem(rule.query)):
            found.append((f"the query of rule {rule.name!r} cannot be read: {problem}", (*here, "query")))
        found += [(problem, (*here, *place)) for problem, place in _list_context_problems(rule, file, set(names))]
    return found


def _list_context_problems(rule: Rule, file: RuleFile, names: set[str]) -> list[tuple[str, KeyPath]]:
    found: list[tuple[str, KeyPath]] = []
    own = {term for _, term in rule.list_terms()} | set(
        query.list_query_terms(rule.query) if rule.query and not query.find_query_problem(rule.query) else ()
    )
    for context in rule.context:
        for term in context.terms:
            if term not in own:
                found.append(
                    (
                        f"the rule {rule.name!r} has no term {term!r}{suggest_nearest(term, own)}; write it as in the terms.",
                        (term,),
                    )
                )
        beside = (*context.not_before, *context.not_after, *context.sure_before, *context.sure_after)
        for word in (*context.support, *context.against, *context.against_small, *beside):
            if word.startswith("@") and word[1:] not in file.vocabulary:
                found.append(
                    (f"there is no vocabulary {word[1:]!r}{suggest_nearest(word[1:], file.vocabulary) or '.'}", (word,))
                )
            elif problem := _find_term_problem(word.lstrip("@")):
                found.append((problem, (word,)))
        for name in context.supported_by:
            if name not in names:
                found.append((f"supported_by names no rule {name!r}{suggest_nearest(name, names) or '.'}", (name,)))
    return found


def _find_term_problem(term: str) -> str | None:
    stem = term.removesuffix("*")
    if "*" in stem:
        return f"in the term {term!r} the * may only stand at the end."
    if not fold_term(stem):
        return f"the term {term!r} has no letter or digit."
    if stem != term and len(stem) < 3:
        return f"the term {term!r} would match nearly everything; write at least three letters before the *."
    return None


def _format_error(error: ValidationError, text: str, name: str) -> str:
    first = error.errors()[0]
    place = first["loc"]
    where = f"{name}{_find_line(text, place)}"
    keys = [part for part in place if isinstance(part, str)]
    what = keys[-1] if keys else "the file"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no key {what!r} here{suggest_nearest(what, _list_sibling_keys(place)) or '.'}"
    if first["type"] == "missing":
        return f"{where}: the key {what!r} is missing; add it."
    if what == "name":
        return f"{where}: the name {first['input']!r} must be small letters, digits and hyphens, such as 'red-cross'."
    return f"{where}: {what} = {first['input']!r} cannot be used: {first['msg'][0].lower()}{first['msg'][1:]}."


def _list_sibling_keys(place: KeyPath) -> list[str]:
    keys = [part for part in place if isinstance(part, str)][:-1]
    model: type[RuleFileSection] = RuleFile
    for key in keys:
        models: dict[str, type[RuleFileSection]] = {
            "rule": Rule,
            "context": ContextRule,
            "terms": TermLists,
            "vocabulary": TermLists,
        }
        model = models.get(key, model)
    return list(model.model_fields)


def _find_line(text: str, place: KeyPath) -> str:
    """`:12` for the line of the last part of `place` that can be found: a key, or a term as it is written."""
    lines = text.splitlines()
    start, end = 0, len(lines)
    headers = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]
    if place[:1] == ("rule",) and len(place) > 1 and isinstance(place[1], int) and place[1] < len(headers):
        start = headers[place[1]]
        end = headers[place[1] + 1] if place[1] + 1 < len(headers) else len(lines)
    elif place[:1] == ("vocabulary",) and headers:
        end = headers[0]
    for part in reversed([part for part in place if isinstance(part, str)]):
        written = re.compile(rf"(^|[\s.\[{{\"',]){re.escape(part)}($|[\s.=\]\"',])")
        for number in range(start, end):
            if written.search(lines[number]):
                return f":{number + 1}"
    return f":{start + 1}"
