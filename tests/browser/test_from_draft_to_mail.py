"""From a draft of a rule to a mail whose link opens the article: the path of one newsroom, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.mail_box import MailBox
from support.newsroom_articles import make_story_article
from support.newsroom_server import OpenPage, expect, run_newsroom

from crawler.config import load_config
from crawler.keywords import Matcher, load_rules
from crawler.notify.dispatcher import Dispatcher
from crawler.notify.routing import route_events
from crawler.store import Store
from crawler.web.newsroom import Newsroom

pytestmark = pytest.mark.browser
WORDS = {
    "en": ("Try it", "What it finds", "Put it into force", "Add the subscription", "Done."),
    "ru": ("Проверить", "Что он находит", "Ввести в действие", "Добавить подписку", "Готово."),
    "kk": ("Тексеру", "Не табады", "Күшіне енгізу", "Жазылымды қосу", "Дайын."),
}


@pytest.fixture
def box() -> Iterator[MailBox]:
    found = MailBox()
    yield found
    found.controller.stop()


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_draft_becomes_a_mail_whose_link_opens_the_article(
    open_page: OpenPage, filled: Store, tmp_path: Path, box: MailBox, language: str
) -> None:
    path = tmp_path / "crawler.toml"
    path.write_text(f'data_dir = "{tmp_path}"\n[channels]\ndesk = "{box.make_address("a@b.kz")}"\n', encoding="utf-8")
    path.chmod(0o600)
    newsroom = Newsroom(config=load_config(path), store=filled)
    try_it, finds, into_force, add, done = WORDS[language]
    with run_newsroom(newsroom) as address:
        path.write_text(f'{path.read_text()}[web]\naddress = "{address}"\n', encoding="utf-8")
        newsroom.reload()
        page = open_page(f"{address}/rule-draft", java_script_enabled=False, locale=language)
        page.fill("#name", "mission")
        page.fill("#query", "делегация")
        page.click(f"button:has-text('{try_it}')")
        expect(page.locator("main")).to_contain_text(finds)
        expect(page.locator("article.quiet mark").first).to_have_text(re.compile("^делегаци", re.IGNORECASE))
        page.click(f"button:has-text('{into_force}')")
        expect(page).to_have_url(f"{address}/rules/mission")
        page.goto(f"{address}/subscriptions")
        page.fill("#name", "desk-mission")
        page.check("input[name=rule][value=mission]")
        page.click(f"button:has-text('{add}')")
        expect(page.locator(".done")).to_contain_text(done)
        send_new_article(newsroom)
        (mail,) = box.mails
        text = mail.get_body(("plain",))
        assert text is not None
        link = re.search(r": (http://127\.0\.0\.1:\d+/articles/\S+)", text.get_content())
        assert link is not None
        assert link[1].startswith(address)
        page.goto(link[1])
        expect(page.locator("h1")).to_have_text("Миссия прибыла")
        expect(page.locator("mark").first).to_have_text(re.compile("^делегаци", re.IGNORECASE))


def send_new_article(newsroom: Newsroom) -> None:
    """Do what a run does with a new article: find, store, decide, send."""
    store, config, now = newsroom.store, newsroom.config, datetime.now(UTC)
    store.subscriptions.get_or_start(tuple(config.subscriptions), now - timedelta(minutes=1))
    article = make_story_article("500", "В Астане встретили делегацию фонда.", title="Миссия прибыла")
    found = Matcher(load_rules(config.rules)).find_matches(article.texts, article.language, article.source)
    article = replace(article, matches=tuple(each for each in found if each.rule == "mission"))
    store.articles.save(article, content_hash="500", run_id=None, seen_at=now)
    store.clusters.assign_pending(newsroom.zone)
    route_events(store, config, now)
    assert Dispatcher(config, store).send_due().sent == 1
