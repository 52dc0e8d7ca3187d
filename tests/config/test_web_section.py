"""The section `[web]`: what can be used, and which sentence says what cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import load_config
from crawler.errors import ConfigError

OIDC = 'issuer = "https://idp.example"\nclient_id = "crawler"\ngroups = { desk = "owner" }\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "crawler.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_section_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLER_WEB__OIDC__CLIENT_SECRET", "secret of the provider")
    text = f'[web]\naddress = "https://news.example/"\ntrusted_proxies = ["10.0.0.0/24"]\n[web.oidc]\n{OIDC}'
    web = load_config(write(tmp_path, text)).web
    assert (web.address, web.trusted_proxies, web.remote_user) == ("https://news.example", ("10.0.0.0/24",), False)
    assert web.oidc.groups == {"desk": "owner"}
    assert web.oidc.client_secret is not None
    assert web.oidc.client_secret.get_secret_value() == "secret of the provider"
    assert "secret of" not in repr(web)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('[web]\naddress = "news.example"', "address such as https://news.example.org"),
        ('[web]\naddress = "https://news.example/crawler"', "must have no path"),
        ('[web]\naddress = "https://user@news.example"', "cannot be used"),
        ('[web]\ntrusted_proxies = ["proxy.example"]', "is no IP address or network"),
        ('[web]\ntrusted_proxies = ["0.0.0.0/0"]', "anyone could name any user"),
        ("[web]\nremote_user = true", "remote_user needs trusted_proxies"),
        (f"[web.oidc]\n{OIDC}", "oidc needs address"),
        ('[web]\naddress = "https://a.example"\n[web.oidc]\nissuer = "https://b.example"', "client_id and groups"),
        (f"[web.oidc]\n{OIDC.replace('owner', 'admin')}", "groups"),
        (f'[web.oidc]\n{OIDC}client_secret = "seen by all"', "CRAWLER_WEB__OIDC__CLIENT_SECRET"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part) as raised:
        load_config(write(tmp_path, text))
    assert "seen by all" not in str(raised.value)
