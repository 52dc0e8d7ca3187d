"""No output reads the text of articles directly: only these modules of the outer packages may."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "crawler"
PACKAGES = ("cli", "notify", "publish", "web")
TEXT = frozenset({"body", "sentence", "texts", "to_dict", "headline"})
"""Attributes of an Article or a Match with text of the page."""
WHOLE = frozenset({"asdict", "astuple", "vars", "__dict__", "attrgetter", "getattr", "ItemAdapter", "export_item"})
"""Names by which code reads every field of a value."""
NO_ARTICLE = frozenset({"entry", "other"})
"""Names of an Entry and of its RelatedArticle: their `headline` comes from the allocation."""

OWN: dict[str, tuple[str, str]] = {
    "cli/article_file.py": ("export_item", "`crawl -o`, the owner's working copy"),
    "cli/commands/add.py": ("asdict", "shows the owner what a new site has; nothing of it is stored yet"),
    "cli/commands/alerts.py": ("headline", "explains to the owner who was notified"),
    "cli/commands/articles.py": ("headline to_dict", "prints the owner's own copy"),
    "cli/commands/check.py": ("asdict", "findings about pages, no articles"),
    "cli/commands/diff.py": ("headline to_dict", "shows the owner what changed"),
    "cli/commands/drift.py": ("asdict body", "shows the owner where fields of a page are"),
    "cli/commands/extract.py": ("texts to_dict", "prints what a stored page has, for the owner"),
    "cli/commands/health.py": ("to_dict", "a baseline as values, no article"),
    "cli/commands/match.py": ("asdict sentence", "explains a text that the owner passed in"),
    "cli/commands/replay.py": ("asdict", "results of snapshots, for the owner"),
    "cli/commands/reprocess.py": ("asdict getattr sentence", "shows the owner what today's rules read and match"),
    "cli/commands/rules.py": ("headline sentence", "shows the owner what candidate rules match"),
    "cli/commands/search.py": ("headline texts", "shows the owner what was found; -o writes entries"),
    "cli/commands/show.py": ("asdict headline texts to_dict", "shows the owner's own copy"),
    "cli/commands/stories.py": ("headline to_dict", "lists the owner's own stories"),
    "cli/commands/store.py": ("asdict to_dict", "figures and findings, no article"),
    "cli/commands/versions.py": ("headline to_dict", "lists the owner's own copies"),
    "cli/commands/watch.py": ("headline", "prints to the owner's terminal"),
    "cli/app.py": ("getattr", "the function of a command, no article"),
    "cli/console.py": ("headline sentence", "prints to the owner's terminal"),
    "cli/progress.py": ("headline to_dict", "prints to the owner's terminal"),
    "publish/releases.py": ("getattr", "the languages of a spider, no articles"),
    "notify/transports.py": ("getattr", "what a plugin of Apprise has, no articles"),
    "publish/builder.py": ("headline", "the headline that the allocation allows"),
    "publish/diff_format.py": ("sentence", "shows the owner what changed"),
    "publish/edits.py": ("sentence", "the sentences of a revision, shown as far as the allocation allows"),
    "publish/entries.py": ("headline", "the headline of an Entry itself"),
    "publish/evidence.py": ("body headline to_dict", "evidence is a whole copy, for verification"),
    "publish/evidence_page.py": ("body", "evidence is a whole copy, for verification"),
    "publish/item_exporters.py": ("ItemAdapter", "the owner's working copy: `crawl -o`, `scrapy crawl -O`"),
    "publish/press_review/layout.py": ("getattr headline", "`DigestView.headline`, of an Entry; the parts of a review"),
    "publish/press_review/pdf.py": ("getattr", "what a drawn paragraph has"),
    "publish/search.py": ("body texts", "finds the places that the owner is shown; `search -o` writes entries"),
    "publish/redaction.py": ("getattr sentence texts", "blacks names out before the allocation"),
    "web/answer_cache.py": ("body", "the bytes of an answer that was made before"),
    "web/api/event_feed.py": ("headline", "the headline of a card, if it is the page's title"),
    "web/api/texts.py": ("headline", "the headline of a card, if it is the page's title"),
    "web/access.py": ("getattr", "the role that an endpoint declares, no article"),
    "web/application.py": ("body", "the bytes of a form"),
    "web/demo.py": ("body", "makes an edit of a sample in a throw-away store"),
    "web/pages/add_source.py": ("body", "shows an owner of the newsroom how the samples of a new source are read"),
    "web/pages/article.py": ("body sentence texts", "shows the owner's own copy on the owner's own computer"),
    "web/pages/rules.py": ("headline sentence texts", "shows the owner what a draft matches"),
    "web/pages/search.py": ("getattr headline", "shows the owner what was found; the choices of a filter"),
    "web/pages/today.py": ("getattr", "the choices of a filter, no article"),
    "web/rendering.py": ("getattr", "the choices of a filter, no article"),
}
"""Modules that may, with what they read and why."""
ADVICE = (
    "What leaves this machine gets its text from crawler.rights.allocate_excerpts: show an Entry built by "
    "crawler.publish.builder.EntryBuilder (call it `entry`), and enter the output in tests/support/entry_outputs.py, "
    "whose test then proves it. If this is the owner's own working copy, or no article at all, name the module in OWN "
    "of tests/rights/test_text_access.py, and why."
)


def list_text_accesses(code: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each place where a module reads text of an article, or all fields of a value."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr in TEXT | WHOLE:
            named = isinstance(node.value, ast.Name) and node.value.id in NO_ARTICLE
            if not (named and node.attr == "headline"):
                yield node.lineno, node.attr
        elif isinstance(node, ast.Name) and node.id in WHOLE:
            yield node.lineno, node.id
        elif isinstance(node, ast.MatchClass):
            yield from ((node.lineno, name) for name in node.kwd_attrs if name in TEXT)


def list_modules() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("module", list_modules())
def test_text_of_articles_is_read_only_where_it_stays_with_the_owner(module: str) -> None:
    allowed = OWN.get(module, ("", ""))[0].split()
    found = [
        (line, name)
        for line, name in list_text_accesses((ROOT / module).read_text(encoding="utf-8"))
        if name not in allowed
    ]
    assert not found, "\n".join(f"crawler/{module}:{line} reads `{name}`. {ADVICE}" for line, name in found)


@pytest.mark.parametrize("module", OWN)
def test_every_exception_is_needed(module: str) -> None:
    names, why = OWN[module]
    assert {name for _, name in list_text_accesses((ROOT / module).read_text(encoding="utf-8"))} == set(names.split())
    assert why


def test_no_template_reads_an_article() -> None:
    for path in (ROOT / "defaults").rglob("templates/*"):
        inside = " ".join(re.findall(r"{[{%].*?[}%]}", path.read_text(encoding="utf-8"), re.DOTALL))
        assert not re.search(r"\.(?:body|sentence|texts|to_dict)\b|article\.headline", inside), f"{path}. {ADVICE}"


@pytest.mark.parametrize(
    "code",
    [
        "print(article.body)",
        "text = [match.sentence for match in article.matches]",
        "json.dumps(version.to_dict())",
        "def told(each): return each.headline",
        "dataclasses.asdict(article)",
        "getattr(article, 'bo' + 'dy')",
        "article.__dict__['body']",
        "match value:\n    case Article(body=text): print(text)",
    ],
)
def test_other_ways_to_read_a_text_are_found(code: str) -> None:
    assert list(list_text_accesses(code))


def test_an_entry_may_be_shown() -> None:
    assert not list(list_text_accesses("print(entry.headline, entry.excerpt, other.headline, entry.lead)"))
