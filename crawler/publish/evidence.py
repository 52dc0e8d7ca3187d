"""Evidence: every version of an article with the records it was read from, in one zip that needs no crawler to check.

records.warc.gz   the archive's records, byte for byte: response and request of each version, the original that a
                  revisit refers to, robots.txt where the same file kept it
versions/N.txt    the text of each version; versions/N.json the whole article with the rule behind each field
changes/M-N.txt   what changed from one version to the next
provenance.json   times, records, programs, and the result of reading the records again
README.txt        what this is and how to check it; index.html the same for a browser
SHA256SUMS        for `sha256sum -c`
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.archive.record_copy import (
    CopiedRecord,
    copy_transaction,
    find_record_places,
    find_robots_before,
    find_software,
)
from crawler.archive.record_serializer import make_warcinfo
from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.spooled_archive import ArchiveRoot, open_archive
from crawler.config import Config
from crawler.errors import ArchiveError, NotAnArticle, ObjectStorageError, SourceError
from crawler.items import Article, SnapshotRef, Verdict, format_time
from crawler.pages.base import find_same_article, read_snapshot
from crawler.publish.atomic_write import open_atomic
from crawler.publish.diff_format import format_plain, list_diff_lines
from crawler.publish.evidence_page import format_page, format_readme
from crawler.revisions.revision_diff import RevisionDiff
from crawler.similarity.content_hashes import hash_revision

WARC_NAME = "records.warc.gz"
CHECKSUMS_NAME = "SHA256SUMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEvidence:
    """What is known of one version: its record and those that belong to it, or why there is none (`missing`)."""

    article: Article
    records: tuple[CopiedRecord, ...] = ()
    robots: tuple[CopiedRecord, ...] = ()
    software: str | None = None
    missing: str | None = None
    reread_result: str | None = None
    changes: RevisionDiff | None = None


def collect_evidence(
    versions: Sequence[Article], changes: Sequence[RevisionDiff | None], config: Config
) -> list[VersionEvidence]:
    """Return what is known of each version. `versions` begin with the oldest, `changes` are what each changed."""
    root = open_archive(config.archive_dir, config.objects)
    collected = [_collect_version(version, root, config) for version in versions]
    return [replace(version, changes=change) for version, change in zip(collected, changes, strict=True)]


def _collect_version(version: Article, root: ArchiveRoot, config: Config) -> VersionEvidence:
    ref = version.snapshot
    if ref is None or ref.file is None or ref.offset is None:
        reason = f"its page is the file {ref.file}, not a record of the archive" if ref and ref.file else "no page kept"
        return VersionEvidence(article=version, missing=reason)
    try:
        records = [*copy_transaction(root, ref.file, ref.offset), *_copy_first_visit(version, root)]
        robots = find_robots_before(root, ref)
        return VersionEvidence(
            article=version,
            records=tuple(records),
            robots=tuple(copy_transaction(root, robots.file, robots.offset or 0)) if robots and robots.file else (),
            software=find_software(root, ref.file),
            reread_result=_reread_record(version, ref, root, config),
        )
    except ObjectStorageError:
        raise  # It may answer later: no package says then that a record is missing.
    except ArchiveError as error:
        return VersionEvidence(article=version, missing=str(error))


def _copy_first_visit(version: Article, root: ArchiveRoot) -> list[CopiedRecord]:
    """Return the records of the visit that first found an unpublished page gone."""
    if version.verdict is not Verdict.UNPUBLISHED:
        return []
    visits = find_record_places(version.provenance.get("verdict", ""))
    return [record for file, offset in visits[:-1] for record in copy_transaction(root, file, offset)]


def _reread_record(version: Article, ref: SnapshotRef, root: ArchiveRoot, config: Config) -> str:
    """Return what today's program reads in the version's record. Raise ArchiveError if it is another record."""
    from crawler import spiders

    snapshot = read_snapshot_at(root, ref)
    if version.text_removed_at:
        return "not compared, because the text was removed"
    if version.verdict is Verdict.UNPUBLISHED:
        return f"HTTP {snapshot.status}"
    spider = spiders.load_spider(version.source)
    url = spider.make_url_mapping(config).to_public_url(snapshot.url)
    try:
        articles = read_snapshot(replace(snapshot, url=url), spider.make_site(config)).articles
    except (SourceError, NotAnArticle) as error:
        return f"another result: {error}"
    reread = find_same_article(articles, version)
    if reread is None:
        return "no such article"
    is_same = hash_revision(reread) == hash_revision(replace(version, verdict=None))
    return "the same title, lead and text" if is_same else "another text"


def write_evidence(path: Path, evidence: Sequence[VersionEvidence], now: datetime) -> None:
    """Write the zip in one step. Raise UsageError if it cannot be written."""
    stamp = now.astimezone(UTC).timetuple()[:6]
    with open_atomic(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in make_files(evidence, now).items():
            info = zipfile.ZipInfo(name, stamp)
            info.compress_type = zipfile.ZIP_STORED if name == WARC_NAME else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)


def make_files(evidence: Sequence[VersionEvidence], now: datetime) -> dict[str, bytes]:
    """Return every file of the zip by name. The checksums are last."""
    facts = make_provenance(evidence, now)
    files: dict[str, bytes] = {}
    if any(each.records for each in evidence):
        files[WARC_NAME] = make_warc(evidence, now)
    for each in evidence:
        number = each.article.version
        files[f"versions/{number}.txt"] = format_version_text(each.article).encode()
        files[f"versions/{number}.json"] = _format_json(each.article.to_dict())
        if each.changes:
            marked = "".join(format_plain(line) + "\n" for line in list_diff_lines(each.changes))
            head = f"{each.changes.summary}\njudged by the rules {each.changes.rules}\n\n"
            files[f"changes/{(number or 1) - 1}-{number}.txt"] = (head + marked).encode()
    files["provenance.json"] = _format_json(facts)
    files["README.txt"] = format_readme(facts).encode()
    files["index.html"] = format_page(facts, [(each.article, each.changes) for each in evidence]).encode()
    sums = (f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    files[CHECKSUMS_NAME] = "".join(sums).encode()
    return files


def make_warc(evidence: Sequence[VersionEvidence], now: datetime) -> bytes:
    """Return one WARC file of all records, each once, in the order in which they were fetched."""
    members = {record.key: record for each in evidence for record in (*each.robots, *each.records)}
    ordered = sorted(members.values(), key=lambda record: (record.record.headers.get("warc-date", ""), *record.key))
    source = evidence[0].article.source
    return make_warcinfo(source, WARC_NAME, get_program_name(), now) + b"".join(record.data for record in ordered)


def format_version_text(version: Article) -> str:
    """Return a version's text as a reader saw it."""
    removed = format_removal(version)
    return "\n\n".join(part for part in (version.title, version.lead, version.body, removed) if part) + "\n"


def format_removal(version: Article) -> str | None:
    """Return a sentence about a text that the retention policy removed, with the day in UTC. None for any other."""
    at = version.text_removed_at
    return f"The text was removed by the retention policy on {at.astimezone(UTC):%Y-%m-%d}." if at else None


def get_program_name() -> str:
    """Return this program's name with its version."""
    from importlib.metadata import version

    return f"crawler {version('crawler')}"


def make_provenance(evidence: Sequence[VersionEvidence], now: datetime) -> dict[str, Any]:
    """Return what the zip says about itself, as JSON values."""
    last = evidence[-1].article
    return {
        "article": last.id,
        "source": last.source,
        "url": last.url,
        "headline": last.headline,
        "written_at": format_time(now.astimezone(UTC)),
        "written_by": get_program_name(),
        "rights": last.to_dict()["rights"],
        "versions": [_describe_version(each) for each in evidence],
    }


def _describe_version(evidence: VersionEvidence) -> dict[str, Any]:
    version, changes = evidence.article, evidence.changes
    reread = {"by": get_program_name(), "result": evidence.reread_result} if evidence.reread_result else None
    return {
        "version": version.version,
        "verdict": version.verdict,
        "site_verdict": version.site_verdict,
        "fetched_at": format_time(version.fetched_at),
        "published_at": format_time(version.published_at),
        "flags": list(version.flags),
        "fetched_by": evidence.software,
        "text": f"versions/{version.version}.txt",
        "text_removed": format_removal(version),
        "snapshot": version.to_dict()["snapshot"],
        "records": [_describe_record(record) for record in evidence.records],
        "robots": [_describe_record(record) for record in evidence.robots],
        "missing": evidence.missing,
        "read_by": version.provenance,
        "read_again": reread,
        "changed": _describe_changes(changes) if changes else None,
    }


def _describe_changes(changes: RevisionDiff) -> dict[str, Any]:
    return {
        "severity": changes.severity,
        "reason": changes.reason,
        "kinds": sorted(changes.kinds),
        "rules": changes.rules,
    }


def _describe_record(copied: CopiedRecord) -> dict[str, Any]:
    headers = copied.record.headers
    names = ("type", "record-id", "date", "target-uri", "ip-address", "payload-digest", "block-digest")
    values = {name.replace("-", "_"): headers.get(f"warc-{name}") for name in names}
    sha256 = hashlib.sha256(copied.data).hexdigest()
    return {**values, "archive_file": copied.file, "archive_offset": copied.record.offset, "member_sha256": sha256}


def _format_json(values: Any) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()
