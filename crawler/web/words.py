"""The interface's words for values of the program, as message ids: translate them where they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from crawler.items import Health, Verdict
from crawler.monitoring.run_counts import RunCount, get_count_name
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.roles import Role
from crawler.service.source_state import UNWATCHED
from crawler.store import DeliveryState
from crawler.store.reader_actions import ActionKind
from crawler.web.access import KeyScope
from crawler.web.translations import mark_message

VERDICT_WORDS = {
    Verdict.NEW: mark_message("New"),
    Verdict.REVISED: mark_message("Revised"),
    Verdict.UNCHANGED: mark_message("Unchanged"),
    Verdict.COPY: mark_message("Copy"),
    Verdict.UNPUBLISHED: mark_message("Taken down"),
    Verdict.REPUBLISHED: mark_message("Back again"),
    Verdict.REPROCESSED: mark_message("Read anew"),
}
VERDICT_LOOKS = {
    Verdict.NEW: ("", "new"),
    Verdict.REVISED: ("rev", "rev"),
    Verdict.UNCHANGED: ("off", "off"),
    Verdict.COPY: ("", "new"),
    Verdict.UNPUBLISHED: ("gone", "gone"),
    Verdict.REPUBLISHED: ("rev", "rev"),
    Verdict.REPROCESSED: ("off", "off"),
}
"""The CSS class of a state and the name of its shape."""

SEVERITY_WORDS = {
    Severity.NONE: mark_message("no change"),
    Severity.COSMETIC: mark_message("cosmetic"),
    Severity.EDITORIAL: mark_message("editorial"),
    Severity.SUBSTANTIVE: mark_message("substantive"),
}

HEALTH_WORDS: dict[str, str] = {
    Health.HEALTHY: mark_message("Healthy"),
    Health.DEGRADED: mark_message("Degraded"),
    Health.UNREACHABLE: mark_message("Unreachable"),
    Health.BLOCKED: mark_message("Blocked"),
    Health.CHANGED: mark_message("Page changed"),
    Health.SILENT: mark_message("Silent"),
    Health.FAILED: mark_message("Failed"),
    Health.STOPPED: mark_message("Stopped"),
    UNWATCHED: mark_message("Not watched"),
}
HEALTH_LOOKS: dict[str, tuple[str, str]] = {
    Health.HEALTHY: ("ok", "ok"),
    Health.DEGRADED: ("warn", "warn"),
    Health.UNREACHABLE: ("bad", "bad"),
    Health.BLOCKED: ("bad", "bad"),
    Health.CHANGED: ("bad", "bad"),
    Health.SILENT: ("warn", "warn"),
    Health.FAILED: ("bad", "bad"),
    Health.STOPPED: ("off", "off"),
    UNWATCHED: ("off", "off"),
}
HEALTH_SENTENCES: dict[str, str] = {
    Health.HEALTHY: mark_message("The last run read everything that it had to read."),
    Health.DEGRADED: mark_message("The last run missed something: articles may be missing here."),
    Health.UNREACHABLE: mark_message("The site does not answer. What it published since is missing here."),
    Health.BLOCKED: mark_message("The site refuses the crawler. What it published since is missing here."),
    Health.CHANGED: mark_message("The site's pages have another form, and their texts cannot be read."),
    Health.SILENT: mark_message("The source has published nothing for unusually long, or its list was empty."),
    Health.FAILED: mark_message("The last run broke off. What it did not read is missing here."),
    UNWATCHED: mark_message("No run reads this source on schedule."),
}
HEALTH_STEPS: dict[str, str] = {
    Health.UNREACHABLE: mark_message("What to do: open the site. If it is up, ask the owner of this newsroom to look."),
    Health.BLOCKED: mark_message("What to do: read the site yourself for now, and ask its owner to let us in."),
    Health.CHANGED: mark_message("What to do: read the site yourself for now, and report it to the owner here."),
    UNWATCHED: mark_message("What to do: ask the owner of this newsroom to start the watch."),
}
"""What a reader can do about a state."""

RESTORED_WORDS = {
    frozenset({"added"}): mark_message("Removed, then put back:"),
    frozenset({"removed"}): mark_message("Added, then removed again:"),
}
"""What happened to a sentence whose last change undid the one before, by the marks of the last change."""
RESTORED_DEFAULT = mark_message("Changed, then put back:")

CHANGE_WORDS = {
    ChangeKind.FIGURES: mark_message("figures"),
    ChangeKind.DATES: mark_message("dates"),
    ChangeKind.LIMITS: mark_message("limits"),
    ChangeKind.NAMES: mark_message("names"),
    ChangeKind.NEGATION: mark_message("negation"),
    ChangeKind.ATTRIBUTION: mark_message("who is quoted"),
    ChangeKind.MODALITY: mark_message("may, must or can"),
    ChangeKind.QUANTIFIERS: mark_message("how many it is true of"),
    ChangeKind.FREQUENCY: mark_message("how often"),
    ChangeKind.STANCE: mark_message("verbs of stance"),
    ChangeKind.ACTIONS: mark_message("actions"),
    ChangeKind.QUALITIES: mark_message("qualities"),
    ChangeKind.PARTICIPANTS: mark_message("participants"),
    ChangeKind.INSTRUMENTS: mark_message("treaties and laws"),
    ChangeKind.ROLES: mark_message("who does what"),
    ChangeKind.CLAUSE: mark_message("a clause"),
    ChangeKind.WORDING: mark_message("wording"),
    ChangeKind.ORDER: mark_message("order of words"),
    ChangeKind.PUNCTUATION: mark_message("punctuation"),
    ChangeKind.FORM: mark_message("form"),
    ChangeKind.ADDED: mark_message("a sentence added"),
    ChangeKind.REMOVED: mark_message("a sentence removed"),
    ChangeKind.MOVED: mark_message("a sentence moved"),
    ChangeKind.TITLE: mark_message("headline"),
    ChangeKind.LEAD: mark_message("lead"),
    ChangeKind.UNPUBLISHED: mark_message("the page was taken away"),
    ChangeKind.REPUBLISHED: mark_message("the page is there again"),
    ChangeKind.REPROCESSED: mark_message("the archived page was read anew"),
}

FIELD_WORDS = {
    "title": mark_message("Headline"),
    "lead": mark_message("Lead"),
    "body": mark_message("Text"),
    "published_at": mark_message("Published"),
    "language": mark_message("Language"),
    "author": mark_message("Author"),
    "attribution": mark_message("Source named"),
    "section": mark_message("Section"),
    "place": mark_message("Place"),
    "images": mark_message("Pictures"),
    "reading_minutes": mark_message("Reading time"),
    "verdict": mark_message("State"),
    "page": mark_message("Page"),
}
"""The words for fields of an article. A field that is not here is shown by its name."""

ACTION_WORDS = {
    ActionKind.SEEN: mark_message("Marked as seen"),
    ActionKind.UNSEEN: mark_message("Marked as unseen"),
    ActionKind.IMPORTANT: mark_message("Marked as important"),
    ActionKind.ORDINARY: mark_message("No longer marked as important"),
    ActionKind.FALSE_ALARM: mark_message("Marked as a false alarm"),
    ActionKind.TRUE_ALARM: mark_message("No longer marked as a false alarm"),
    ActionKind.ASSIGNED: mark_message("Assigned"),
    ActionKind.UNASSIGNED: mark_message("No longer assigned"),
    ActionKind.NOTE: mark_message("Note added"),
}

ROLE_WORDS = {
    Role.READER: mark_message("reader"),
    Role.ANALYST: mark_message("analyst"),
    Role.OWNER: mark_message("owner"),
}
ROLE_SENTENCES = {
    Role.READER: mark_message("Reads everything, and marks stories as seen."),
    Role.ANALYST: mark_message(
        "Also writes notes, marks, reviews and draft rules, assigns stories, and has subscriptions and API keys."
    ),
    Role.OWNER: mark_message("Also changes rules in force, channels, sources and users."),
}
SCOPE_WORDS = {
    KeyScope.READ: mark_message("read"),
    KeyScope.WRITE: mark_message("write"),
    KeyScope.METRICS: mark_message("read the metrics"),
    KeyScope.FEEDS: mark_message("read feeds"),
}

DELIVERY_WORDS = {
    DeliveryState.PENDING: mark_message("Waiting"),
    DeliveryState.SENT: mark_message("Sent"),
    DeliveryState.DEAD: mark_message("Given up"),
    DeliveryState.REPLACED: mark_message("Replaced by a later message"),
}
DELIVERY_LOOKS = {
    DeliveryState.PENDING: ("off", "wait"),
    DeliveryState.SENT: ("ok", "ok"),
    DeliveryState.DEAD: ("bad", "bad"),
    DeliveryState.REPLACED: ("off", "off"),
}
MESSAGE_WORDS = {
    "alert": mark_message("Alert"),
    "alarm": mark_message("Alarm"),
    "delayed": mark_message("Alarm about a delay"),
    "bundle": mark_message("Several alerts"),
    "digest": mark_message("Digest"),
    "test": mark_message("Test"),
}

LIST_WORDS = {
    "feed": mark_message("Feed"),
    "page": mark_message("List"),
    "sitemap": mark_message("Sitemap"),
}
"""The kinds of lists that a look at a site finds."""

COUNT_WORDS = {
    "pages": mark_message("pages"),
    get_count_name(Verdict.NEW): mark_message("new"),
    get_count_name(Verdict.COPY): mark_message("copies"),
    get_count_name(Verdict.REVISED): mark_message("revised"),
    get_count_name(Verdict.UNPUBLISHED): mark_message("taken down"),
    "matched": mark_message("matched"),
    RunCount.EXPECTED_ERRORS: mark_message("sample pages that are refusals or broken on purpose"),
}
"""The counts of a run that a list shows, in this order."""


def describe_restored(spans: Iterable[tuple[str, str]], *, is_undone: bool) -> str:
    """Return what happened to a text that is as it was before, by the spans (mark, text) of its last change."""
    marks = frozenset(mark for mark, _ in spans) - {"same"}
    return RESTORED_WORDS.get(marks, RESTORED_DEFAULT) if is_undone else RESTORED_DEFAULT
