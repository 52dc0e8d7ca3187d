"""Sign-in and sign-out with an organisation in a real browser, whose provider is another site."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.newsroom_server import OpenPage, expect, run_newsroom
from support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

from crawler.config import Config, OidcConfig, WebConfig
from crawler.roles import Role
from crawler.store import Store
from crawler.web.newsroom import Newsroom
from crawler.web.server import open_listener

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("has_scripts", [True, False])
def test_user_signs_in_and_out_at_the_organisation(
    open_page: OpenPage, filled: Store, tmp_path: Path, has_scripts: bool
) -> None:
    listener = open_listener("127.0.0.1", 0)
    home = f"http://localhost:{listener.getsockname()[1]}"  # for a browser, the provider at 127.0.0.1 is another site
    with OidcProvider() as provider:
        client = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        oidc = OidcConfig.model_validate({**client, "groups": {"desk": "analyst"}})
        config = Config(data_dir=tmp_path, web=WebConfig(address=home, oidc=oidc))
        with run_newsroom(Newsroom(config=config, store=filled), listener):
            others = (urlsplit(provider.issuer).netloc,)
            page = open_page(f"{home}/sources", others=others, java_script_enabled=has_scripts, statuses=(401, 403))
            page.click("a[href^='/login/organisation']")
            expect(page).to_have_url(f"{home}/sources")
            expect(page.locator(".account bdi")).to_have_text("aigerim")
            page.goto(f"{home}/account")
            page.click("button:has-text('Sign out')")
            page.click("text=Sign out at your organisation too")
            expect(page).to_have_url(f"{home}/login")
            assert [each["post_logout_redirect_uri"] for each in provider.sign_outs] == [f"{home}/login"]
            provider.failure = "access_denied"
            page.click("a[href^='/login/organisation']")
            expect(page).to_have_url(re.compile("/login[?]refused="))
            expect(page.locator("[role=alert]")).to_be_visible()
    assert [(user.name, user.role) for user in filled.users.list_all()] == [("aigerim", Role.ANALYST)]
