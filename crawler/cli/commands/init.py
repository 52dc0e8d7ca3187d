"""`crawler init`: write a commented crawler.toml and rules.toml to edit, and the schema of rules files for editors."""

from __future__ import annotations

import shlex
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from crawler.errors import UsageError

FILES = ("crawler.toml", "rules.toml", "rules.schema.json")


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write them to.")] = Path(),
) -> None:
    """Write a commented crawler.toml and rules.toml.

    rules.schema.json beside them lets editors complete and check the rules. Existing files are not overwritten.
    """
    from crawler.publish.atomic_write import write_atomic

    defaults = resources.files("crawler.defaults")
    files = {name: defaults.joinpath("own_rules.toml" if name == "rules.toml" else name) for name in FILES}
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
    file = folder / "crawler.toml"
    option = "" if folder.absolute() == Path.cwd() else f"--config {shlex.quote(str(file))} "
    print(f"Write your mail or web address into `contact` of {file}, then run `crawler {option}crawl`.")
