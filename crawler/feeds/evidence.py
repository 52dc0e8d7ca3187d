"""Evidence: every version of an article with the records it was read from, in one zip that is checked without us.

records.warc.gz   the archive's records, byte for byte: response and request of each version, the original that a
                  revisit refers to, robots.txt where the same file kept it
versions/N.txt    the text of each version; versions/N.json the whole article with the rules that gave each field
changes/M-N.txt   what changed from one version to the next
provenance.json   times, records, programs, and what reading the records again gives
README.txt        what this is and how to check it; index.html the same to look at
SHA256SUMS        for `sha256sum -c`
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from crawler.archive.copying import Copied, exchange, robots_before, software
from crawler.archive.reader import read_at
from crawler.archive.record import opening
from crawler.config import Config
from crawler.dedupe.changes import Changes, between
from crawler.dedupe.content import revision_hash
from crawler.errors import ArchiveError, NotAnArticle, SourceError
from crawler.extract.page import read
from crawler.feeds.evidence_page import page, readme
from crawler.feeds.marks import lines, plain
from crawler.feeds.whole import whole_file
from crawler.items import Article, SnapshotRef, Verdict, iso

WARC = "records.warc.gz"
SUMS = "SHA256SUMS"
VISIT = re.compile(r"\((\S+) at byte (\d+)\)")
"""Where an unpublished version's provenance says that an answer is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of one version: its own record and all copied with it, or why there is none."""

    article: Article
    records: tuple[Copied, ...] = ()
    robots: tuple[Copied, ...] = ()
    software: str | None = None
    missing: str | None = None
    read_again: str | None = None
    changes: Changes | None = None


def gather(versions: Sequence[Article], config: Config) -> list[Told]:
    """Everything about each version, the oldest first."""
    changes = [None, *(between(old, new) for old, new in pairwise(versions))]
    told = [_told(version, config) for version in versions]
    return [replace(each, changes=change) for each, change in zip(told, changes, strict=True)]


def _told(version: Article, config: Config) -> Told:
    ref, root = version.snapshot, config.archive_dir
    if ref is None or ref.file is None or ref.offset is None:
        where = f"its page is the file {ref.file}, not a record of the archive" if ref and ref.file else "no page kept"
        return Told(article=version, missing=where)
    try:
        records = [*exchange(root, ref.file, ref.offset), *_first_visit(version, root)]
        robots = robots_before(root, ref)
        return Told(
            article=version,
            records=tuple(records),
            robots=tuple(exchange(root, robots.file, robots.offset or 0)) if robots and robots.file else (),
            software=software(root, ref.file),
            read_again=_read_again(version, ref, config),
        )
    except ArchiveError as error:
        return Told(article=version, missing=str(error))


def _first_visit(version: Article, root: Path) -> list[Copied]:
    """The records of the visit that first found an unpublished page gone."""
    if version.verdict is not Verdict.UNPUBLISHED:
        return []
    visits = VISIT.findall(version.provenance.get("verdict", ""))
    return [record for file, offset in visits[:-1] for record in exchange(root, file, int(offset))]


def _read_again(version: Article, ref: SnapshotRef, config: Config) -> str:
    """What today's program reads in the version's record; ArchiveError when it is not the record that was kept."""
    from crawler import spiders

    snapshot = read_at(config.archive_dir, ref)
    if version.verdict is Verdict.UNPUBLISHED:
        return f"HTTP {snapshot.status}"
    spider = spiders.load(version.source)
    url = spider.mirror_in(config).inward(snapshot.url)
    try:
        articles = read(replace(snapshot, url=url), spider.site_of(config)).articles
    except (SourceError, NotAnArticle) as error:
        return f"another result: {error}"
    same = [article for article in articles if article.id == version.id]
    if same and revision_hash(same[0]) == revision_hash(replace(version, verdict=None)):
        return "the same title, lead and text"
    return "another text" if same else "no such article"


def write(path: Path, told: Sequence[Told], now: datetime) -> None:
    """Write the zip, whole or not at all. UsageError when the place cannot be written."""
    stamp = now.astimezone(UTC).timetuple()[:6]
    with whole_file(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents(told, now).items():
            info = zipfile.ZipInfo(name, stamp)
            info.compress_type = zipfile.ZIP_STORED if name == WARC else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)


def contents(told: Sequence[Told], now: datetime) -> dict[str, bytes]:
    """Every file of the zip by name; the checksums last."""
    facts = provenance(told, now)
    files: dict[str, bytes] = {}
    if any(each.records for each in told):
        files[WARC] = warc(told, now)
    for each in told:
        number = each.article.version
        files[f"versions/{number}.txt"] = text(each.article).encode()
        files[f"versions/{number}.json"] = _json(each.article.to_dict())
        if each.changes:
            marked = "".join(plain(line) + "\n" for line in lines(each.changes))
            head = f"{each.changes.severity}: {each.changes.reason}\n\n"
            files[f"changes/{(number or 1) - 1}-{number}.txt"] = (head + marked).encode()
    files["provenance.json"] = _json(facts)
    files["README.txt"] = readme(facts).encode()
    files["index.html"] = page(facts, [(each.article, each.changes) for each in told]).encode()
    sums = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    files[SUMS] = "".join(sums).encode()
    return files


def warc(told: Sequence[Told], now: datetime) -> bytes:
    """One WARC file of all records, each once, in the order they were fetched."""
    members = {record.name: record for each in told for record in (*each.robots, *each.records)}
    ordered = sorted(members.values(), key=lambda record: (record.record.headers.get("warc-date", ""), *record.name))
    source = told[0].article.source
    return opening(source, WARC, program(), now) + b"".join(record.data for record in ordered)


def text(version: Article) -> str:
    """A version's text as a reader saw it."""
    return "\n\n".join(part for part in (version.title, version.lead, version.body) if part) + "\n"


def program() -> str:
    """This program with its version."""
    from importlib.metadata import version

    return f"crawler {version('crawler')}"


def provenance(told: Sequence[Told], now: datetime) -> dict[str, Any]:
    """What the zip says about itself, as JSON values."""
    last = told[-1].article
    return {
        "article": last.id,
        "source": last.source,
        "url": last.url,
        "headline": last.headline,
        "written_at": iso(now.astimezone(UTC)),
        "written_by": program(),
        "rights": last.to_dict()["rights"],
        "versions": [_facts(each) for each in told],
    }


def _facts(told: Told) -> dict[str, Any]:
    version = told.article
    return {
        "version": version.version,
        "verdict": version.verdict,
        "fetched_at": iso(version.fetched_at),
        "published_at": iso(version.published_at),
        "fetched_by": told.software,
        "text": f"versions/{version.version}.txt",
        "snapshot": version.to_dict()["snapshot"],
        "records": [_record(record) for record in told.records],
        "robots": [_record(record) for record in told.robots],
        "missing": told.missing,
        "read_by": version.provenance,
        "read_again": {"by": program(), "result": told.read_again} if told.read_again else None,
        "changed": {"severity": told.changes.severity, "reason": told.changes.reason} if told.changes else None,
    }


def _record(copied: Copied) -> dict[str, Any]:
    headers = copied.record.headers
    named = ("type", "record-id", "date", "target-uri", "ip-address", "payload-digest", "block-digest")
    about = {name.replace("-", "_"): headers.get(f"warc-{name}") for name in named}
    sha256 = hashlib.sha256(copied.data).hexdigest()
    return {**about, "archive_file": copied.file, "archive_offset": copied.record.offset, "member_sha256": sha256}


def _json(values: Any) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
