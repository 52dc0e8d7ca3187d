"""Render a message: subject, plain text and HTML.

This happens when the message is sent, so the subscription, the rights and the patterns to black out of that moment
apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import quote

from crawler.config import OPERATOR, Config, Subscription
from crawler.items import Article, Precision, Strength, Verdict, shorten_headline
from crawler.keywords import load_rules
from crawler.notify.alarm_rendering import render_alarms
from crawler.notify.rendered_message import RenderedMessage, make_plain_message
from crawler.notify.webhooks import make_webhook_data
from crawler.publish.builder import EntryBuilder, EntryRequest
from crawler.publish.digest import make_digest_of
from crawler.publish.digest_view import DigestView, render_digest
from crawler.publish.entries import Entry, EntryEdit
from crawler.publish.phrases import Phrases
from crawler.publish.query import ArticleQuery, is_selected
from crawler.publish.templates import Templates
from crawler.revisions.kinds import ChangeKind, Severity
from crawler.store import ChangeEvent, Decision, Message, Store, make_idempotency_key
from crawler.text.dates import load_time_zone

MAX_FULL_EXCERPT, MAX_SHORT_EXCERPT = 700, 280
"""Characters of an excerpt; the rights may allow fewer."""
BUNDLE_PERIOD = timedelta(hours=1)
"""The period that a bundle names. Its alerts are of ten minutes, but what they are about may be a little older."""
MAX_LINKS = 8
"""Links to the story's other pages in an alert, of each kind. The rest is only counted."""
MAX_SUBJECT_LENGTH = 180
TAGGED_VERDICTS = (Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED)
"""Verdicts that the subject names."""


class MessageRenderer:
    """Renders messages under one configuration."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._rule_titles: dict[str, dict[str, str]] = {}
        self._builders: dict[tuple[str, ...], EntryBuilder] = {}

    def render(self, message: Message) -> RenderedMessage | None:
        """Return the message in words. Return None if nothing is left to say, or its subscription was removed."""
        subscription = self._config.find_subscription(message.subscription)
        if subscription is None:
            return None
        if message.subscription == OPERATOR:
            return render_alarms(self._store, self._config, message)
        if message.kind == "bundle" and self._count_alerts(message) == 1:
            message = replace(message, kind="alert")  # Nothing else came while it was held.
        changes = self._list_changes(message)
        if message.kind != "digest" and not changes:
            return None
        if message.kind == "alert":
            return self._render_alert(message, subscription, *changes[0])
        return self._render_digest(message, subscription, [article for _, article in changes])

    @cached_property
    def _templates(self) -> Templates:
        """The templates. Messages to the operator need none: a mistake in the owner's must not hold them back."""
        return Templates(self._config.templates)

    def _get_translations(self, subscription: Subscription) -> Phrases:
        return Phrases(subscription.language, self._config.get_timezone(subscription))

    def _get_builder(self, subscription: Subscription) -> EntryBuilder:
        """Return the builder that blacks out this subscription's patterns."""
        key = (subscription.language, *subscription.redact)
        if key not in self._builders:
            self._builders[key] = EntryBuilder(
                self._config, self._store, redact=subscription.redact, language=subscription.language
            )
        return self._builders[key]

    def build_entry(self, subscription: Subscription, article: Article, base_version: int | None = None) -> Entry:
        """Return an article as an alert of this subscription shows it, with what changed since `base_version`."""
        is_full = subscription.form == "full"
        request = EntryRequest(
            article=article,
            rules=subscription.rules,
            strength=Strength(subscription.strength),
            max_excerpt=MAX_FULL_EXCERPT if is_full else MAX_SHORT_EXCERPT,
            with_opening=is_full,
            with_edits=article.verdict is Verdict.REVISED,
            base_version=base_version,
        )
        (entry,) = self._get_builder(subscription).build([request])
        return entry

    def _count_alerts(self, message: Message) -> int:
        notifications = self._store.notifications.list_by_message(message.id)
        return sum(notification.decision is Decision.ALERT for notification in notifications)

    def _list_changes(self, message: Message) -> list[tuple[ChangeEvent, Article]]:
        """Return the message's events, each with its article version.

        An alert has the event that leads. Others also have those covered by their stories when the message was made,
        or, of a bundle, when it was due.
        """
        with_covered = message.kind != "alert"
        until = message.period_end if message.kind == "bundle" and message.period_end else message.created_at
        event_ids = [
            notification.event_id
            for notification in self._store.notifications.list_by_message(message.id)
            if notification.decision is not Decision.COVERED or (with_covered and notification.decided_at <= until)
        ]
        events = self._store.events.get_many(event_ids).values()
        pairs = ((event, self._store.articles.get(event.article_id, event.version)) for event in events)
        return [(event, article) for event, article in pairs if article is not None]

    def _render_alert(
        self, message: Message, subscription: Subscription, event: ChangeEvent, article: Article
    ) -> RenderedMessage:
        entry = self.build_entry(subscription, article, self._get_base_version(message, article))
        parts = render_alert(
            self._templates,
            entry,
            self._get_translations(subscription),
            created_at=event.created_at,
            form=subscription.form,
            subscription=message.subscription,
            titles=self._get_rule_titles(subscription.language),
            previous_rules=self._list_previous_rules(subscription, article),
            newsroom=None if entry.is_id_hidden else make_page_address(self._config, article.id),
        )
        thread_key = self._find_thread_key(message, article)
        return self._make_message(message, subscription, *parts, entries=[entry], thread_key=thread_key)

    def _find_thread_key(self, message: Message, article: Article) -> str | None:
        """Return the key of the subscription's first message about an article, or None if this is the first."""
        past = self._store.notifications.list_past(message.subscription, [article.id])
        first_id = min((each.message_id for each in past if each.message_id is not None), default=message.id)
        first = self._store.messages.get(first_id) if first_id < message.id else None
        return first.key if first else None

    def _make_message(
        self,
        message: Message,
        subscription: Subscription,
        subject: str,
        text: str,
        html: str,
        *,
        entries: Sequence[Entry],
        thread_key: str | None = None,
    ) -> RenderedMessage:
        return RenderedMessage(
            key=message.key,
            subject=subject,
            text=text,
            html=html,
            language=subscription.language,
            made_at=message.created_at,
            thread_key=thread_key,
            subscription=message.subscription,
            contact=self._config.contact,
            data=make_webhook_data(message.kind, message.subscription, message.created_at, entries),
        )

    def _get_base_version(self, message: Message, article: Article) -> int | None:
        """Return the version before the first of the article's revisions that the message is about."""
        ids = [each.event_id for each in self._store.notifications.list_by_message(message.id)]
        events = self._store.events.get_many(ids).values()
        revised = [
            event.version
            for event in events
            if event.article_id == article.id
            and event.verdict is Verdict.REVISED
            and event.version <= (article.version or 1)
        ]
        return min(revised) - 1 if revised else None

    def _list_previous_rules(self, subscription: Subscription, article: Article) -> list[str]:
        """Return the rules that matched the version before."""
        previous = self._get_builder(subscription).get_previous(article)
        strength = Strength(subscription.strength)
        matches = previous.matches if previous else ()
        selected = (match for match in matches if is_selected(match, subscription.rules, strength))
        return list(dict.fromkeys(match.rule for match in selected))

    def _get_rule_titles(self, language: str) -> dict[str, str]:
        """Return the titles of the rules by name."""
        if language not in self._rule_titles:
            self._rule_titles[language] = load_rules(self._config.rules).get_titles(language)
        return self._rule_titles[language]

    def _render_digest(
        self, message: Message, subscription: Subscription, articles: Sequence[Article]
    ) -> RenderedMessage:
        """Return a digest, even an empty one. A bundle is a digest of a few minutes."""
        query = ArticleQuery(
            rules=subscription.rules,
            sources=subscription.sources,
            languages=subscription.languages,
            strength=Strength(subscription.strength),
        )
        end = message.period_end or message.created_at
        begin = message.period_start or end - BUNDLE_PERIOD
        builder, language = self._get_builder(subscription), subscription.language
        severity = Severity(subscription.revisions)
        digest = make_digest_of(
            builder, self._store, self._config, query, articles, begin, end, language=language, min_severity=severity
        )
        words = self._get_translations(subscription)
        view = DigestView(digest, words, made=message.created_at, told_by=message.subscription)
        subject = f"{words['digest']}: {view.number if articles else words['nothing']} – {words.day(end)}"
        text, html = (render_digest(self._templates, form, view) for form in ("txt", "html"))
        entries = [entry for story in digest.stories for entry in (story.entry, *story.changed)]
        return self._make_message(message, subscription, subject, text, html, entries=entries)


def make_page_address(config: Config, article_id: str) -> str | None:
    """Return the address of an article's page in the newsroom, or None if `[web]` names no address."""
    return f"{config.web.address}/articles/{quote(article_id, safe=':')}" if config.web.address else None


def render_alert(
    templates: Templates,
    entry: Entry,
    phrases: Phrases,
    *,
    created_at: datetime,
    form: str,
    subscription: str,
    titles: Mapping[str, str],
    previous_rules: Sequence[str] = (),
    newsroom: str | None = None,
) -> tuple[str, str, str]:
    """Return subject, text and HTML of one alert.

    `created_at` is the event's time. `titles` are those of the rules, `previous_rules` matched the version before.
    `newsroom` is the address of its page there. The names of the template's values are an interface: owners' templates
    use them.
    """
    shown = [edit for edit in entry.edits if edit.old or edit.new]
    facts_of_hidden = [list(format_changed_facts(edit, phrases)) for edit in entry.edits if edit not in shown]
    values = {
        "entry": entry,
        "words": phrases,
        "stamp": format_event_time(entry, created_at, phrases),
        "found": format_matches(entry, phrases, titles),
        "gone": [titles.get(rule, rule) for rule in previous_rules if rule not in entry.rules],
        "edits": shown,
        "facts": list(dict.fromkeys(fact for facts in facts_of_hidden for fact in facts)),
        "hidden": sum(not facts for facts in facts_of_hidden),
        "versions": [other for other in entry.versions[:MAX_LINKS] if not other.is_possible],
        "possible": [other for other in entry.versions[:MAX_LINKS] if other.is_possible],
        "copies": entry.copies[:MAX_LINKS],
        "more": len(entry.versions[MAX_LINKS:]) + len(entry.copies[MAX_LINKS:]),
        "others": len(entry.others),
        "form": form,
        "subscription": subscription,
        "newsroom": newsroom,
    }
    text = templates.render("alert.txt" if form == "full" else "short.txt", **values)
    return format_subject(entry, phrases), text.strip() + "\n", templates.render("alert.html", **values)


def format_changed_facts(edit: EntryEdit, phrases: Phrases) -> Iterator[str]:
    """Yield the changed figures and dates of a sentence that may not be shown: they are facts, not text."""
    for kind in (ChangeKind.FIGURES, ChangeKind.DATES):
        if change := edit.format_claim(kind):
            yield f"{phrases[kind]}: {change}"


def format_subject(entry: Entry, phrases: Phrases) -> str:
    """Return one line: the verdict if the article is not simply new, the headline, the source."""
    tag = f"{phrases[entry.verdict]}: " if entry.verdict in TAGGED_VERDICTS else ""
    max_length = MAX_SUBJECT_LENGTH - len(tag) - len(entry.source_title) - 3
    headline = shorten_headline(" ".join(entry.headline.split()), max_length)
    return f"{tag}{headline} – {entry.source_title}"


def format_event_time(entry: Entry, created_at: datetime, phrases: Phrases) -> str:
    """Return when it was published, changed or taken down. Without a date: that, and when it was first seen."""
    if entry.verdict in (Verdict.REVISED, Verdict.UNPUBLISHED):
        label = "unpublished" if entry.verdict is Verdict.UNPUBLISHED else "changed_at"
        return f"{phrases[label].lower()} {phrases.moment(created_at)}"
    if entry.published_at is None:
        seen = phrases.moment(entry.seen_at or created_at)
        return f"{phrases.no_date(entry.flags)}; {phrases['seen'].lower()} {seen}"
    format_time = phrases.day if entry.precision is Precision.DAY else phrases.moment
    return f"{phrases['published'].lower()} {format_time(entry.published_at)}"


def format_matches(entry: Entry, phrases: Phrases, titles: Mapping[str, str]) -> str:
    """Return the matched words with their rules, each once.

    For example `МККК, ICRC (Red Cross movement); IHL (humanitarian law)`.
    """
    by_rule: dict[str, dict[str, None]] = {}
    for match in entry.matches:
        words = by_rule.setdefault(titles.get(match.rule, match.rule), {})
        if match.surface:
            is_weak = match.strength is not Strength.STRONG
            words[f"{match.surface} ({phrases['weak']})" if is_weak else match.surface] = None
    return "; ".join(f"{', '.join(words)} ({rule})" if words else rule for rule, words in by_rule.items())


def make_test_message(channel: str, language: str, timezone: str, now: datetime) -> RenderedMessage:
    """Return a message that says that a channel works."""
    phrases = Phrases(language, load_time_zone(timezone))
    body = f"{phrases.fill('test_body', name=channel)} {phrases.moment(now)}"
    key = make_idempotency_key("test", channel, now.isoformat())
    return make_plain_message(key, phrases["test"], body, language, now)
