"""A digest in words: what each form of it (mail, file, Word, PDF) says, in the reader's language, said once here.

Templates know it as `say`; `render` fills them in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.items import Precision, Strength, Verdict
from crawler.publish.digest import Digest, DigestStory
from crawler.publish.edits import mark_differences
from crawler.publish.entries import Entry, EntryEdit, RelatedArticle
from crawler.publish.outages import UNREAD_KIND, Outage
from crawler.publish.templates import Templates
from crawler.publish.translations import Translations
from crawler.revisions.alignment import ChangeType
from crawler.revisions.changes import SEVERITY_RANKS, Severity
from crawler.rights import ELLIPSIS, Piece

MAX_STORIES_UNLISTED = 3
"""Stories up to which there is no table of contents."""
MAX_LISTED_PAGES = 8
"""Other pages of a story that are listed; the rest are counted."""
MIN_OPENING_LENGTH = 60
"""Characters of a beginning that is worth showing beside a sentence with a match."""
LATE_DISCOVERY_AGE = timedelta(days=1)
"""From when on it is said that an article was found long after it was published."""
ABSENT_TEXT = "–"
CHANGED_FIGURES = re.compile(r"figures: ([^,]+ → [^,]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSection:
    """A heading with numbered stories: a rule's, or those taken down."""

    title: str
    anchor: str
    stories: tuple[tuple[int, DigestStory], ...]


class DigestView:
    """What is said of a digest. `made` is when it was made, `told_by` the subscription that asked for it."""

    def __init__(
        self, digest: Digest, phrases: Translations, *, made: datetime | None = None, told_by: str | None = None
    ) -> None:
        self.digest, self.phrases = digest, phrases
        self.made = phrases.fill("made", time=phrases.time(made)) if made else None
        self.told_by = phrases.fill("told_by", name=told_by) if told_by else None
        parts = [(group.title or phrases["other_subjects"], group.stories) for group in digest.groups]
        parts += [(phrases["taken_down"], digest.gone)] if digest.gone else []
        at, sections = 0, []
        for number, (title, stories) in enumerate(parts, start=1):
            numbered = tuple(enumerate(stories, start=at + 1))
            sections.append(DigestSection(title=title, anchor=f"part-{number}", stories=numbered))
            at += len(stories)
        self.sections = tuple(sections)
        self.has_contents = at > MAX_STORIES_UNLISTED

    @property
    def title(self) -> str:
        """What it is."""
        return self.phrases["review"]

    @property
    def period(self) -> str:
        """From when to when, in the reader's zone."""
        begin, end = (self.phrases.time(moment) for moment in (self.digest.begin, self.digest.end))
        return self.phrases.fill("period", begin=begin, end=end)

    @property
    def zone(self) -> str:
        """Whose times these are."""
        return self.phrases.fill("zone", city=self.phrases.city, offset=self.phrases.offset(self.digest.end))

    @property
    def number(self) -> str:
        """How many stories and articles."""
        told = sum(count.told for count in self.digest.counts)
        stories = self.phrases.count("stories", len(self.digest.stories))
        return f"{stories} · {self.phrases.count('articles', told)}"

    @property
    def seen(self) -> str:
        """Of an empty digest: how many articles were read in that time, and whether that was all."""
        read = self.phrases.count("seen_articles", sum(count.seen for count in self.digest.counts))
        return f"{read} {self.phrases['blind']}" if self.digest.troubles else read

    @property
    def counts(self) -> list[str]:
        """A line for each source."""
        shares = {told.entry.source: told.entry.credit for told in self.digest.stories}
        lines = []
        for count in self.digest.counts:
            line = self.phrases.fill("count", source=count.source_title, told=str(count.told), seen=str(count.seen))
            credit = shares.get(count.source)
            if credit and credit.share < 1:
                line += f" ({self.phrases.fill('share_of', share=self.phrases.percent(credit.share))})"
            if count.there:
                line += f". {self.phrases.count('there', count.there)}"
            lines.append(line)
        return lines

    @property
    def troubles(self) -> list[str]:
        """A sentence for each source that was not seen to the full."""
        return [self.format_outage(trouble) for trouble in self.digest.troubles]

    def format_outage(self, outage: Outage) -> str:
        """What kept us from a source, since when, until when."""
        say, source = self.phrases, outage.source_title
        since = say.time(outage.since) if outage.since else None
        if outage.kind == UNREAD_KIND:
            return (
                say.fill("trouble_unread", source=source, since=since)
                if since
                else say.fill("trouble_never", source=source)
            )
        what = say["what_changed_page" if outage.kind == "changed" else f"what_{outage.kind}"]
        if since is None:
            return f"{source}: {what}."
        if outage.until:
            return say.fill("trouble_past", source=source, what=what, since=since, until=say.time(outage.until))
        if outage.kind == "silent":
            return say.fill("trouble_silent", source=source, since=since)
        return say.fill("trouble_since", source=source, what=what, since=since)

    def headline(self, entry: Entry | RelatedArticle) -> str:
        """The headline; one that was made from the text stands in angle quotes."""
        return entry.title if isinstance(entry, Entry) else entry.headline

    def label(self, entry: Entry) -> str:
        """What became of the article."""
        if entry.verdict is Verdict.REVISED and entry.severity is None:
            return self.phrases["new"]  # new and revised in one time: the reader knew nothing of it
        word = self.phrases[str(entry.verdict)]
        if entry.verdict is Verdict.REVISED and entry.severity not in (None, Severity.NONE):
            word += f" ({self.phrases[f'severity_{entry.severity}']})"
        return word

    def is_match_gone(self, entry: Entry) -> bool:
        """Whether what matched was taken out of the text."""
        return entry.verdict is Verdict.REVISED and not entry.matches

    def facts(self, entry: Entry) -> list[str]:
        """Source, language, times, place: what stands under a headline."""
        say = self.phrases
        facts = [entry.source_title, say.tongue(entry.language), self.format_published(entry)]
        late = entry.published_at and entry.seen_at and entry.seen_at - entry.published_at > LATE_DISCOVERY_AGE
        if entry.seen_at and (entry.published_at is None or late):
            facts.append(f"{say['seen']}: {say.time(entry.seen_at)}")
        if entry.changed_at:
            changed = say["noticed" if entry.verdict is Verdict.UNPUBLISHED else "changed_at"]
            facts.append(f"{changed}: {say.time(entry.changed_at)}")
        facts += [name for name in (entry.place, entry.section, entry.author) if name]
        return facts

    def format_published(self, entry: Entry) -> str:
        """When it was published, as exactly as the page says."""
        if entry.published_at is None:
            return self.phrases["no_date"]
        is_day = entry.precision is Precision.DAY
        return self.phrases.day(entry.published_at) if is_day else self.phrases.time(entry.published_at)

    def notes(self, told: DigestStory) -> list[str]:
        """What has to be known before reading."""
        entry, notes = told.entry, []
        if entry.is_derived:
            notes.append(f"{_capitalize(self.phrases['derived'])}.")
        if entry.verdict is Verdict.UNPUBLISHED:
            notes.append(self.phrases["page_gone"])
        if entry.verdict is Verdict.REPUBLISHED:
            notes.append(self.phrases["republished_note"])
        if entry.verdict is Verdict.COPY:
            notes.append(self.phrases["copy_note"])
        if self.is_match_gone(entry):
            notes.append(f"{_capitalize(self.phrases['mention_gone'])}.")
        if told.known_since:
            notes.append(self.phrases.fill("known_since", time=self.phrases.time(told.known_since)))
        return notes

    def pieces(self, entry: Entry) -> list[Piece]:
        """The pieces of the excerpt as they are read, the article's beginning first.

        What is said already is left out, and a beginning of a few words where a sentence with a match is shown.
        """
        said = [entry.headline] if entry.is_derived else []
        said += [edit.new or "" for edit in entry.edits]
        new = [piece for piece in entry.excerpt.pieces if not any(piece.text in text for text in said)]
        telling = [piece for piece in new if piece.marks or len(piece.text) >= MIN_OPENING_LENGTH]
        return sorted(telling or new, key=lambda piece: piece.before)

    def lead(self, entry: Entry) -> str | None:
        """The lead, where the excerpt does not say the same."""
        lead = entry.lead
        return None if lead is None or any(lead.strip(" .…") in piece.text for piece in entry.excerpt.pieces) else lead

    def matched(self, entry: Entry) -> str | None:
        """The terms that were found, each once: as the rules have them, for the text's own words count in the share."""
        sure = {found.word for found in entry.matches if found.strength is Strength.STRONG}
        words = dict.fromkeys(
            found.word + ("" if found.word in sure else f" ({self.phrases['weak']})") for found in entry.matches
        )
        return self.phrases.fill("matched", words=", ".join(words)) if words else None

    def also_under(self, told: DigestStory) -> str | None:
        """The other rules that the story falls under."""
        names = [self.digest.titles.get(rule, rule) for rule in told.rules[1:]]
        return self.phrases.fill("more_rules", names=", ".join(names)) if names else None

    def credit(self, entry: Entry) -> str | None:
        """Whom to name."""
        credit, say = entry.credit, self.phrases
        parts = [say.fill("reference", name=credit.reference)] if credit.reference else []
        parts += [say.fill("attribution", name=credit.attribution)] if credit.attribution else []
        return " · ".join(parts) or None

    def link(self, entry: Entry) -> str:
        """What the link to the article says."""
        return self.phrases["was_at" if entry.verdict is Verdict.UNPUBLISHED else "read"]

    def carried(self, entry: Entry) -> str:
        """How many more pages carry the same text."""
        return _capitalize(self.phrases.count("carried", len(entry.copies)))

    def copies(self, entry: Entry) -> tuple[RelatedArticle, ...]:
        """The first pages that carry the same text."""
        return entry.copies[:MAX_LISTED_PAGES]

    def versions(self, entry: Entry) -> tuple[RelatedArticle, ...]:
        """The first other articles of the story: other languages, other words."""
        return entry.versions[:MAX_LISTED_PAGES]

    def more(self, entry: Entry, *, copies: bool) -> str | None:
        """How many pages beyond those listed there are."""
        left = len(entry.copies if copies else entry.versions) - MAX_LISTED_PAGES
        return self.phrases.count("and_more", left) if left > 0 else None

    def other(self, other: RelatedArticle) -> str:
        """Where another page stands, and in which language."""
        return f"{other.source_title}, {self.phrases.tongue(other.language)}"

    def revised_as_well(self, entry: Entry) -> str:
        """The heading of another article of the story that was revised."""
        name = f"{entry.source_title}, {self.phrases.tongue(entry.language)}"
        name += f" ({self.phrases['mention_gone']})" if self.is_match_gone(entry) else ""
        return self.phrases.fill("in_changed", name=name)

    def edits(self, entry: Entry) -> list[tuple[str, Piece]]:
        """What changed: before and now with the changed words marked, added, removed; the gravest first."""
        edits = [edit for edit in entry.edits if edit.field != "page"]
        grave = [
            edit
            for edit in edits
            if SEVERITY_RANKS[edit.severity] > SEVERITY_RANKS[Severity.COSMETIC]
            and edit.change_type is not ChangeType.MOVED
        ]
        return [line for edit in grave or edits for line in self._format_edit(edit)]

    def _format_edit(self, edit: EntryEdit) -> list[tuple[str, Piece]]:
        say = self.phrases
        field = f"{say[f'field_{edit.field}']}. " if edit.field != "body" else ""
        if edit.change_type is not ChangeType.EDITED:
            text = edit.new if edit.new is not None else edit.old
            return [(field + _capitalize(say[str(edit.change_type)]), self._make_piece(edit, text))]
        figures = CHANGED_FIGURES.search(edit.reason or "") if edit.field == "body" else None
        if figures and (edit.old is None or edit.new is None):  # numbers are facts, not text
            shown = self._make_piece(edit, edit.new if edit.new is not None else edit.old)
            return [(say["figures"], Piece(text=figures[1])), (say["now" if edit.new is not None else "was"], shown)]
        old, new = self._make_piece(edit, edit.old), self._make_piece(edit, edit.new)
        is_whole = not any(each is None or each.endswith(ELLIPSIS) for each in (edit.old, edit.new))
        if is_whole and edit.field != "published_at":
            old, new = mark_differences(old.text, new.text)
        return [(field + say["was"], old), (field + say["now"], new)]

    def _make_piece(self, edit: EntryEdit, text: str | None) -> Piece:
        if text is None:
            return Piece(text=self.phrases["not_shown"] if edit.field == "body" else ABSENT_TEXT)
        return Piece(text=self.phrases.time(datetime.fromisoformat(text)) if edit.field == "published_at" else text)


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def render_digest(templates: Templates, form: str, view: DigestView) -> str:
    """The digest as `html`, `txt` or `md`, by the template of that ending."""
    return templates.render(f"digest.{form}", digest=view.digest, say=view, phrases=view.phrases)
