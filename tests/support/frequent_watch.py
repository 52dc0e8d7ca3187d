"""`crawler watch` as a script that looks each half second (`soon_looking.py CRAWLER_TOML SOURCE …`)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from crawler.cli.commands.watch import run_watch
from crawler.service.reloader import ConfigReloader


def main() -> None:
    wishes = ConfigReloader(Path(sys.argv[1]), tuple(sys.argv[2:]))
    with wishes.store:
        asyncio.run(run_watch(wishes, look=0.5))


if __name__ == "__main__":
    main()
