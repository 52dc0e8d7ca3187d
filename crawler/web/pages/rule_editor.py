"""Change a rule in force: its terms are tried on stored articles, and an owner writes them into the rules file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.errors import CrawlerError, FileChanged, UsageError
from crawler.keywords import parse_rules
from crawler.keywords.rules import Rule
from crawler.service.edited_files import NO_FILE
from crawler.service.edited_rules import (
    LIST_KEYS,
    TERM_KEYS,
    RuleTerms,
    change_rule_text,
    get_rule_terms,
    has_own_rule,
    remove_rule_text,
)
from crawler.service.saved_search import get_rules_path, read_rules_text, save_rules_text
from crawler.web.errors import BadAddress
from crawler.web.forms import FormValues
from crawler.web.pages.account import record_change
from crawler.web.pages.rules import DRAFT_DAYS, DraftResult, find_rule, try_rule
from crawler.web.pages.search import MAX_QUERY_LENGTH, find_file_marks
from crawler.web.rendering import PageRenderer

CHANGES = ("try", "save", "remove")


def show_rule_editor(site: PageRenderer, request: Request) -> Response:
    """Return the form with what a rule looks for."""
    rule = find_rule(site.newsroom, request)
    return render_editor(site, request, rule, get_rule_terms(rule))


def change_rule(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Try a changed rule, put it into force, or remove it from the rules file."""
    newsroom, action = site.newsroom, form.get_first("do")
    if not newsroom.can_edit or newsroom.config.path is None or action not in CHANGES:
        raise BadAddress
    rule = find_rule(newsroom, request)
    wanted = read_terms(form)
    try:
        path, text = get_rules_path(newsroom.config), read_rules_text(newsroom.config)
        if action == "remove":
            changed = remove_rule_text(text, path, rule.name)
        else:
            changed = change_rule_text(text, path, rule.name, wanted)
        if action == "try":
            result = try_rule(newsroom, parse_rules(changed, path), rule.name)
            return render_editor(site, request, rule, wanted, result=result)
        marks = {newsroom.config.path: form.get_first("config_mark"), path: form.get_first("rules_mark") or NO_FILE}
        save_rules_text(newsroom.config, changed, marks)
    except FileChanged:
        raise
    except UsageError as error:
        return render_editor(site, request, rule, wanted, problem=error)
    newsroom.reload()
    record_change(site, request, f"rule.{'remove' if action == 'remove' else 'change'}", rule.name)
    is_left = rule.name in newsroom.list_rule_names()
    return RedirectResponse(f"/rules/{rule.name}" if is_left else "/rules", 303)


def read_terms(form: FormValues) -> RuleTerms:
    """Return what the form asks for. Each line of a list is a term."""

    def read_lines(name: str) -> tuple[str, ...]:
        lines = (" ".join(line.split()) for line in form.get_first(name).splitlines())
        return tuple(dict.fromkeys(line for line in lines if line))

    lists = {key: read_lines(key) for key in LIST_KEYS if key != "sources"}
    return RuleTerms(
        query=form.get_first("query").strip()[:MAX_QUERY_LENGTH],
        terms={key: read_lines(f"terms_{key}") for key in TERM_KEYS},
        lists={**lists, "sources": tuple(form.get_all("sources"))},
    )


def render_editor(
    site: PageRenderer,
    request: Request,
    rule: Rule,
    wanted: RuleTerms,
    *,
    result: DraftResult | None = None,
    problem: CrawlerError | None = None,
) -> Response:
    """Return the form with these terms, and what they find or why they cannot be a rule."""
    newsroom = site.newsroom
    return site.render(
        request,
        "rule_edit.html",
        rule=rule,
        wanted=wanted,
        sources=[*newsroom.profiles, *(name for name in wanted.lists["sources"] if name not in newsroom.profiles)],
        result=result,
        problem=str(problem) if problem else "",
        days=DRAFT_DAYS,
        marks=find_file_marks(newsroom),
        can_remove=newsroom.can_edit and has_own_rule(newsroom.config, rule.name),
    )
