"""Article: a version's text with its matches, what it changed, where each part was read, and the archived page."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from urllib.parse import quote, urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from crawler.archive.snapshot_reader import read_snapshot_at
from crawler.archive.spooled_archive import open_archive
from crawler.errors import ArchiveError
from crawler.items import Article, Match, Verdict
from crawler.pages.snapshot import Snapshot
from crawler.publish.evidence import collect_evidence, write_evidence
from crawler.revisions.changes import diff_articles
from crawler.revisions.kinds import ChangeKind
from crawler.revisions.revision_diff import RevisionDiff, SentenceChange
from crawler.rights import DEFAULT_RIGHTS
from crawler.store.reading_lists import RestoredText, VersionSummary
from crawler.web.access import get_principal
from crawler.web.errors import BadAddress, PageMissing
from crawler.web.pages.actions import get_work_state, list_assignees, list_news_versions
from crawler.web.pages.search import find_hit_place
from crawler.web.rendering import PageRenderer, list_spans, mark_spans
from crawler.web.security import SANDBOX_POLICY

VERSIONS_PER_PAGE = 20
MAX_SHOWN_CHARACTERS = 100_000
"""Characters of a text on a page. The evidence has the whole text."""
MAX_SHOWN_CHANGES = 100
MAX_SHOWN_MATCHES = 50
"""Matches that the margin lists; the text marks all of them."""
FIELD_ORDER = ("title", "lead", "body", "published_at", "language", "author", "attribution", "section", "place")
MAX_LISTED_KINDS = 3
"""Kinds of change that the list of versions names."""
MAX_VERSION = 10**9
WORD_PATTERN = re.compile(r"\w+")
WEB_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """The texts of a version with marks. `matches` are those shown, in order; `is_cut`: more text is stored."""

    title: Markup | None
    lead: Markup | None
    paragraphs: tuple[Markup, ...]
    matches: tuple[Match, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """Sentences of one field that follow each other: changed ones, or the number of unchanged ones.

    `neighbours` are those of the unchanged ones that are next to a changed one.
    """

    field: str
    changes: tuple[SentenceChange, ...]
    unchanged_count: int = 0
    neighbours: tuple[SentenceChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """What a version changed. `claims` are the claims that differ: kind, before, now.

    `sentence_count` counts the sentences of the fields that changed.
    """

    diff: RevisionDiff
    groups: tuple[ChangeGroup, ...]
    changed_count: int
    sentence_count: int
    words_added: int
    words_removed: int
    kinds: tuple[ChangeKind, ...]
    claims: tuple[tuple[ChangeKind, str, str], ...]
    is_cut: bool

    @property
    def spans(self) -> list[tuple[str, str]]:
        """The spans of the changed sentences as pairs of mark and text."""
        return [pair for each in self.diff.changed for pair in list_spans(each.sentence.spans)]


def show_article(site: PageRenderer, request: Request) -> Response:
    """Return the page of an article's current version, or of the one in the address."""
    newsroom, reader = site.newsroom, site.make_reader(request)
    store, article_id = newsroom.store, request.path_params["article_id"]
    wanted = parse_number(request, "version")
    article = get_article(site, article_id, wanted)
    state = store.articles.get_state(article_id)
    assert state is not None
    version = article.version or 1
    place = find_hit_place(site, request, article_id)
    is_hit = place is not None and place.hit.article.version == version
    listed = store.reading_lists.list_versions(
        article_id, VERSIONS_PER_PAGE + 1, before=parse_number(request, "versions_before")
    )
    shown = [each for each in listed if each.version == version]
    own = shown or store.reading_lists.list_versions(article_id, 1, before=version + 1)
    base = parse_number(request, "against")
    diff = compare_versions(site, article, base) if base else store.diffs.get(article_id, version)
    story_id = store.stories.get_id_by_article(article_id)
    related = store.reading_lists.get_story_articles({story_id} if story_id is not None else ())
    others = [each for each in related.get(story_id or 0, ()) if each.article_id != article_id]
    profile = newsroom.profiles.get(article.source)
    rights = profile.rights if profile else article.rights or DEFAULT_RIGHTS
    return site.render(
        request,
        "article.html",
        reader=reader,
        article=article,
        address=article.url if urlsplit(article.url).scheme in WEB_SCHEMES else None,
        publisher=newsroom.find_publisher(article.source, article.url),
        first_seen_at=state.first_seen_at,
        seen_at=own[0].seen_at if own else article.fetched_at,
        current_version=state.version,
        text=make_shown_text(place.hit.marked_article if place and is_hit else article),
        place=place,
        is_hit=is_hit,
        base=base,
        change_base=base or version - 1,
        removed_at=article.text_removed_at or (get_article(site, article_id, base).text_removed_at if base else None),
        people=list_assignees(site.newsroom, get_principal(request)),
        work=get_work_state(store, list_news_versions(store, [article]), get_principal(request).name),
        change=make_shown_change(diff) if diff else None,
        restored=find_restored(site, article) if version == state.version and not base else None,
        versions=listed[:VERSIONS_PER_PAGE],
        version_kinds=list_version_kinds(site, article_id, listed[:VERSIONS_PER_PAGE]),
        older_versions=listed[VERSIONS_PER_PAGE - 1].version if len(listed) > VERSIONS_PER_PAGE else None,
        story_id=story_id,
        others=others,
        own_cluster={each.article_id: each.cluster for each in related.get(story_id or 0, ())}.get(article_id),
        missing_languages=[
            language
            for language in (profile.languages if profile else ())
            if language not in {article.language, *(each.language for each in others)}
        ],
        rights=rights,
        allowed_characters=int(len(article.body) * rights.excerpt_share),
        provenance=list_provenance(article),
    )


def find_restored(site: PageRenderer, article: Article) -> RestoredText | None:
    """Return the earlier text that a revised article has again, or None."""
    if article.verdict is not Verdict.REVISED:
        return None
    changes = site.newsroom.store.reading_lists.get_recent_changes([article.id])
    return changes[article.id].restored


def list_version_kinds(
    site: PageRenderer, article_id: str, versions: Iterable[VersionSummary]
) -> dict[int, tuple[ChangeKind, ...]]:
    """Return the kinds of change of each revised version, by its number."""
    revised = [each.version for each in versions if each.verdict is Verdict.REVISED]
    diffs = {version: site.newsroom.store.diffs.get(article_id, version) for version in revised}
    return {version: list_main_kinds(diff)[:MAX_LISTED_KINDS] for version, diff in diffs.items() if diff}


def list_main_kinds(diff: RevisionDiff) -> tuple[ChangeKind, ...]:
    """Return the kinds of the most severe changes, in reading order."""
    main = (each for each in diff.changed if each.severity is diff.severity)
    return tuple(dict.fromkeys(kind for each in main for kind in each.kinds))


def compare_versions(site: PageRenderer, article: Article, base: int) -> RevisionDiff | None:
    """Return what changed since a former version. None for a removed text, or one that takes too long.

    Raise PageMissing for a version that is not stored, and BadAddress for one that is not older.
    """
    if base >= (article.version or 1):
        raise BadAddress
    former = get_article(site, article.id, base)
    if former.text_removed_at or article.text_removed_at:
        return None
    sizes = (len(text or "") for each in (former, article) for text in each.texts.values())
    return None if max(sizes) > MAX_SHOWN_CHARACTERS else diff_articles(former, article)


def download_evidence(site: PageRenderer, request: Request) -> Response:
    """Return the zip of every version of an article with its archived records."""
    store, article_id = site.newsroom.store, request.path_params["article_id"]
    get_article(site, article_id, None)
    versions = store.versions.list_by_article(article_id)
    items = collect_evidence(versions, store.diffs.list_by_article(article_id, versions), site.newsroom.config)
    with tempfile.TemporaryDirectory(prefix="crawler-evidence-") as folder:
        path = Path(folder) / "evidence.zip"
        write_evidence(path, items, datetime.now(UTC))
        data = path.read_bytes()
    return make_download(data, f"{article_id.replace(':', '-')}.zip", "application/zip")


def show_archived(site: PageRenderer, request: Request) -> Response:
    """Return the archived page of a version as text."""
    article, snapshot, problem = find_archived_page(site, request)
    text = snapshot.text if snapshot else ""
    return site.render(
        request,
        "archived.html",
        article=article,
        snapshot=snapshot,
        text=text[:MAX_SHOWN_CHARACTERS],
        is_cut=len(text) > MAX_SHOWN_CHARACTERS,
        problem=problem,
    )


def download_archived(site: PageRenderer, request: Request) -> Response:
    """Return the bytes of the archived page of a version, as a file that no browser opens as a page of this server."""
    article, snapshot, problem = find_archived_page(site, request)
    if snapshot is None:
        raise PageMissing(problem)
    name = f"{article.id.replace(':', '-')}-{article.version}.{snapshot.kind}"
    return make_download(snapshot.body, name, "application/octet-stream")


def find_archived_page(site: PageRenderer, request: Request) -> tuple[Article, Snapshot | None, str]:
    """Return the version in the address with its archived response, or with the reason why there is none."""
    article = get_article(site, request.path_params["article_id"], parse_number(request, "version"))
    if article.snapshot is None or article.snapshot.offset is None:
        return article, None, ""
    config = site.newsroom.config
    try:
        return article, read_snapshot_at(open_archive(config.archive_dir, config.objects), article.snapshot), ""
    except ArchiveError as error:
        return article, None, str(error)


def get_article(site: PageRenderer, article_id: str, version: int | None) -> Article:
    """Return a stored version (None: the current one). Raise PageMissing."""
    article = site.newsroom.store.articles.get(article_id, version)
    if article is None:
        raise PageMissing(f"{article_id} is not stored.")
    return article


def parse_number(request: Request, name: str) -> int | None:
    """Return a number of an address, None without it. Raise BadAddress for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:12]) <= MAX_VERSION:
        raise BadAddress
    return int(text[:12])


def make_download(data: bytes, name: str, kind: str) -> Response:
    """Return a file to save. Nothing in it can run as a page of this server."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-._") else "_" for letter in name)
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": SANDBOX_POLICY,
        "cache-control": "private, no-store",
    }
    return Response(data, media_type=kind, headers=headers)


def make_shown_text(article: Article) -> ShownText:
    """Return the title, lead and paragraphs of a version with their matches marked, cut to a bounded length."""
    shown: list[Match] = []
    is_cut = False

    def mark(field: str, text: str, offset: int = 0) -> Markup:
        nonlocal shown
        spans = []
        end = 0
        for match in matches_by_field.get(field, ()):
            start, stop = match.start - offset, min(match.end - offset, len(text))
            if end <= start < stop:
                spans.append((start, stop))
                shown.append(match)
                end = stop
        return mark_spans(text, spans, first_id=len(shown) - len(spans) + 1)

    matches_by_field = {
        field: sorted(group, key=lambda match: (match.start, -match.end))
        for field, group in groupby(sorted(article.matches, key=lambda match: match.field), lambda match: match.field)
    }
    title, lead, body = article.title, article.lead, article.body
    is_cut = any(len(text or "") > MAX_SHOWN_CHARACTERS for text in (title, lead, body))
    marked_title = mark("title", title[:MAX_SHOWN_CHARACTERS]) if title else None
    marked_lead = mark("lead", lead[:MAX_SHOWN_CHARACTERS]) if lead else None
    paragraphs, offset = [], 0
    for paragraph in body[:MAX_SHOWN_CHARACTERS].split("\n"):
        paragraphs.append(mark("body", paragraph, offset))
        offset += len(paragraph) + 1
    return ShownText(
        title=marked_title, lead=marked_lead, paragraphs=tuple(paragraphs), matches=tuple(shown), is_cut=is_cut
    )


def make_shown_change(diff: RevisionDiff) -> ShownChange:
    """Return the changed sentences in reading order, with unchanged ones counted."""
    groups: list[ChangeGroup] = []
    changed = diff.changed
    left, sentence_count = MAX_SHOWN_CHANGES, 0
    for field, of_field in groupby(diff.sentences, key=lambda change: change.field):
        sentences = list(of_field)
        if not any(each.kinds for each in sentences):
            continue
        sentence_count += len(sentences)
        for is_changed, group in groupby(sentences, key=lambda change: bool(change.kinds)):
            found = tuple(group)
            if is_changed and left > 0:
                groups.append(ChangeGroup(field=field, changes=found[:left]))
                left -= len(found)
            elif not is_changed:
                ends = {0} if found[0] is not sentences[0] else set()
                ends |= {len(found) - 1} if found[-1] is not sentences[-1] else set()
                neighbours = tuple(found[index] for index in sorted(ends))
                groups.append(ChangeGroup(field=field, changes=(), unchanged_count=len(found), neighbours=neighbours))
    claims = dict.fromkeys((claim.kind, claim.old, claim.new) for each in changed for claim in each.claims)
    return ShownChange(
        diff=diff,
        groups=tuple(groups),
        changed_count=len(changed),
        sentence_count=sentence_count,
        words_added=_count_words(changed, "added"),
        words_removed=_count_words(changed, "removed"),
        kinds=list_main_kinds(diff),
        claims=tuple(claims)[:10],
        is_cut=len(changed) > MAX_SHOWN_CHANGES,
    )


def _count_words(changes: Iterable[SentenceChange], mark: str) -> int:
    return sum(
        len(WORD_PATTERN.findall(span.text)) for each in changes for span in each.sentence.spans if span.mark == mark
    )


def list_provenance(article: Article) -> Sequence[tuple[str, str | None, str | None]]:
    """Return field, value (short ones only) and the rule that read it, for each field that has either."""
    names = [*FIELD_ORDER, *(name for name in article.provenance if name not in FIELD_ORDER)]
    values = {"author": article.author, "attribution": article.attribution, "section": article.section}
    values |= {"place": article.place, "published_at": article.published_raw}
    return [(name, values.get(name), article.provenance.get(name)) for name in names]
