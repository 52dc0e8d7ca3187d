"""Rules: what each one found over time, what readers called false alarms, and a draft tried on stored articles.

The address of a draft has all of it, so that an analyst can send it to an owner, who puts it into force. What owners
change of a rule in force is tried in the same way (`crawler.web.pages.rule_editor`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.items import Article, Match, Strength
from crawler.keywords import Matcher, RuleSet, parse_rules
from crawler.keywords.query import find_query_problem
from crawler.keywords.rules import Rule
from crawler.publish.search import find_articles_with_terms
from crawler.service.edited_rules import narrow_rules
from crawler.service.saved_search import SearchRule, format_search_rule
from crawler.store.articles import MatchTime
from crawler.web.charts import BarChart, make_weekly_bars
from crawler.web.errors import PageMissing
from crawler.web.forms import NO_NAME, FormValues, make_short_name, parse_short_name
from crawler.web.newsroom import Newsroom
from crawler.web.pages.account import record_change
from crawler.web.pages.search import MAX_QUERY_LENGTH, find_file_marks, save_rule
from crawler.web.rendering import PageRenderer, mark_spans
from crawler.web.translations import mark_message

SHOWN_WEEKS = 26
DRAFT_DAYS = 90
MAX_TRIED_ARTICLES = 3000
"""Articles on which a draft is tried while a reader waits."""
MAX_SAMPLES = 10
MAX_EXCERPT = 400
"""Characters of a sample's sentence."""
DRAFT_PROBLEMS = {
    "query": mark_message("The query cannot be a rule."),
    "name": NO_NAME,
    "taken": mark_message("There is a rule of this name. Choose another one."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRule:
    """A rule in the list. `subscriptions` are those that report it; `chart` are its articles by week."""

    rule: Rule
    chart: BarChart
    false_alarm_count: int
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSample:
    """An article that a draft finds. `excerpt` is the sentence of the first match; `is_new`: no rule finds it today."""

    article_id: str
    title: str
    language: str | None
    source: str
    excerpt: Markup
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftResult:
    """What a rule finds in the stored articles of `DRAFT_DAYS`, by its certain matches.

    `new_count`: no rule finds them today. `lost_count`: this rule finds them today, and would not any more.
    """

    tried_count: int
    found_count: int
    new_count: int
    lost_count: int
    chart: BarChart
    samples: tuple[DraftSample, ...]
    is_cut: bool


def show_rules(site: PageRenderer, request: Request) -> Response:
    """Return the page of the rules in force."""
    newsroom = site.newsroom
    return site.render(request, "rules.html", rules=list_shown_rules(newsroom, newsroom.rules), weeks=SHOWN_WEEKS)


def show_rule(site: PageRenderer, request: Request) -> Response:
    """Return the page of one rule."""
    rule = find_rule(site.newsroom, request)
    (shown,) = list_shown_rules(site.newsroom, [rule])
    return site.render(request, "rule.html", shown=shown, rule=rule, weeks=SHOWN_WEEKS)


def find_rule(newsroom: Newsroom, request: Request) -> Rule:
    """Return the rule of an address. Raise PageMissing if there is none."""
    name = request.path_params["rule"]
    found = next((each for each in newsroom.rules if each.name == name), None)
    if found is None:
        raise PageMissing(f"There is no rule {name}.")
    return found


def list_shown_rules(newsroom: Newsroom, rules: Sequence[Rule]) -> list[ShownRule]:
    """Return what the pages show of the rules."""
    now = datetime.now(UTC)
    begin = now - timedelta(weeks=SHOWN_WEEKS - 1)
    names = [rule.name for rule in rules]
    times: dict[str, list[MatchTime]] = defaultdict(list)
    for found in newsroom.store.articles.list_match_times(names, [], begin, now):
        times[found.rule].append(found)
    false_alarms = newsroom.store.reading_lists.count_false_alarms()
    subscriptions = newsroom.config.subscriptions
    return [
        ShownRule(
            rule=rule,
            chart=make_weekly_bars((each.dated_at for each in times[rule.name]), begin, now, newsroom.zone),
            false_alarm_count=false_alarms.get(rule.name, 0),
            subscriptions=tuple(
                name for name, each in subscriptions.items() if not each.rules or rule.name in each.rules
            ),
        )
        for rule in rules
    ]


def show_draft(site: PageRenderer, request: Request) -> Response:
    """Return the page of a draft, with what it finds in stored articles. Without a query it has an empty form."""
    newsroom, reader = site.newsroom, site.make_reader(request)
    name = make_short_name(request.query_params.get("name", ""))
    query = request.query_params.get("query", "").strip()[:MAX_QUERY_LENGTH]
    problem = find_draft_problem(newsroom, name, query) if query else None
    rules = parse_rules(format_search_rule(SearchRule(name=name, query=query))) if query and not problem else None
    result = try_rule(newsroom, rules, name) if rules else None
    return site.render(
        request,
        "draft.html",
        reader=reader,
        name=name,
        query=query,
        problem=reader.translate(DRAFT_PROBLEMS[problem]) if problem else None,
        detail=find_query_problem(query) if problem == "query" else None,
        result=result,
        days=DRAFT_DAYS,
        marks=find_file_marks(newsroom) if reader.is_owner else None,
    )


def find_draft_problem(newsroom: Newsroom, name: str, query: str) -> str | None:
    """Return what is wrong with a draft, a key of `DRAFT_PROBLEMS`, or None."""
    if find_query_problem(query):
        return "query"
    if name in newsroom.list_rule_names():
        return "taken"
    return None if name else "name"


def try_rule(newsroom: Newsroom, rules: RuleSet, name: str) -> DraftResult:
    """Return what a rule finds in the stored articles of `DRAFT_DAYS`. Nothing is stored, nobody is notified."""
    matcher = Matcher(rules)
    now = datetime.now(UTC)
    begin = now - timedelta(days=DRAFT_DAYS)
    candidates = (Matcher(narrow_rules(each, name)) for each in (rules, newsroom.rule_set))
    articles = find_articles_with_terms(newsroom.store, tuple(candidates), begin)
    times: list[datetime] = []
    samples: list[DraftSample] = []
    tried = new = lost = 0
    for article in islice(articles, MAX_TRIED_ARTICLES):
        tried += 1
        matches = matcher.find_matches(article.texts, article.language, article.source)
        match = find_certain_match(matches, name)
        if match is None:
            lost += find_certain_match(article.matches, name) is not None
            continue
        times.append(article.published_at or article.fetched_at or now)
        new += not article.is_matched
        if len(samples) < MAX_SAMPLES:
            samples.append(make_sample(article, match, [each for each in matches if each.rule == name]))
    return DraftResult(
        tried_count=tried,
        found_count=len(times),
        new_count=new,
        lost_count=lost,
        chart=make_weekly_bars(times, begin, now, newsroom.zone),
        samples=tuple(samples),
        is_cut=tried == MAX_TRIED_ARTICLES,
    )


def find_certain_match(matches: Iterable[Match], name: str) -> Match | None:
    """Return the first match of a rule that its context does not make uncertain, or None."""
    return next((each for each in matches if each.rule == name and each.strength == Strength.STRONG), None)


def make_sample(article: Article, match: Match, matches: Sequence[Match]) -> DraftSample:
    """Return what the page shows of an article that a rule finds: a sentence with all that matches in it marked."""
    excerpt = match.sentence[:MAX_EXCERPT]
    surfaces = sorted({each.surface for each in matches if each.sentence == match.sentence}, key=len, reverse=True)
    places = re.finditer("|".join(map(re.escape, surfaces)), excerpt)
    return DraftSample(
        article_id=article.id,
        title=article.headline,
        language=article.language,
        source=article.source,
        excerpt=mark_spans(excerpt, [place.span() for place in places if place[0]]),
        is_new=not article.is_matched,
    )


def activate_draft(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Put a draft into force, and return to the page of the rule."""
    query = form.get_first("query")[:MAX_QUERY_LENGTH].strip()
    rule = SearchRule(name=parse_short_name(form.get_first("name")), query=query)
    save_rule(site.newsroom, form, rule, None)
    record_change(site, request, "rule.add", rule.name)
    return RedirectResponse(f"/rules/{rule.name}", 303)
