"""A digest in words: one golden text a language, well-formed HTML, rights and redaction in every form."""

from __future__ import annotations

from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.day_of_news import ALMATY, BEGIN, END, NOON, make_article, revise_talks, save_article
from support.digest_text import BODIES, count_shown, make_view, remove_own_words, strip_markup

from crawler.config import Config
from crawler.items import Strength
from crawler.publish.builder import EntryBuilder
from crawler.publish.digest import make_digest_of
from crawler.publish.digest_view import DigestView, render_digest
from crawler.publish.phrases import OUTPUT_LANGUAGES, Phrases
from crawler.publish.query import ArticleQuery
from crawler.publish.templates import Templates, escape_markdown, wrap_text
from crawler.store import Store

FORMS = ("html", "txt", "md")
VOID = {"meta", "br", "img", "hr", "link"}


def render_view(store: Store, language: str, form: str, **values: object) -> str:
    return render_digest(Templates(), form, make_view(store, language, **values))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_text_equals_the_golden_file(day: Store, language: str) -> None:
    """After an intended change: write the file with `print(render_view(…))`, and read it."""
    expected = Path(__file__).with_name(f"review.{language}.txt")
    assert render_view(day, language, "txt") == expected.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Finds tags that are not closed, links and anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.names: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.seen.add(tag)
        self.links += [given["href"] or ""] if "href" in given else []
        self.names += [given["id"] or ""] if "id" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_html_is_well_formed_and_loads_nothing(day: Store, language: str) -> None:
    html, tags = render_view(day, language, "html"), Tags()
    tags.feed(html)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "link", "iframe"}
    assert "url(" not in html
    inside = [link[1:] for link in tags.links if link.startswith("#")]
    assert len(inside) == 6 + 3  # stories and headings
    assert sorted(inside) == sorted(tags.names)
    assert all(link.startswith(("#", "https://")) for link in tags.links)
    assert "soldiers &amp; doctors" in html or "<hospitals>" not in html


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", BODIES)
def test_no_form_carries_more_of_a_body_than_the_share(day: Store, form: str, body: str) -> None:
    for language in OUTPUT_LANGUAGES:
        seen = count_shown(BODIES[body], remove_own_words(make_view(day, language), render_view(day, language, form)))
        assert seen <= 0.3 * len(BODIES[body]) + 4  # a space at each end of a word
    assert count_shown(BODIES["talks"], strip_markup(render_view(day, "ru", form))) > 100


@pytest.mark.parametrize("form", FORMS)
def test_no_form_has_a_redacted_name(day: Store, form: str) -> None:
    names = ("Милошевич", "Бакаев", "Оразбаева", "Волонтёры")
    text = render_view(day, "ru", form, redact=names)
    assert not [name for name in names if name.casefold() in text.casefold()]
    assert "█" in text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", OUTPUT_LANGUAGES)
def test_empty_digest_says_so(store: Store, form: str, language: str) -> None:
    text, phrases = render_view(store, language, form), Phrases(language, UTC)
    assert phrases["nothing"] in text.replace("\\", "")
    assert phrases["contents"].casefold() not in text.casefold()
    assert f"{phrases.count('seen_articles', 0)} {phrases['blind']}" in " ".join(text.split())


def test_weak_matches_are_marked(store: Store) -> None:
    item = make_article(
        "mfa:1:en", "Red cross on a door", "A red cross was painted on a door.", NOON, "https://www.gov.kz/1"
    )
    assert {match.strength for match in item.matches} == {Strength.WEAK}
    save_article(store, item, NOON)
    assert make_view(store, "en").digest.is_empty
    assert "Matched: Red Cross (not sure)" in render_view(
        store, "en", "txt", wanted=ArticleQuery(strength=Strength.WEAK)
    )


def test_a_story_without_a_rule_is_under_other_subjects(store: Store) -> None:
    item = make_article("mfa:1:en", "Wheat", "Wheat became dearer.", NOON, "https://www.gov.kz/1")
    save_article(store, item, NOON)
    config = Config()
    found = make_digest_of(EntryBuilder(config, store), store, config, ArticleQuery(), [item], BEGIN, END)
    assert [section.title for section in DigestView(found, Phrases("en", ALMATY)).sections] == ["Other news"]


@pytest.mark.parametrize("form", FORMS)
def test_every_revised_article_of_a_story_says_what_changed(store: Store, form: str) -> None:
    revise_talks(store)
    (told,) = make_view(store, "kk").digest.stories
    assert (told.entry.id, [each.id for each in told.changed]) == ("mfa:1300001:kk", ["mfa:1300001:ru"])
    text = strip_markup(render_view(store, "kk", form))
    assert "Бұл да түзетілді: Қазақстан Сыртқы істер министрлігі, орыс тілі" in text
    assert text.count("Бұрын:") == text.count("Қазір:") >= 2
    assert "Казахстан и МККК обсудили курс для военных медиков (54)" in text.replace("\\", "")


def test_changed_words_are_marked(store: Store) -> None:
    revise_talks(store)
    assert "Headline. Now: Казахстан и МККК обсудили курс для военных медиков *(54)*" in " ".join(
        render_view(store, "en", "txt").split()
    )


def test_few_stories_have_no_contents(day: Store) -> None:
    assert "CONTENTS" not in render_view(day, "en", "txt", wanted=ArticleQuery(sources=("qazmonitor",)))


def test_an_owners_template_replaces_ours(day: Store, tmp_path: Path) -> None:
    (tmp_path / "digest.txt").write_text("{{ say.title }}: {{ digest.stories|length }}", encoding="utf-8")
    assert render_digest(Templates(tmp_path), "txt", make_view(day, "en")) == "Press review: 6"


def test_every_phrase_is_there_in_every_language() -> None:
    from crawler.defaults import load_default_toml

    phrases = load_default_toml("phrases.toml")
    assert all(set(phrases[language]) == set(phrases["en"]) for language in OUTPUT_LANGUAGES)


def test_text_is_escaped_in_markdown() -> None:
    assert escape_markdown("1. *Red* <b> [x] & _y_") == r"1\. \*Red\* &lt;b> \[x\] &amp; \_y\_"
    assert escape_markdown("- one\n# two") == r"\- one \# two"
    assert escape_markdown("ask @all at https://x.kz or www.x.kz") == "ask @\u200ball at https\\://x.kz or www\\.x.kz"


def test_lines_keep_addresses_whole() -> None:
    address = "https://example.org/" + "a-b/" * 40
    assert address in wrap_text(f"word {address} word", 3)
