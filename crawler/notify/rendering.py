"""A message of the outbox as the words that leave: subject, plain text, HTML. Written when it is sent, by what the
subscription, the rights and the patterns to black out say then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crawler.config import Config, Subscription
from crawler.items import Article, Strength, Verdict
from crawler.keywords import load_rules
from crawler.notify.rendered_message import RenderedMessage, make_plain_message
from crawler.publish import ArticleQuery, Entry, EntryBuilder, EntryEdit, Templates, Translations
from crawler.publish.builder import is_selected
from crawler.publish.digest import make_digest_of
from crawler.publish.digest_view import DigestView, render_digest
from crawler.rights import Door
from crawler.store import ChangeEvent, Decision, Message, Store, make_idempotency_key

MAX_FULL_EXCERPT, MAX_SHORT_EXCERPT = 700, 280
"""Most characters of an excerpt; the share may allow less."""
BUNDLE_PERIOD = timedelta(hours=1)
"""A bundle tells of one run."""
MAX_LINKS = 8
"""Links to other pages of a story in one alert, of each kind; the rest is a number."""
CHANGED_FACTS = re.compile(r"(figures|dates): ([^,;]+ → [^,;]+)")
MAX_SUBJECT_LENGTH = 180
"""Most characters of a subject."""
TAGGED_VERDICTS = (Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED)


class MessageRenderer:
    """Writes messages under one configuration."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._templates = Templates(config.templates)
        self._rules: dict[str, dict[str, str]] = {}
        self._makers: dict[tuple[str, ...], EntryBuilder] = {}

    def render(self, message: Message) -> RenderedMessage | None:
        """The message in words; None when nothing of it is left to tell, or its subscription is gone."""
        subscription = self._config.subscriptions.get(message.subscription)
        if subscription is None:
            return None
        told, words = self._list_changes(message), self.get_translations(subscription)
        if message.kind == "bundle" and not told:
            return None
        if message.kind != "alert":
            return self._render_digest(message, subscription, words, [article for _, article in told])
        return self._render_alert(message, subscription, words, *told[0]) if told else None

    def get_translations(self, subscription: Subscription) -> Translations:
        """The subscriber's language and zone."""
        return Translations(subscription.language, self._config.get_timezone(subscription))

    def get_builder(self, subscription: Subscription) -> EntryBuilder:
        """Makes entries with this subscription's patterns blacked out."""
        key = (subscription.language, *subscription.redact)
        made = self._makers.get(key)
        return made or self._makers.setdefault(
            key, EntryBuilder(self._config, self._store, redact=subscription.redact, language=subscription.language)
        )

    def build_entry(self, subscription: Subscription, article: Article, door: Door) -> Entry:
        """An article as this subscription's messages show it."""
        return self.get_builder(subscription).build(
            article,
            door,
            rules=subscription.rules,
            strength=Strength(subscription.strength),
            max_excerpt=MAX_FULL_EXCERPT if subscription.form == "full" else MAX_SHORT_EXCERPT,
            with_opening=subscription.form == "full",
            with_edits=article.verdict is Verdict.REVISED,
        )

    def _list_changes(self, message: Message) -> list[tuple[ChangeEvent, Article]]:
        """The news of a message, each with the version it is about: for an alert what it leads with, else with what
        its stories carried by then."""
        notices = self._store.events.notifications__list_by_message(message.id)
        every = message.kind != "alert"
        told = [
            notice.event_id
            for notice in notices
            if notice.decision is not Decision.COVERED or (every and notice.decided_at <= message.created_at)
        ]
        found = self._store.events.get_many(told)
        pairs = ((news, self._store.articles.get(news.article_id, news.version)) for news in found.values())
        return [(news, article) for news, article in pairs if article is not None]

    def _render_alert(
        self, message: Message, subscription: Subscription, words: Translations, event: ChangeEvent, article: Article
    ) -> RenderedMessage:
        entry = self.build_entry(subscription, article, self.get_builder(subscription).make_door())
        parts = render_alert(
            self._templates,
            entry,
            words,
            created_at=event.created_at,
            form=subscription.form,
            subscription=message.subscription,
            titles=self._get_rule_titles(subscription.language),
            previous_rules=self._list_previous_rules(subscription, article),
        )
        return _make_message(message, subscription, *parts)

    def _list_previous_rules(self, subscription: Subscription, article: Article) -> list[str]:
        """The rules that matched the version before."""
        former = self.get_builder(subscription).get_previous(article)
        strength = Strength(subscription.strength)
        matches = former.matches if former else ()
        return list(dict.fromkeys(m.rule for m in matches if is_selected(m, subscription.rules, strength)))

    def _get_rule_titles(self, language: str) -> dict[str, str]:
        """What the rules are called, by name."""
        made = self._rules.get(language)
        if made is None:
            made = self._rules.setdefault(language, load_rules(self._config.rules).get_titles(language))
        return made

    def _render_digest(
        self, message: Message, subscription: Subscription, words: Translations, articles: Sequence[Article]
    ) -> RenderedMessage:
        """A digest, also an empty one; or a bundle, which is a digest of one run."""
        wanted = ArticleQuery(
            rules=subscription.rules,
            sources=subscription.sources,
            languages=subscription.languages,
            strength=Strength(subscription.strength),
        )
        begins, ends = (
            message.period_start or message.created_at - BUNDLE_PERIOD,
            message.period_end or message.created_at,
        )
        maker, language = self.get_builder(subscription), subscription.language
        found = make_digest_of(maker, self._store, self._config, wanted, articles, begins, ends, language=language)
        say = DigestView(found, words, made=message.created_at, told_by=message.subscription)
        subject = f"{words['digest']}: {say.number if articles else words['nothing']} – {words.day(ends)}"
        return _make_message(
            message,
            subscription,
            subject,
            render_digest(self._templates, "txt", say),
            render_digest(self._templates, "html", say),
        )


def _make_message(message: Message, subscription: Subscription, subject: str, text: str, html: str) -> RenderedMessage:
    return RenderedMessage(
        key=message.key,
        subject=subject,
        text=text,
        html=html,
        language=subscription.language,
        made_at=message.created_at,
    )


def render_alert(
    templates: Templates,
    entry: Entry,
    translations: Translations,
    *,
    created_at: datetime,
    form: str,
    subscription: str,
    titles: Mapping[str, str],
    previous_rules: Sequence[str] = (),
) -> tuple[str, str, str]:
    """Subject, text and HTML of one alert to a subscription; `titles` are what rules are called, `before` are those
    that matched the version before."""
    shown = [edit for edit in entry.edits if edit.old or edit.new]
    by_facts = [list(format_changed_facts(edit, translations)) for edit in entry.edits if edit not in shown]
    values = {
        "entry": entry,
        "words": translations,
        "stamp": format_event_time(entry, created_at, translations),
        "found": format_matches(entry, translations, titles),
        "gone": [titles.get(rule, rule) for rule in previous_rules if rule not in entry.rules],
        "edits": shown,
        "facts": list(dict.fromkeys(fact for found in by_facts for fact in found)),
        "hidden": sum(not found for found in by_facts),
        "versions": entry.versions[:MAX_LINKS],
        "copies": entry.copies[:MAX_LINKS],
        "more": len(entry.versions[MAX_LINKS:]) + len(entry.copies[MAX_LINKS:]),
        "others": len(entry.others),
        "form": form,
        "subscription": subscription,
    }
    text = templates.render("alert.txt" if form == "full" else "short.txt", **values)
    return format_subject(entry, translations), text.strip() + "\n", templates.render("alert.html", **values)


def format_changed_facts(edit: EntryEdit, translations: Translations) -> Iterator[str]:
    """The figures and dates of a sentence that may not be shown, before and now: they are facts, not text."""
    for kind, change in CHANGED_FACTS.findall(edit.reason or ""):
        yield f"{translations[kind]}: {change}"


def format_subject(entry: Entry, translations: Translations) -> str:
    """One line: what happened if it is not simply new, the headline, the source."""
    tag = f"{translations[entry.verdict]}: " if entry.verdict in TAGGED_VERDICTS else ""
    room = MAX_SUBJECT_LENGTH - len(tag) - len(entry.source_title) - 3
    headline = " ".join(entry.headline.split())
    if len(headline) > room:
        headline = headline[: room - 1].rsplit(" ", 1)[0] + "…"
    return f"{tag}{headline} – {entry.source_title}"


def format_event_time(entry: Entry, created_at: datetime, translations: Translations) -> str:
    """When it was published, or that the page does not say and when it was first seen; a revision's time too."""
    if entry.verdict is Verdict.REVISED or entry.verdict is Verdict.UNPUBLISHED:
        return f"{translations[_get_change_label(entry)].lower()} {translations.moment(created_at)}"
    if entry.published_at is None:
        seen = translations.moment(entry.seen_at or created_at)
        return f"{translations['no_date']}; {translations['seen'].lower()} {seen}"
    exact = translations.day if entry.precision == "day" else translations.moment
    return f"{translations['published'].lower()} {exact(entry.published_at)}"


def _get_change_label(entry: Entry) -> str:
    return "unpublished" if entry.verdict is Verdict.UNPUBLISHED else "changed_at"


def format_matches(entry: Entry, translations: Translations, titles: Mapping[str, str]) -> str:
    """The matched words with their rules, each once: `МККК, ICRC (Red Cross movement); IHL (humanitarian law)`."""
    by_rule: dict[str, dict[str, None]] = {}
    for found in entry.matches:
        named = by_rule.setdefault(titles.get(found.rule, found.rule), {})
        if found.surface:
            named[
                found.surface if found.strength is Strength.STRONG else f"{found.surface} ({translations['weak']})"
            ] = None
    return "; ".join(f"{', '.join(named)} ({rule})" if named else rule for rule, named in by_rule.items())


def make_test_message(channel: str, language: str, timezone: str, now: datetime) -> RenderedMessage:
    """A message that says that a channel works."""
    words = Translations(language, ZoneInfo(timezone))
    body = f"{words.fill('test_body', name=channel)} {words.moment(now)}"
    return make_plain_message(
        make_idempotency_key("test", channel, now.isoformat()), words["test"], body, language, now
    )
