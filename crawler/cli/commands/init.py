"""`crawler init`: write a commented crawler.toml and rules.toml to edit."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from crawler.errors import UsageError


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write them to.")] = Path(),
) -> None:
    """Write a commented crawler.toml and rules.toml. Existing files are not overwritten."""
    from crawler.publish.atomic_write import write_atomic

    files = {name: resources.files("crawler.defaults").joinpath(name) for name in ("crawler.toml", "rules.toml")}
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} exists already and is not overwritten; move it away first.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}.") from error
    for name, shipped in files.items():
        text = shipped.read_text(encoding="utf-8").replace('# rules = "rules.toml"', 'rules = "rules.toml"')
        write_atomic(folder / name, text.encode(), "FOLDER")
        print(f"Wrote {folder / name}")
    print("Write your mail or web address into `contact`, then run `crawler crawl`.")
