"""The parts of an evidence zip for people: README.txt, and index.html with every version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from crawler.items import Article, ArticleFlag
from crawler.publish.diff_format import DiffLine, list_diff_lines
from crawler.publish.phrases import describe_flags
from crawler.revisions.revision_diff import RevisionDiff

HOW_TO_CHECK = """How to check this without the program that made it

1. That no file here was changed since the zip was made:
       sha256sum -c SHA256SUMS              (on macOS: shasum -a 256 -c SHA256SUMS)
2. That every record is whole and holds what its digests say (warcio is one of several tools for this):
       pip install warcio
       warcio check -v records.warc.gz
3. What the server sent, and what it was asked, with its own Date header:
       gzip -dc records.warc.gz | less
   Bodies may be compressed as the server sent them; `warcio extract --payload records.warc.gz OFFSET` shows one.
4. The page as a browser shows it: open records.warc.gz in any WARC viewer, such as replayweb.page or pywb.
5. That the text is what the page says: compare versions/N.txt with that page. Where the record is JSON (an answer of
   gov.kz's data interface holds many articles), look in it for the number in the article's address.
"""
WHAT_IS_NOT_PROVEN = """What this does not prove

The times are those of the computer that fetched the pages. A reader who must not take its owner's word for them needs
a witness: have SHA256SUMS stamped by a trusted time service on the day it is made, or find the same text elsewhere
(another archive, another reader). A record of type `revisit` says that the server's answer was the same, byte for
byte, as an earlier one, which is included.
"""


def format_readme(facts: dict[str, Any]) -> str:
    """Return README.txt. `facts` are those of provenance.json."""
    lines = [
        f"Evidence: {facts['headline']}",
        facts["url"],
        f"Article {facts['article']}; written {facts['written_at']} by {facts['written_by']}.",
        "",
        *(line for version in facts["versions"] for line in _format_version(version)),
        "",
        HOW_TO_CHECK,
        WHAT_IS_NOT_PROVEN,
        _format_rights(facts["rights"]),
    ]
    return "\n".join(lines) + "\n"


def _format_version(version: dict[str, Any]) -> Iterator[str]:
    yield f"Version {version['version']}: {version['verdict']}, fetched {version['fetched_at'] or 'at an unknown time'}"
    if version["site_verdict"]:
        yield "  no change of the site's: the same record, read again by a later program or other rules"
        if version["changed"]:
            yield f"  read otherwise: {version['changed']['reason']}"
    elif version["changed"]:
        yield f"  changed: {version['changed']['severity']} ({version['changed']['reason']})"
    if doubts := describe_flags([ArticleFlag(flag) for flag in version["flags"]]):
        yield f"  doubtful: {'; '.join(doubts)}"
    if version["text_removed"]:
        yield f"  NO TEXT: {version['text_removed']}"
    if version["missing"]:
        yield f"  NO RECORD: {version['missing']}"
    for record in version["records"]:
        yield f"  record {record['record_id']}, {record['type']}, {record['date']}, {record['target_uri']}"
    for record in version["robots"][:1]:
        yield f"  robots.txt before it: record {record['record_id']}, {record['date']}"
    if version["fetched_by"]:
        yield f"  fetched by {version['fetched_by']}"
    classes = sorted({rule.partition(":")[0] for field, rule in version["read_by"].items() if field != "verdict"})
    yield f"  read by {', '.join(classes) or 'unknown rules'}; the rule for each field is in {version['text'][:-3]}json"
    if version["read_again"]:
        yield f"  read again by {version['read_again']['by']}: {version['read_again']['result']}"


def _format_rights(rights: dict[str, Any] | None) -> str:
    if not rights or not rights["wording"]:
        return "The text belongs to its publisher: this copy is for verification."
    return f"The text belongs to its publisher, who says: {rights['wording']}"


def format_page(facts: dict[str, Any], versions: Sequence[tuple[Article, RevisionDiff | None]]) -> str:
    """Return index.html: everything escaped, no scripts, nothing loaded from anywhere."""
    parts = [
        "<!DOCTYPE html>\n<html><head><meta charset='utf-8'>",
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{escape(facts['headline'])}</title>",
        "<style>body{max-width:50em;margin:2em auto;font-family:serif}pre{white-space:pre-wrap}"
        "del{background:#fdd}ins{background:#dfd}</style></head><body>",
        f"<h1>{escape(facts['headline'])}</h1><p>{escape(facts['url'])}</p>",
    ]
    for version, (article, changes) in zip(facts["versions"], versions, strict=True):
        description = "\n".join(_format_version(version))
        parts.append(f"<h2>Version {article.version}</h2><pre>{escape(description)}</pre>")
        if changes is not None:
            parts += ["<h3>What changed</h3>", *(f"<p>{_mark_line(line)}</p>" for line in list_diff_lines(changes))]
        parts += [f"<h3>{escape(article.title or '')}</h3>", f"<p><em>{escape(article.lead or '')}</em></p>"]
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in article.body.split("\n")]
    rights = escape(_format_rights(facts["rights"]))
    parts.append(f"<hr><pre>{escape(HOW_TO_CHECK)}\n{escape(WHAT_IS_NOT_PROVEN)}</pre><p>{rights}</p>")
    return "\n".join([*parts, "</body></html>\n"])


def _mark_line(line: DiffLine) -> str:
    tags = {"removed": "del", "added": "ins"}
    parts = []
    for span in line:
        tag = tags.get(span.mark)
        parts.append(f"<{tag}>{escape(span.text)}</{tag}>" if tag else escape(span.text))
    return "".join(parts)
