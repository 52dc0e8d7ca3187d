"""Run `crawler watch` with a check every half second: `frequent_watch.py CRAWLER_TOML SOURCE …`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from crawler.cli.commands.watch import run_watch
from crawler.service.reloader import ConfigReloader


def main() -> None:
    reloader = ConfigReloader(Path(sys.argv[1]), tuple(sys.argv[2:]))
    with reloader.store:
        asyncio.run(run_watch(reloader, check_seconds=0.5))


if __name__ == "__main__":
    main()
