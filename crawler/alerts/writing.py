"""A message of the outbox as the words that leave: subject, plain text, HTML. Written when it is sent, by what the
subscription, the rights and the patterns to black out say then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crawler.alerts.letter import Letter, plain
from crawler.config import Config, Subscription
from crawler.entries import Edit, Entry, Maker, Phrases, Templates, Wanted
from crawler.entries.digest import digest_of
from crawler.entries.make import counts
from crawler.entries.wording import Wording, render
from crawler.items import Article, Strength, Verdict
from crawler.keywords import load_rules
from crawler.rights import Door
from crawler.store import Message, News, Outcome, Store, key_of

FULL, SHORT = 700, 280
"""Most characters of an excerpt; the share may allow less."""
HOUR = timedelta(hours=1)
"""A bundle tells of one run."""
MOST_LINKS = 8
"""Links to other pages of a story in one alert, of each kind; the rest is a number."""
CHANGED = re.compile(r"(figures|dates): ([^,;]+ → [^,;]+)")
SUBJECT = 180
"""Most characters of a subject."""
TAGGED = (Verdict.REVISED, Verdict.UNPUBLISHED, Verdict.REPUBLISHED)


class Writer:
    """Writes messages under one configuration."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._templates = Templates(config.templates)
        self._rules: dict[str, dict[str, str]] = {}
        self._makers: dict[tuple[str, ...], Maker] = {}

    def write(self, message: Message) -> Letter | None:
        """The message in words; None when nothing of it is left to tell, or its subscription is gone."""
        subscription = self._config.subscriptions.get(message.subscription)
        if subscription is None:
            return None
        told, words = self._told(message), self.words(subscription)
        if message.kind == "bundle" and not told:
            return None
        if message.kind != "alert":
            return self._digest(message, subscription, words, [article for _, article in told])
        return self._alert(message, subscription, words, *told[0]) if told else None

    def words(self, subscription: Subscription) -> Phrases:
        """The subscriber's language and zone."""
        return Phrases(subscription.language, self._config.zone_of(subscription))

    def maker(self, subscription: Subscription) -> Maker:
        """Makes entries with this subscription's patterns blacked out."""
        key = (subscription.language, *subscription.redact)
        made = self._makers.get(key)
        return made or self._makers.setdefault(
            key, Maker(self._config, self._store, redact=subscription.redact, language=subscription.language)
        )

    def entry(self, subscription: Subscription, article: Article, door: Door) -> Entry:
        """An article as this subscription's messages show it."""
        return self.maker(subscription).entry(
            article,
            door,
            rules=subscription.rules,
            strength=Strength(subscription.strength),
            most=FULL if subscription.form == "full" else SHORT,
            opening=subscription.form == "full",
            with_edits=article.verdict is Verdict.REVISED,
        )

    def _told(self, message: Message) -> list[tuple[News, Article]]:
        """The news of a message, each with the version it is about: for an alert what it leads with, else with what
        its stories carried by then."""
        notices = self._store.news.of_message(message.id)
        every = message.kind != "alert"
        told = [
            notice.news_id
            for notice in notices
            if notice.outcome is not Outcome.CARRIED or (every and notice.decided_at <= message.made_at)
        ]
        found = self._store.news.get(told)
        pairs = ((news, self._store.articles.get(news.article_id, news.version)) for news in found.values())
        return [(news, article) for news, article in pairs if article is not None]

    def _alert(
        self, message: Message, subscription: Subscription, words: Phrases, news: News, article: Article
    ) -> Letter:
        entry = self.entry(subscription, article, self.maker(subscription).door())
        parts = alert(
            self._templates,
            entry,
            words,
            noted_at=news.noted_at,
            form=subscription.form,
            to=message.subscription,
            titles=self._titles(subscription.language),
            before=self._rules_before(subscription, article),
        )
        return _letter(message, subscription, *parts)

    def _rules_before(self, subscription: Subscription, article: Article) -> list[str]:
        """The rules that matched the version before."""
        former = self.maker(subscription).former(article)
        strength = Strength(subscription.strength)
        matches = former.matches if former else ()
        return list(dict.fromkeys(m.rule for m in matches if counts(m, subscription.rules, strength)))

    def _titles(self, language: str) -> dict[str, str]:
        """What the rules are called, by name."""
        made = self._rules.get(language)
        if made is None:
            made = self._rules.setdefault(language, load_rules(self._config.rules).titles(language))
        return made

    def _digest(
        self, message: Message, subscription: Subscription, words: Phrases, articles: Sequence[Article]
    ) -> Letter:
        """A digest, also an empty one; or a bundle, which is a digest of one run."""
        wanted = Wanted(
            rules=subscription.rules,
            sources=subscription.sources,
            languages=subscription.languages,
            strength=Strength(subscription.strength),
        )
        begins, ends = message.begins_at or message.made_at - HOUR, message.ends_at or message.made_at
        maker, language = self.maker(subscription), subscription.language
        found = digest_of(maker, self._store, self._config, wanted, articles, begins, ends, language=language)
        say = Wording(found, words, made=message.made_at, told_by=message.subscription)
        subject = f"{words['digest']}: {say.number if articles else words['nothing']} – {words.day(ends)}"
        return _letter(
            message, subscription, subject, render(self._templates, "txt", say), render(self._templates, "html", say)
        )


def _letter(message: Message, subscription: Subscription, subject: str, text: str, html: str) -> Letter:
    return Letter(
        key=message.key,
        subject=subject,
        text=text,
        html=html,
        language=subscription.language,
        made_at=message.made_at,
    )


def alert(
    templates: Templates,
    entry: Entry,
    words: Phrases,
    *,
    noted_at: datetime,
    form: str,
    to: str,
    titles: Mapping[str, str],
    before: Sequence[str] = (),
) -> tuple[str, str, str]:
    """Subject, text and HTML of one alert to a subscription; `titles` are what rules are called, `before` are those
    that matched the version before."""
    shown = [edit for edit in entry.edits if edit.old or edit.new]
    by_facts = [list(facts(edit, words)) for edit in entry.edits if edit not in shown]
    values = {
        "entry": entry,
        "words": words,
        "stamp": stamp(entry, noted_at, words),
        "found": matched(entry, words, titles),
        "gone": [titles.get(rule, rule) for rule in before if rule not in entry.rules],
        "edits": shown,
        "facts": list(dict.fromkeys(fact for found in by_facts for fact in found)),
        "hidden": sum(not found for found in by_facts),
        "versions": entry.versions[:MOST_LINKS],
        "copies": entry.copies[:MOST_LINKS],
        "more": len(entry.versions[MOST_LINKS:]) + len(entry.copies[MOST_LINKS:]),
        "others": len(entry.others),
        "form": form,
        "subscription": to,
    }
    text = templates.render("alert.txt" if form == "full" else "short.txt", **values)
    return subject(entry, words), text.strip() + "\n", templates.render("alert.html", **values)


def facts(edit: Edit, words: Phrases) -> Iterator[str]:
    """The figures and dates of a sentence that may not be shown, before and now: they are facts, not text."""
    for kind, change in CHANGED.findall(edit.why or ""):
        yield f"{words[kind]}: {change}"


def subject(entry: Entry, words: Phrases) -> str:
    """One line: what happened if it is not simply new, the headline, the source."""
    tag = f"{words[entry.verdict]}: " if entry.verdict in TAGGED else ""
    room = SUBJECT - len(tag) - len(entry.source_title) - 3
    headline = " ".join(entry.headline.split())
    if len(headline) > room:
        headline = headline[: room - 1].rsplit(" ", 1)[0] + "…"
    return f"{tag}{headline} – {entry.source_title}"


def stamp(entry: Entry, noted_at: datetime, words: Phrases) -> str:
    """When it was published, or that the page does not say and when it was first seen; a revision's time too."""
    if entry.verdict is Verdict.REVISED or entry.verdict is Verdict.UNPUBLISHED:
        return f"{words[_changed(entry)].lower()} {words.moment(noted_at)}"
    if entry.published_at is None:
        seen = words.moment(entry.seen_at or noted_at)
        return f"{words['no_date']}; {words['seen'].lower()} {seen}"
    exact = words.day if entry.precision == "day" else words.moment
    return f"{words['published'].lower()} {exact(entry.published_at)}"


def _changed(entry: Entry) -> str:
    return "unpublished" if entry.verdict is Verdict.UNPUBLISHED else "changed_at"


def matched(entry: Entry, words: Phrases, titles: Mapping[str, str]) -> str:
    """The matched words with their rules, each once: `МККК, ICRC (Red Cross movement); IHL (humanitarian law)`."""
    by_rule: dict[str, dict[str, None]] = {}
    for found in entry.found:
        named = by_rule.setdefault(titles.get(found.rule, found.rule), {})
        if found.surface:
            named[found.surface if found.strength is Strength.STRONG else f"{found.surface} ({words['weak']})"] = None
    return "; ".join(f"{', '.join(named)} ({rule})" if named else rule for rule, named in by_rule.items())


def test_letter(channel: str, language: str, timezone: str, now: datetime) -> Letter:
    """A message that says that a channel works."""
    words = Phrases(language, ZoneInfo(timezone))
    body = f"{words.fill('test_body', name=channel)} {words.moment(now)}"
    return plain(key_of("test", channel, now.isoformat()), words["test"], body, language, now)
