"""Arguments and options that several commands share, so that each has one meaning and one wording.

`--source` is the name of a source, as in `crawler sources`. `--language` is the language of articles; the language of
the text around them is `--output-language`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawler.items import Strength

SourcesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SOURCE", help="Names of sources. Default: all enabled sources.")
]
SourceArgument = Annotated[str | None, typer.Argument(metavar="SOURCE", help="Name of a source. Default: all sources.")]
OneSourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="Name of a source.")]
ArticleArgument = Annotated[
    str, typer.Argument(metavar="ARTICLE", help="Article id, URL, or the source's number for it.")
]

MAX_COUNT = 10**9
"""Largest number that an option takes. It fits into every database column."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
NewStoreOption = Annotated[
    bool, typer.Option("--new-store", help="Accept an empty store beside an archive with records.")
]
SourceOption = Annotated[
    list[str] | None, typer.Option("--source", metavar="SOURCE", help="Only articles of this source. Repeatable.")
]
LanguageOption = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="LANGUAGE", help="Only articles in: en, ru, kk, ky, uz or tg. Repeatable."),
]
RuleOption = Annotated[
    list[str] | None, typer.Option("--rule", metavar="RULE", help="Only articles that this rule matched. Repeatable.")
]
StrengthOption = Annotated[Strength, typer.Option(help="Least strength of a match that counts.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only since this day, time or age: 2026-01-31, 36h, 90d."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only articles before this day, time or age.")
]
SeenSinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Only new or revised since: 2026-01-31, 36h, 90d."),
]
SeenUntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Only new or revised before: 2026-01-31, 36h, 90d."),
]
OutputLanguageOption = Annotated[
    str | None,
    typer.Option("--output-language", metavar="LANGUAGE", help="Language of the text around articles: en, ru or kk."),
]
FormerLanguageOption = Annotated[
    str | None, typer.Option("--language", hidden=True, help="Former name of --output-language.")
]
SnapshotsOption = Annotated[
    Path | None, typer.Option("--snapshots", metavar="FOLDER", help="Folder of snapshots. Default: snapshots.")
]
PageSourceOption = Annotated[
    str | None, typer.Option("--source", metavar="SOURCE", help="Source that the page is from.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write.")]
