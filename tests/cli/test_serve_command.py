"""`crawler serve`: the address, the port, the demo, and its end."""

from __future__ import annotations

import os
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from support.process_tree import is_alive, list_descendants
from support.qazmonitor_site import QazMonitorSite
from support.sandbox import ROOT, Sandbox
from support.waiting import wait_until

from crawler.config import WebConfig
from crawler.errors import PortTaken, UsageError
from crawler.roles import Role
from crawler.service.watch_process import make_watch_command
from crawler.store import Store
from crawler.web.server import open_listener, raise_if_open_to_all

PORT_TAKEN = 19
ONE_SOURCE = {"CRAWLER_SOURCES__MFA__ENABLED": "no", "CRAWLER_SOURCES__KTKZ__ENABLED": "no"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "newsroom.example", "127.0.0.1.example", ""])
def test_address_that_others_can_reach_needs_a_user(host: str, store: Store) -> None:
    for there in (store, None):
        with pytest.raises(UsageError, match="crawler user add NAME --role owner") as caught:
            raise_if_open_to_all(host, WebConfig(), there)
        assert caught.value.exit_code == 2
    store.users.add("dana", Role.OWNER, at=datetime.now(UTC), password_hash=None)
    raise_if_open_to_all(host, WebConfig(), store)


@pytest.mark.parametrize(
    "values", [{"address": "https://news.example"}, {"trusted_proxies": ["127.0.0.1"]}], ids=["address", "proxy"]
)
def test_loopback_behind_a_proxy_needs_a_user(store: Store, values: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"\[web\] in crawler.toml"):
        raise_if_open_to_all("127.0.0.1", WebConfig.model_validate(values), store)
    provider = {"issuer": "https://idp.example", "client_id": "crawler", "groups": {"desk": "owner"}}
    web = WebConfig.model_validate({"address": "https://news.example", **values, "oidc": provider})
    raise_if_open_to_all("127.0.0.1", web, store)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_address_is_accepted(host: str) -> None:
    raise_if_open_to_all(host, WebConfig(), None)


def test_host_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="there is no such address"):
        open_listener("nowhere.invalid", 0)


def test_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PortTaken) as caught:
        open_listener("127.0.0.1", taken.getsockname()[1])
    assert caught.value.exit_code == PORT_TAKEN
    assert "--port" in str(caught.value)
    assert ": address already in use. End" in str(caught.value)


@pytest.mark.slow
def test_command_reports_a_port_in_use_and_a_foreign_host(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port, host = sandbox.run_many(
            ("serve", "--port", taken.getsockname()[1]), ("serve", "--host", "0.0.0.0", "--port", "0")
        )
    assert (port.code, host.code) == (PORT_TAKEN, 2)
    assert port.err.count("\n") <= 2
    assert "ssh -L" in host.err
    assert not sandbox.data_dir.exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_shows_the_samples_and_ends_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    sandbox = Sandbox(tmp_path, variables={"TMPDIR": str(tmp_path)})
    sandbox.work_dir.mkdir(parents=True)
    (sandbox.work_dir / "snapshots").symlink_to(ROOT / "snapshots")
    with sandbox.start_crawler("serve", "--demo", "--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        address = lines[-1].split()[0]
        html = httpx.get(address, timeout=120).text
        assert "Demo of sample pages" in html
        assert html.count('<article class="story') >= 10
        revised = httpx.get(f"{address}?status=revised", timeout=120).text
        assert revised.count('<article class="story') == 1
        assert "<ins" in revised, "the paragraph that came back"
        assert len(list(tmp_path.glob("crawler-demo-*"))) == 1
        os.kill(process.pid, number)
        assert process.wait(120) == 0
        assert process.stdout.read() == "stopped\n"
    assert list(tmp_path.glob("crawler-demo-*")) == []
    assert not sandbox.data_dir.exists()


@pytest.mark.slow
def test_own_store_is_shown(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with sandbox.start_crawler("serve", "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        assert "no source was read" in httpx.get(address, timeout=120).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert (sandbox.data_dir / "crawler.db").exists()


def test_watch_accepts_an_empty_store_if_the_pages_do() -> None:
    assert make_watch_command(Path("office.toml"), new_store=True)[3:] == [
        "--config",
        "office.toml",
        "watch",
        "--new-store",
    ]
    assert make_watch_command(None, new_store=False)[3:] == ["watch"]


@pytest.mark.slow
def test_demo_has_nothing_to_watch(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    ended = sandbox.run_crawler("serve", "--demo", "--watch")
    assert (ended.code, ended.err.count("\n")) == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_runs_the_sources_and_ends_with_the_pages(tmp_path: Path, number: signal.Signals) -> None:
    with QazMonitorSite(4) as site:
        sandbox = Sandbox(tmp_path, {"qazmonitor": site}, ONE_SOURCE)
        with sandbox.start_crawler("serve", "--watch", "--port", "0") as process:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            read = [next(line for line in lines if line.startswith(start)) for start in ("http", "watching")]
            address = read[0].split()[0]
            assert any("qazmonitor  healthy" in line for line in lines)
            below = list_descendants(process.pid)
            assert "Qaz" in httpx.get(address, timeout=120).text
            process.send_signal(number)
            assert process.wait(40) == 0
            assert process.stdout.read().splitlines()[-2:] == ["stopped", "stopped"]
        wait_until(lambda: not any(map(is_alive, below)))


@pytest.mark.slow
def test_watch_that_ends_by_itself_ends_the_pages(tmp_path: Path) -> None:
    with QazMonitorSite(4) as site:
        sandbox = Sandbox(tmp_path, {"qazmonitor": site}, ONE_SOURCE)
        with sandbox.start_crawler("serve", "--watch", "--port", "0") as process:
            assert process.stdout is not None
            next(line for line in iter(process.stdout.readline, "") if line.startswith("watching"))
            watch, *_ = (pid for pid in list_descendants(process.pid) if b"watch" in read_command_line(pid))
            os.kill(watch, signal.SIGKILL)
            assert process.wait(40) == 128 + signal.SIGKILL


def read_command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
