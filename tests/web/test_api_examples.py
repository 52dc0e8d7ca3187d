"""The examples of docs/api.md against a running server: each does what the text says."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.newsroom_articles import NOW, SaveArticle

from crawler.items import Article, Health, Run
from crawler.store import Store
from crawler.web.probes import SOURCE_FIGURES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(bash|python)\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
EXPECTED = (
    '"id":"mfa:1:ru"',
    "mfa Заголовок 1 https://mfa.example/1?lang=ru",
    "substantive body",
    '"id":"qazmonitor:2:en"',
    '"note":"Ask the delegation"',
    "event: source",
    '"place":"query.limit"',
)
"""A part of what each example prints."""


@pytest.mark.parametrize(("number", "expected"), list(enumerate(EXPECTED)))
@pytest.mark.slow
def test_example_of_the_document(
    address: str, store: Store, revised: Article, save: SaveArticle, number: int, expected: str
) -> None:
    save("2", "The Red Cross helps.", term="Red Cross", source="qazmonitor", language="en", published_at=NOW)
    language, text = EXAMPLES[number]
    code = text.replace("http://127.0.0.1:8000", address)
    if "event:" in expected:  # something happened before: a client that comes back
        code = code.replace("curl ", "curl -H 'Last-Event-ID: 0-0' ")
        run = store.runs.record_start(Run(source="mfa", started_at=NOW))
        store.runs.record_end(replace(run, finished_at=NOW, health=Health.HEALTHY))
    assert revised.version == 2
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-ec", code]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert expected in done.stdout, done.stdout + done.stderr
    assert done.returncode in (0, 28), done.stderr  # 28: --max-time ended the stream


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == len(EXPECTED)


def test_document_names_every_figure() -> None:
    assert all(f"`{name}`" in DOCUMENT for name in SOURCE_FIGURES)
