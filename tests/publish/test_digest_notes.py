"""Notes of a digest: a removed mention, a first run, a long list of copies."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
from support.day_of_news import (
    ALMATY,
    BEGIN,
    END,
    HOUR,
    NOON,
    make_article,
    make_flood,
    make_later_version,
    make_talks,
    save_article,
)

from crawler.config import Config
from crawler.items import Article, ArticleFlag, Verdict
from crawler.publish.builder import EntryBuilder
from crawler.publish.composed_review import compose_digest
from crawler.publish.digest import make_digest
from crawler.publish.digest_view import MAX_LISTED_PAGES, DigestView, render_digest
from crawler.publish.phrases import Phrases
from crawler.publish.query import ArticleQuery
from crawler.publish.templates import Templates
from crawler.store import Store

CONFIG = Config()
GONE = {
    "en": "What matched is no longer in the text.",
    "ru": "Найденного прежде в тексте больше нет.",
    "kk": "Бұрын табылған сөздер мәтінде енді жоқ.",
}


def list_notes(store: Store, language: str = "en") -> DigestView:
    made = make_digest(
        EntryBuilder(CONFIG, store, language=language), store, CONFIG, ArticleQuery(), BEGIN, END, language=language
    )
    return DigestView(made, Phrases(language, ALMATY))


def remove_match(first: Article) -> Article:
    return make_later_version(
        first, Verdict.REVISED, body=first.body.replace("волонтёров Общества Красного Полумесяца", "жителей")
    )


@pytest.mark.parametrize("before", [BEGIN - HOUR, NOON - HOUR], ids=["known", "new"])
@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_a_removed_mention_has_a_note(store: Store, language: str, before: object) -> None:
    first, _ = make_flood()
    save_article(store, first, before)  # type: ignore[arg-type]
    save_article(store, remove_match(first), NOON)
    say = list_notes(store, language)
    (told,) = say.digest.stories
    assert say.label(told.entry).startswith(say.phrases["revised"])
    assert say.notes(told) == [GONE[language]]
    assert told.entry.edits
    for form in ("txt", "md", "html"):
        assert GONE[language] in render_digest(Templates(), form, say).replace("\n   ", " ")


def test_an_added_mention_has_no_note(store: Store) -> None:
    first, edited = make_flood()
    save_article(store, first, NOON)
    save_article(store, edited, NOON + HOUR)
    say = list_notes(store)
    assert [say.notes(told) for told in say.digest.stories] == [[]]


def test_articles_of_a_first_run_count_as_there_before(store: Store) -> None:
    first, edited = make_flood()
    kept = {"content_hash": "1", "copy_hash": "1", "run_id": None}
    store.articles.save(replace(first, fetched_at=NOON), **kept, seen_at=NOON, suppressed_because="baseline")  # type: ignore[arg-type]
    save_article(store, make_talks()[2], NOON + HOUR)
    assert "was already on the site when the source was first read." in "".join(list_notes(store).counts)
    assert [(count.source, count.told, count.there) for count in list_notes(store).digest.counts if count.told] == [
        ("ktkz", 2, 1)
    ]
    composed = compose_digest(list_notes(store).digest, [make_talks()[2].id], {})
    assert [(count.source, count.told, count.there) for count in composed.counts if count.told] == [("ktkz", 1, 0)]
    save_article(store, edited, NOON + 2 * HOUR)  # a change since then is news
    assert {count.there for count in list_notes(store).digest.counts} == {0}


def test_copies_beyond_the_first_are_counted(store: Store) -> None:
    russian = make_talks()[0]
    save_article(store, russian, NOON)
    for number in range(MAX_LISTED_PAGES + 3):
        url = f"https://www.kt.kz/rus/x_137810100{number:02}.html"
        copy = make_article(f"ktkz:137810100{number:02}:ru", "В МИД обсудили курс", russian.body, NOON, url)
        save_article(store, replace(copy, verdict=Verdict.COPY, copy_of=russian.id), NOON + HOUR)
    store.clusters.assign_pending(ALMATY)
    say = list_notes(store, "ru")
    (told,) = say.digest.stories
    assert say.carried(told.entry) == "Есть ещё на 11 страницах"
    assert (len(say.copies(told.entry)), say.more(told.entry, copies=True)) == (MAX_LISTED_PAGES, "и ещё 3")
    assert say.more(told.entry, copies=False) is None
    for form in ("txt", "md", "html"):
        assert render_digest(Templates(), form, say).count("137810100") == MAX_LISTED_PAGES
        assert "и ещё 3" in render_digest(Templates(), form, say)


@pytest.mark.parametrize("form", ["html", "txt", "md"])
@pytest.mark.parametrize(
    ("language", "cut_off", "future"),
    [
        ("en", "The answer broke off, so a part of the text may be missing.", "the site's date lies in the future"),
        (
            "ru",
            "Ответ сайта оборвался, часть текста может отсутствовать.",
            "дата, указанная на сайте, ещё не наступила",
        ),
        (
            "kk",
            "Сайттың жауабы үзіліп қалды, мәтіннің бір бөлігі жетіспеуі мүмкін.",
            "сайтта көрсетілген күн әлі келген жоқ",
        ),
    ],
)
def test_doubts_are_in_words(store: Store, form: str, language: str, cut_off: str, future: str) -> None:
    flags = (ArticleFlag.BOILERPLATE_REMOVED, ArticleFlag.CUT_OFF, ArticleFlag.FUTURE_DATE)
    article = make_article("mfa:1:ru", "О МККК", "Мост открыл глава МККК.", None, "https://www.gov.kz/1", flags=flags)
    save_article(store, article, NOON)
    view = list_notes(store, language)
    (story,) = view.digest.stories
    assert cut_off in view.notes(story)
    assert future in view.facts(story.entry)
    text = " ".join(html.unescape(render_digest(Templates(), form, view)).replace("\\", "").split())
    assert cut_off in text
    assert future in text


def test_sound_version_after_a_damaged_one_is_shown_as_new(store: Store) -> None:
    first = make_article(
        "mfa:1:ru", "О МККК", "Мост открыл глава МККК", NOON, "https://www.gov.kz/1", flags=(ArticleFlag.CUT_OFF,)
    )
    save_article(store, first, BEGIN - HOUR)
    sound = make_later_version(first, Verdict.NEW, body="Мост открыл глава МККК. Их было 45.", flags=())
    save_article(store, sound, NOON)
    view = list_notes(store)
    (story,) = view.digest.stories
    assert (view.label(story.entry), story.entry.edits) == ("New", ())
