"""Users in a real browser, without JavaScript: sign in, wrong passwords, roles, and an ended session."""

from __future__ import annotations

import re

import pytest
from support.newsroom_server import OpenPage, expect
from support.newsroom_users import PASSWORD, add_user

from crawler.roles import Role
from crawler.store import Store

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
WORDS = {
    "en": ("Name or password is wrong", "too many wrong tries", "Your account", "Your session has ended"),
    "ru": ("Имя или пароль неверны", "Слишком много неверных попыток", "Ваша учётная запись", "Сеанс закончился"),
    "kk": ("Есім немесе құпиясөз қате", "Қате әрекет тым көп болды", "Сіздің тіркелгіңіз", "Сеансыңыз аяқталды"),
}


@pytest.mark.parametrize("language", WORDS)
def test_sign_in_wrong_passwords_and_ended_session(
    open_page: OpenPage, address: str, filled: Store, language: str
) -> None:
    wrong, too_many, account, ended = WORDS[language]
    add_user(filled, "dana", Role.OWNER)
    url = f"{address}/sources?lang={language}"
    page = open_page(url, java_script_enabled=False, viewport=PHONE, statuses=(401, 429))
    page.click(f"nav a[lang={language}]")
    for _ in range(5):
        page.fill("#n", "dana")
        page.fill("#p", "wrong")
        page.click("button")
        expect(page.locator("[role=alert]")).to_contain_text(wrong)
    page.fill("#p", PASSWORD)
    page.click("button")
    expect(page.locator("[role=alert]")).to_contain_text(too_many)
    filled.users.forget_attempts("dana", "127.0.0.1")
    page.fill("#p", PASSWORD)
    page.click("button")
    expect(page).to_have_url(re.compile(f"^{re.escape(address)}/sources"))
    page.click(".menu > summary")
    page.click(".menu .own a")
    expect(page.locator("h1")).to_have_text(account)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    filled.sessions.delete_by_user("dana")
    page.reload()
    expect(page.locator("[role=status]")).to_contain_text(ended)


def test_reader_may_only_mark_as_seen(open_page: OpenPage, address: str, filled: Store) -> None:
    add_user(filled, "aigerim", Role.READER)
    page = open_page(f"{address}/login", java_script_enabled=False)
    page.fill("#n", "aigerim")
    page.fill("#p", PASSWORD)
    page.click("button")
    expect(page.locator(".story.unseen")).to_have_count(2)
    expect(page.locator("button:has-text('Important')")).to_have_count(0)
    page.locator("button:has-text('Mark seen')").first.click()
    expect(page.locator(".story.unseen")).to_have_count(1)
    page.click("h3 a:has-text('Делегация МККК')")
    expect(page.locator("h1")).to_contain_text("Делегация МККК")
    expect(page.locator("textarea")).to_have_count(0)


def test_owner_adds_a_user_who_signs_in(open_page: OpenPage, address: str, filled: Store) -> None:
    add_user(filled, "dana", Role.OWNER)
    page = open_page(f"{address}/users", java_script_enabled=False)
    page.fill("#n", "dana")
    page.fill("#p", PASSWORD)
    page.click("button")
    page.fill("#name", "Timur")
    page.select_option("#role", "analyst")
    page.click("button:has-text('Add the user')")
    password = page.inner_text("[role=status] code")
    page.click(".account a")
    page.click("button:has-text('Sign out')")
    expect(page.locator("[role=status]")).to_contain_text("You are signed out.")
    page.fill("#n", "timur")
    page.fill("#p", password)
    page.click("button")
    expect(page.locator(".account bdi")).to_have_text("timur")
    expect(page.locator("button:has-text('Important')")).not_to_have_count(0)
