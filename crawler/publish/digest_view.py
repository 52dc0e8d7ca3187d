"""A digest in words, the same for every form (mail, file, Word, PDF), in the reader's language.

Templates call it `say`: the names of its properties and methods are an interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.items import Precision, Strength, Verdict
from crawler.publish.digest import Digest, DigestStory
from crawler.publish.edits import LIMITED_FIELDS, mark_differences
from crawler.publish.entries import Entry, EntryEdit, RelatedArticle
from crawler.publish.outages import UNREAD_KIND, Outage
from crawler.publish.phrases import Phrases
from crawler.publish.templates import Templates
from crawler.revisions.alignment import AlignmentType
from crawler.revisions.kinds import SEVERITY_RANKS, ChangeKind, Severity
from crawler.rights import Piece

MAX_STORIES_UNLISTED = 3
"""A digest with more stories has a table of contents."""
MAX_LISTED_PAGES = 8
"""Other pages of a story that are listed, of each kind. The rest are counted."""
MIN_OPENING_LENGTH = 60
"""Characters. A shorter opening is not shown beside a sentence with a match."""
LATE_DISCOVERY_AGE = timedelta(days=1)
"""If an article was found this long after its publication, the digest says when."""
ABSENT_TEXT = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSection:
    """A heading with numbered stories: those of a rule, or those taken down."""

    title: str
    anchor: str
    stories: tuple[tuple[int, DigestStory], ...]


class DigestView:
    """A digest in words. `made` is when it was made, `told_by` the subscription that it belongs to."""

    def __init__(
        self, digest: Digest, phrases: Phrases, *, made: datetime | None = None, told_by: str | None = None
    ) -> None:
        self.digest, self.phrases = digest, phrases
        self.made = phrases.fill("made", time=phrases.time(made)) if made else None
        self.told_by = phrases.fill("told_by", name=told_by) if told_by else None
        self.sections = tuple(self._make_sections())
        self.has_contents = len(digest.stories) > MAX_STORIES_UNLISTED

    def _make_sections(self) -> list[DigestSection]:
        parts = [(group.title or self.phrases["other_subjects"], group.stories) for group in self.digest.groups]
        parts += [(self.phrases["put_back_title"], self.digest.returned)] if self.digest.returned else []
        parts += [(self.phrases["taken_down"], self.digest.gone)] if self.digest.gone else []
        sections, count = [], 0
        for number, (title, stories) in enumerate(parts, start=1):
            numbered = tuple(enumerate(stories, start=count + 1))
            sections.append(DigestSection(title=title, anchor=f"part-{number}", stories=numbered))
            count += len(stories)
        return sections

    # --- the digest as a whole

    @property
    def title(self) -> str:
        """The name of the document."""
        return self.phrases["review"]

    @property
    def period(self) -> str:
        """Its begin and end in the reader's zone."""
        begin, end = (self.phrases.time(moment) for moment in (self.digest.begin, self.digest.end))
        return self.phrases.fill("period", begin=begin, end=end)

    @property
    def zone(self) -> str:
        """The zone of all times."""
        return self.phrases.fill("zone", city=self.phrases.city, offset=self.phrases.offset(self.digest.end))

    @property
    def number(self) -> str:
        """How many stories and articles it has."""
        articles = sum(count.told for count in self.digest.counts)
        stories = self.phrases.count("stories", len(self.digest.stories))
        return f"{stories} · {self.phrases.count('articles', articles)}"

    @property
    def seen(self) -> str:
        """For an empty digest: how many articles were read in the period, and whether that was all."""
        read = self.phrases.count("seen_articles", sum(count.seen for count in self.digest.counts))
        return f"{read} {self.phrases['blind']}" if self.digest.troubles else read

    @property
    def counts(self) -> list[str]:
        """A line for each source."""
        credits = {story.entry.source: story.entry.credit for story in self.digest.stories}
        lines = []
        for count in self.digest.counts:
            line = self.phrases.fill("count", source=count.source_title, told=str(count.told), seen=str(count.seen))
            credit = credits.get(count.source)
            if credit and credit.share < 1:
                line += f" ({self.phrases.fill('share_of', share=self.phrases.percent(credit.share))})"
            if count.there:
                line += f". {self.phrases.count('there', count.there)}"
            lines.append(line)
        return lines

    @property
    def left_out(self) -> str | None:
        """Which edits are not shown: how many are too small, by severity, and the articles that were put back."""
        parts = [self.phrases.count(f"edits_{severity}", count) for severity, count in self.digest.left_out.items()]
        lines = [self.phrases.fill("left_out", edits=", ".join(parts))] if parts else []
        if self.digest.put_back:
            entries = (story.entry for story in self.digest.put_back)
            headlines = "; ".join(entry.headline for entry in entries)
            lines.append(self.phrases.fill("put_back", headlines=headlines))
        return " ".join(lines) or None

    @property
    def troubles(self) -> list[str]:
        """A sentence for each source that could not be read completely."""
        return [self.format_outage(outage) for outage in self.digest.troubles]

    def format_outage(self, outage: Outage) -> str:
        """Return why a source could not be read, since when, and until when."""
        phrases, source = self.phrases, outage.source_title
        since = phrases.time(outage.since) if outage.since else None
        if outage.kind == UNREAD_KIND:
            if since:
                return phrases.fill("trouble_unread", source=source, since=since)
            return phrases.fill("trouble_never", source=source)
        reason = phrases["what_changed_page" if outage.kind == "changed" else f"what_{outage.kind}"]
        if since is None:
            return f"{source}: {reason}."
        if outage.until:
            until = phrases.time(outage.until)
            return phrases.fill("trouble_past", source=source, what=reason, since=since, until=until)
        if outage.kind == "silent":
            return phrases.fill("trouble_silent", source=source, since=since)
        return phrases.fill("trouble_since", source=source, what=reason, since=since)

    # --- one story

    def headline(self, entry: Entry | RelatedArticle) -> str:
        """Return the headline, in angle quotes if it comes from the text."""
        return entry.title if isinstance(entry, Entry) else entry.headline

    def label(self, entry: Entry) -> str:
        """Return the article's verdict."""
        if entry.verdict is Verdict.NEW or (entry.verdict is Verdict.REVISED and entry.severity is None):
            # New and revised in one period: for the reader it is new.
            return self.phrases["found_late" if self.digest.is_old(entry) else "new"]
        word = self.phrases[str(entry.verdict)]
        if entry.verdict is Verdict.REVISED and entry.severity not in (None, Severity.NONE):
            word += f" ({self.phrases[f'severity_{entry.severity}']})"
        return word

    def is_match_gone(self, entry: Entry) -> bool:
        """Return whether a revision removed the match."""
        return entry.verdict is Verdict.REVISED and not entry.matches

    def facts(self, entry: Entry) -> list[str]:
        """Return the line below a headline: source, language, times, place."""
        phrases = self.phrases
        facts = [entry.source_title, phrases.tongue(entry.language), self.format_published(entry)]
        is_late = entry.published_at and entry.seen_at and entry.seen_at - entry.published_at > LATE_DISCOVERY_AGE
        if entry.seen_at and (entry.published_at is None or is_late):
            facts.append(f"{phrases['seen']}: {phrases.time(entry.seen_at)}")
        if entry.changed_at:
            label = phrases["noticed" if entry.verdict is Verdict.UNPUBLISHED else "changed_at"]
            facts.append(f"{label}: {phrases.time(entry.changed_at)}")
        section = phrases.section(entry.section) if entry.section else None
        facts += [name for name in (entry.place, section, entry.author) if name]
        return facts

    def format_published(self, entry: Entry) -> str:
        """Return when it was published, with the precision of the page."""
        if entry.published_at is None:
            return self.phrases.no_date(entry.flags)
        is_day = entry.precision is Precision.DAY
        return self.phrases.day(entry.published_at) if is_day else self.phrases.time(entry.published_at)

    def notes(self, story: DigestStory) -> list[str]:
        """Return what a reader has to know first. The first one is the newsroom's comment, if the story has a line."""
        entry, phrases = story.entry, self.phrases
        notes = [f"{phrases['own_line']}: {story.own_line}"] if story.own_line else []
        if entry.is_derived:
            notes.append(f"{_capitalize(phrases['derived'])}.")
        notes += [f"{_capitalize(doubt)}." for doubt in phrases.doubts(entry.flags)]
        if entry.verdict is Verdict.UNPUBLISHED:
            notes.append(phrases["page_gone"])
        if entry.verdict is Verdict.REPUBLISHED:
            notes.append(phrases["republished_note"])
        if entry.verdict is Verdict.COPY:
            notes.append(phrases["copy_note"])
        if story.is_put_back:
            at = story.put_back_at
            notes.append(phrases.fill("put_back_at", time=phrases.time(at)) if at else phrases["put_back_note"])
        elif self.is_match_gone(entry):
            notes.append(f"{_capitalize(phrases['mention_gone'])}.")
        if story.known_since:
            notes.append(phrases.fill("known_since", time=phrases.time(story.known_since)))
        return notes

    def pieces(self, entry: Entry) -> list[Piece]:
        """Return the pieces of the excerpt in reading order.

        Pieces that the headline or an edit repeats are left out, and a short opening beside a sentence with a match.
        """
        said = [entry.headline] if entry.is_derived else []
        said += [edit.new or "" for edit in entry.edits]
        new = [piece for piece in entry.excerpt.pieces if not any(piece.text in text for text in said)]
        relevant = [piece for piece in new if piece.marks or len(piece.text) >= MIN_OPENING_LENGTH]
        return sorted(relevant or new, key=lambda piece: piece.before)

    def lead(self, entry: Entry) -> str | None:
        """Return the lead, or None if the excerpt says the same."""
        lead = entry.lead
        return None if lead is None or any(lead.strip(" .…") in piece.text for piece in entry.excerpt.pieces) else lead

    def matched(self, entry: Entry) -> str | None:
        """Return the matched terms, each once. Terms of the rules, because words of the text count in its share."""
        certain = {match.word for match in entry.matches if match.strength is Strength.STRONG}
        words = dict.fromkeys(
            match.word + ("" if match.word in certain else f" ({self.phrases['weak']})") for match in entry.matches
        )
        return self.phrases.fill("matched", words=", ".join(words)) if words else None

    def also_under(self, story: DigestStory) -> str | None:
        """Return the other rules of the story."""
        names = [self.digest.titles.get(rule, rule) for rule in story.rules[1:]]
        return self.phrases.fill("more_rules", names=", ".join(names)) if names else None

    def credit(self, entry: Entry) -> str | None:
        """Return whom to name."""
        credit, phrases = entry.credit, self.phrases
        parts = [phrases.fill("reference", name=credit.reference)] if credit.reference else []
        parts += [phrases.fill("attribution", name=credit.attribution)] if credit.attribution else []
        return " · ".join(parts) or None

    def link(self, entry: Entry) -> str:
        """Return the words of the link to the article."""
        return self.phrases["was_at" if entry.verdict is Verdict.UNPUBLISHED else "read"]

    # --- its other pages

    def carried(self, entry: Entry) -> str:
        """Return how many other pages have the same text."""
        return _capitalize(self.phrases.count("carried", len(entry.copies)))

    def copies(self, entry: Entry) -> tuple[RelatedArticle, ...]:
        """Return the listed pages with the same text."""
        return entry.copies[:MAX_LISTED_PAGES]

    def versions(self, entry: Entry) -> tuple[RelatedArticle, ...]:
        """Return the listed articles that are certainly of the story: other languages, other words."""
        return tuple(other for other in entry.versions[:MAX_LISTED_PAGES] if not other.is_possible)

    def possible(self, entry: Entry) -> tuple[RelatedArticle, ...]:
        """Return the listed articles that are only possibly of the story."""
        return tuple(other for other in entry.versions[:MAX_LISTED_PAGES] if other.is_possible)

    def related(self, entry: Entry) -> list[tuple[str, tuple[RelatedArticle, ...], str | None]]:
        """Return heading, articles, and below the last list how many are not listed: certain ones, possible ones."""
        lists = [(self.phrases["versions"], self.versions(entry)), (self.phrases["possible"], self.possible(entry))]
        shown = [(title, others) for title, others in lists if others]
        more = self.more(entry, copies=False)
        return [(title, others, more if others is shown[-1][1] else None) for title, others in shown]

    def more(self, entry: Entry, *, copies: bool) -> str | None:
        """Return how many pages are not listed."""
        rest = len(entry.copies if copies else entry.versions) - MAX_LISTED_PAGES
        return self.phrases.count("and_more", rest) if rest > 0 else None

    def other(self, other: RelatedArticle) -> str:
        """Return the source and language of another page."""
        return f"{other.source_title}, {self.phrases.tongue(other.language)}"

    def revised_as_well(self, entry: Entry) -> str:
        """Return the heading of another article of the story that was revised."""
        name = f"{entry.source_title}, {self.phrases.tongue(entry.language)}"
        name += f" ({self.phrases['mention_gone']})" if self.is_match_gone(entry) else ""
        return self.phrases.fill("in_changed", name=name)

    # --- what a revision changed

    def edits(self, entry: Entry) -> list[tuple[str, Piece]]:
        """Return labelled lines, the most severe edit first: before and now with marked words, added, removed."""
        edits = [edit for edit in entry.edits if edit.field != "page"]
        severe = [edit for edit in edits if _is_shown_first(edit)]
        return [line for edit in severe or edits for line in self._format_edit(edit)]

    def whole_change(self, entry: Entry) -> str | None:
        """Return the line that names the command for the whole change."""
        command = entry.diff_command
        return self.phrases.fill("whole_change", command=command) if command else None

    def _format_edit(self, edit: EntryEdit) -> Sequence[tuple[str, Piece]]:
        phrases = self.phrases
        field = f"{phrases[f'field_{edit.field}']}. " if edit.field != "body" else ""
        if edit.alignment is not AlignmentType.EDITED:
            text = edit.new if edit.new is not None else edit.old
            return [(field + _capitalize(phrases[str(edit.alignment)]), self._make_piece(edit, text))]
        figures = edit.format_claim(ChangeKind.FIGURES) if edit.field in LIMITED_FIELDS else None
        if figures and (edit.old is None or edit.new is None):
            # The rights leave no room for one of the sentences. Numbers are facts, not text.
            shown = self._make_piece(edit, edit.new if edit.new is not None else edit.old)
            return [
                (phrases["figures"], Piece(text=figures)),
                (phrases["now" if edit.new is not None else "was"], shown),
            ]
        old, new = self._make_piece(edit, edit.old), self._make_piece(edit, edit.new)
        is_whole = not edit.is_cut and edit.old is not None and edit.new is not None
        if is_whole and edit.field != "published_at":
            old, new = mark_differences(old.text, new.text)
        return [(field + phrases["was"], old), (field + phrases["now"], new)]

    def _make_piece(self, edit: EntryEdit, text: str | None) -> Piece:
        if text is None:
            return Piece(text=self.phrases["not_shown"] if edit.field in LIMITED_FIELDS else ABSENT_TEXT)
        is_time = edit.field == "published_at"
        return Piece(text=self.phrases.time(datetime.fromisoformat(text)) if is_time else text)


def _is_shown_first(edit: EntryEdit) -> bool:
    """Return whether an edit is more than cosmetic or moved. If any is, the others are left out."""
    is_severe = SEVERITY_RANKS[edit.severity] > SEVERITY_RANKS[Severity.COSMETIC]
    return is_severe and edit.alignment is not AlignmentType.MOVED


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def render_digest(templates: Templates, form: str, view: DigestView, *, letterhead: object = None) -> str:
    """Return the digest as `html`, `txt` or `md`, by the template of that suffix. Messages have no letterhead."""
    values = {"digest": view.digest, "say": view, "phrases": view.phrases, "letterhead": letterhead}
    return templates.render(f"digest.{form}", **values)
