"""The setting `proxy`: its forms, its password only in variables, and no error or output that shows one."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from crawler.config import load_config, summarize_config
from crawler.config.proxy import parse_proxy, read_environment_proxies
from crawler.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("HTTP://Proxy.Example/", "http://proxy.example:80"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://user:pass@proxy.example:3128", "http://proxy.example:3128"),
    ],
)
def test_address_without_password_is_printed(text: str, url: str) -> None:
    proxy = parse_proxy(text)
    assert proxy is not None
    assert proxy.url == url


def test_password_becomes_the_header() -> None:
    proxy = parse_proxy("http://us%40er:p%C3%A4ss%3A@proxy.example")
    assert proxy is not None
    assert proxy.authorization is not None
    assert proxy.authorization.get_secret_value() == "Basic dXNAZXI6cMOkc3M6"
    assert "dXNA" not in repr(proxy)
    assert str(proxy) == "http://proxy.example:80 (with a password)"


def test_none_is_no_proxy() -> None:
    assert parse_proxy("none") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "direct", "proxy.example:3128", "https://proxy.example", "socks5://proxy.example"),
        *("http://", "http://:3128", "http://a:0", "http://a:99999", "http://a:x", "http://a/path", "http://a b"),
        *("http://[::1", "http://a\r\nx: y", "http://user:geheim@host:3128/x"),
    ],
)
def test_address_that_cannot_be_used_is_not_shown(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRAWLER_SOURCES__MFA__PROXY", text)
    with pytest.raises(
        ConfigError, match=r"CRAWLER_SOURCES__MFA__PROXY: sources\.mfa\.proxy cannot be used: write"
    ) as caught:
        load_config()
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("text", "line", "variable"),
    [
        ('proxy = "http://user:geheim@a:1"\n', 1, "CRAWLER_PROXY"),
        ('[sources.mfa]\nproxy = "user:geheim@a:1"\n', 2, "CRAWLER_SOURCES__MFA__PROXY"),
    ],
)
def test_password_in_the_file_is_refused(text: str, line: int, variable: str, tmp_path: Path) -> None:
    file = tmp_path / "crawler.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert f"set the variable {variable} to the whole address" in str(caught.value)
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_source_has_its_own_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "crawler.toml"
    file.write_text('proxy = "http://a:1"\n[sources.mfa]\nproxy = "none"\n', encoding="utf-8")
    monkeypatch.setenv("CRAWLER_SOURCES__KTKZ__PROXY", "http://user:geheim@b:2")
    config = load_config(file)
    found = {name: config.get_proxy_address(name) for name in ("mfa", "ktkz", "qazmonitor")}
    assert {name: secret.get_secret_value() for name, secret in found.items() if secret} == {
        "mfa": "none",
        "ktkz": "http://user:geheim@b:2",
        "qazmonitor": "http://a:1",
    }
    summary = summarize_config(config)
    assert (summary.proxy, dict(summary.source_proxies)) == (
        "http://a:1",
        {"mfa": "none", "ktkz": "http://b:2 (with a password)"},
    )
    assert "geheim" not in f"{config!r}{config.model_dump()}{config.model_dump_json()}"


def test_environment_has_a_proxy_for_each_scheme(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("https_proxy", "user:geheim@proxy.example:3128")
    assert {scheme: str(proxy) for scheme, proxy in read_environment_proxies().items()} == {
        "https": "http://proxy.example:3128 (with a password)"
    }
    assert summarize_config(load_config()).proxy == "http://proxy.example:3128 (with a password) (variable https_proxy)"
    monkeypatch.setenv("https_proxy", "socks5://user:geheim@proxy.example")
    with pytest.raises(ConfigError, match="The variable https_proxy cannot be used: write http://HOST:PORT") as caught:
        read_environment_proxies()
    assert "geheim" not in "".join(traceback.format_exception(caught.value))
