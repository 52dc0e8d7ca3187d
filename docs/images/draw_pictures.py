"""Draw the README's pictures from what the commands print: `python docs/images/draw_pictures.py`.

`crawl.svg` is the start of `crawler crawl --replay snapshots` on a terminal. `mail.png` is one alert in a mail client;
it needs Chromium.
`newsroom.png` is the first page of `crawler serve --demo`; it needs Chromium too.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
from datetime import datetime
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from crawler.config import load_config
from crawler.notify.rendering import render_alert
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.phrases import Phrases
from crawler.publish.templates import Templates
from crawler.store import open_store
from crawler.text.dates import load_time_zone

HERE = Path(__file__).parent
WIDTH, LINES = 112, 24
ARTICLE = "qazmonitor:1392:en"
PUBLISHED = datetime(2023, 2, 8, 10, 28, tzinfo=load_time_zone("Asia/Almaty"))
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="crawler crawl">
<style>{styles} .{unique_id}-matrix {{ font: {char_height}px monospace; white-space: pre }}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
{chrome}<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>"""


def run_on_terminal(*command: str) -> str:
    """Return what a command prints on a terminal of WIDTH columns, with its colours."""
    main, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "LINES": "60", "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment):
        os.close(terminal)
        chunks = []
        while True:
            try:
                chunk = os.read(main, 65536)
            except OSError:  # the terminal's other end is closed
                break
            chunks.append(chunk)
    return b"".join(chunks).decode()


def draw_terminal(printed: str) -> None:
    """Write the last table and the articles below it as `crawl.svg`."""
    start = printed.rindex("source ")
    console = Console(record=True, width=WIDTH, file=StringIO(), legacy_windows=False)
    console.print(Text("$ crawler crawl --replay snapshots", style="bold"))
    for line in printed[start:].replace("\r", "").splitlines()[:LINES]:
        text = Text.from_ansi(line)
        text.truncate(WIDTH, overflow="ellipsis")
        console.print(text, no_wrap=True)
    console.save_svg(str(HERE / "crawl.svg"), title="crawler", code_format=SVG)


def draw_mail(data: Path) -> None:
    """Write the alert about one stored article as `mail.png`."""
    config = load_config(None)
    with open_store(f"sqlite:///{data}/crawler.db") as store:
        article = store.articles.get(ARTICLE)
        assert article is not None
        (entry,) = EntryBuilder(config, store, language="en").build([EntryRequest(article=article, max_excerpt=600)])
    phrases = Phrases("en", load_time_zone("Asia/Almaty"))
    titles = {"ihl": "International humanitarian law", "red-cross-movement": "Red Cross and Red Crescent Movement"}
    _, _, html = render_alert(
        Templates(), entry, phrases, created_at=PUBLISHED, form="full", subscription="press", titles=titles
    )
    page = data / "mail.html"
    page.write_text(html, encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=720,380"]
    subprocess.run([*command, f"--screenshot={HERE / 'mail.png'}", page.as_uri()], check=True, capture_output=True)


def draw_newsroom(crawler: str) -> None:
    """Write the first page of the demo as `newsroom.png`."""
    with subprocess.Popen([crawler, "serve", "--demo", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = [process.stdout.readline() for _ in range(2)][-1].split()[0]
        command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,860", "--lang=en"]
        subprocess.run([*command, f"--screenshot={HERE / 'newsroom.png'}", address], check=True, capture_output=True)
        process.terminate()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRAWLER_DATA_DIR"] = folder
        crawler = str(Path(sys.executable).with_name("crawler"))
        draw_terminal(run_on_terminal(crawler, "crawl", "--replay", "snapshots", "--keep"))
        draw_mail(Path(folder))
        draw_newsroom(crawler)
