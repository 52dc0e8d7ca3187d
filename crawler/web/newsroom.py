"""What all pages share: configuration, store, the sources and rules by name, and the state of the sources."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from crawler import spiders
from crawler.config import Config, load_config
from crawler.config.source_folder import get_folder_state, get_sources_folder, list_definition_files
from crawler.errors import CrawlerError
from crawler.items import Health, Rights
from crawler.keywords import RuleSet, load_rules
from crawler.keywords.rules import Rule
from crawler.publish.builder import EntryBuilder
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.publish.releases import get_source_languages
from crawler.service.saved_search import RULES_NAME
from crawler.service.schedules import make_timings
from crawler.service.source_state import UNWATCHED, SourceState, load_state
from crawler.store import Store
from crawler.store.reading_lists import StoryFilter
from crawler.text.dates import load_time_zone
from crawler.web.answer_cache import AnswerCache
from crawler.web.oidc import OidcClient, raise_if_not_installed
from crawler.web.renewed_values import RenewedValues
from crawler.web.review_drafts import ReviewDrafts
from crawler.web.surveys import SurveyDesk

STATE_SECONDS = 20.0
"""Time for which the state of the sources is remembered: it is on every page and takes many queries."""
COUNT_SECONDS = 10.0
"""Time for which a number of stories is remembered: a page has some twenty."""
FILE_SECONDS = 2.0
"""Time between two looks at whether crawler.toml or the rules file changed."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProfile:
    """What pages show of a source. `titles` are its names by language, `languages` those of its translations.

    `has_file`: a file in `sources/` describes it, so that pages can change it.
    """

    name: str
    titles: Mapping[str, str]
    address: str
    rights: Rights
    languages: tuple[str, ...]
    is_enabled: bool
    has_file: bool


@dataclass(slots=True)
class Newsroom:
    """What the pages of one server share. Any thread may use it."""

    config: Config
    store: Store
    is_demo: bool = False
    profiles: Mapping[str, SourceProfile] = field(init=False)
    zone: tzinfo = field(init=False)
    oidc: OidcClient | None = field(init=False, default=None)
    rule_set: RuleSet = field(init=False)
    entry_builder: EntryBuilder = field(init=False)
    """Builds the entries of the API. To make one reads the rights and titles of all sources."""
    story_counts: RenewedValues[StoryFilter, int] = field(init=False)
    _states: RenewedValues[None, Mapping[str, SourceState]] = field(init=False)
    _rule_titles: dict[str, dict[str, str]] = field(init=False, default_factory=dict)
    answers: AnswerCache = field(init=False, default_factory=AnswerCache)
    surveys: SurveyDesk = field(init=False, default_factory=SurveyDesk)
    review_drafts: ReviewDrafts = field(init=False, default_factory=ReviewDrafts)
    drawn_parts: dict[Hashable, Any] = field(init=False, default_factory=dict)
    """Parts of *Today* as `remember_drawn` keeps them. They have names of sources and rules."""
    _files: tuple[object, ...] = field(init=False, default=())
    _files_until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Read the sources and the rules.

        Raise RuleError for a broken rules file, UsageError for a missing extra, ConfigError for a share of text that no
        permission covers.
        """
        self._files = self._get_file_states()
        self.zone = load_time_zone(self.config.timezone)
        self.profiles = load_profiles(self.config)
        web = self.config.web
        if web.oidc.issuer is not None and web.address is not None:
            raise_if_not_installed()
            self.oidc = OidcClient(web.oidc, web.address)
        self.rule_set = load_rules(self.config.rules)
        self.story_counts = RenewedValues(self.store.reading_lists.count_stories, COUNT_SECONDS)
        self._states = RenewedValues(self._load_states, STATE_SECONDS)
        self._rule_titles = {language: self.rule_set.get_titles(language) for language in OUTPUT_LANGUAGES}
        # Replaced last: a page that is drawn meanwhile keeps its parts, which have former names, in the old dictionary.
        self.drawn_parts, self.entry_builder = {}, EntryBuilder(self.config, self.store)

    @property
    def can_edit(self) -> bool:
        """Whether there is a crawler.toml that pages may change. A demo changes its own."""
        return self.config.path is not None

    @property
    def can_edit_sources(self) -> bool:
        """Whether pages may add and change sources. Not in a demo, because that would read the web."""
        return self.can_edit and not self.is_demo

    def reload(self) -> None:
        """Read crawler.toml and the rules again. What cannot be used is logged, and the former one stays in force."""
        former = self.config
        try:
            if self.can_edit:
                self.config = self._load_config()
            self.__post_init__()
        except CrawlerError as error:
            self.config = former
            log.warning("The configuration could not be read again: %s", error)
        self.forget_states()

    def _load_config(self) -> Config:
        """Return the configuration as its file is now. Of the demo's file only what its pages change counts.

        The demo's rules file is never the one of a variable: pages would change the user's rules.
        """
        former = self.config
        loaded = load_config(former.path)
        if not self.is_demo or former.path is None:
            return loaded
        rules = former.path.with_name(RULES_NAME)
        own = {"rules": rules if rules.exists() else None, "subscriptions": loaded.subscriptions}
        return former.model_copy(update=own)

    def reload_if_changed(self) -> None:
        """Read crawler.toml and the rules again if another program changed them, at most `FILE_SECONDS` ago."""
        now = time.monotonic()
        if now < self._files_until:
            return
        self._files_until = now + FILE_SECONDS
        files = self._get_file_states()
        if files != self._files:
            self._files = files
            self.reload()

    def _get_file_states(self) -> tuple[object, ...]:
        """Return time and size of crawler.toml, of the rules file and of the sources without code."""
        found: list[object] = [get_folder_state(get_sources_folder())]
        for path in (self.config.path if self.can_edit else None, self.config.rules):
            try:
                stat = path.stat() if path is not None else None
            except OSError:
                stat = None
            found.append((stat.st_mtime_ns, stat.st_size) if stat else (0, 0))
        return tuple(found)

    def get_source_title(self, name: str, language: str) -> str:
        """Return the name of a source, also of a retired one, in a language. That of a removed source is bare."""
        profile = self.profiles.get(name)
        return profile.titles[language] if profile else spiders.get_title(name, language)

    def find_publisher(self, source: str, url: str) -> str | None:
        """Return the source on whose site an article of another source was published, or None.

        Sources may share a site, such as those of www.gov.kz: an article on the site of its own source has None.
        """
        host, own = urlsplit(url).hostname, self.profiles.get(source)
        if not host or (own and urlsplit(own.address).hostname == host):
            return None  # of nearly every article, so the other sources are not looked at
        return next((name for name, each in self.profiles.items() if urlsplit(each.address).hostname == host), None)

    def get_rule_title(self, name: str, language: str) -> str:
        """Return a rule's title in a language, or the bare name of a rule that was removed."""
        return self._rule_titles[language].get(name, name)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in force."""
        return self.rule_set.rules

    def list_rule_names(self) -> list[str]:
        """Return the names of the rules in force, in the order of the rules file."""
        return list(self._rule_titles[OUTPUT_LANGUAGES[0]])

    def list_channels(self, *, is_owner: bool) -> list[str]:
        """Return the names of the channels to which an owner or an analyst may subscribe. Addresses are secrets."""
        allowed = None if is_owner else self.config.web.analyst_channels
        return sorted(self.config.channels if allowed is None else set(allowed) & set(self.config.channels))

    def list_watched_sources(self) -> list[str]:
        """Return the names of the enabled sources."""
        return [name for name, profile in self.profiles.items() if profile.is_enabled]

    def get_states(self) -> Mapping[str, SourceState]:
        """Return the state of each enabled source, at most `STATE_SECONDS` old."""
        return self._states.get(None)

    def forget_states(self) -> None:
        """Read the state of the sources anew, because a reader changed it."""
        self._states.clear()

    def renew_values(self) -> None:
        """Read anew what readers ask for, before they have to wait for it."""
        self.story_counts.renew()
        self._states.renew()

    def _load_states(self, _: None) -> Mapping[str, SourceState]:
        now, timings = datetime.now(UTC), make_timings(self.config, self.store)
        # A demo reads stored pages only.
        mode = "replay" if self.is_demo else "live"
        return {
            name: load_state(self.store, name, timing, self.config, now, mode=mode) for name, timing in timings.items()
        }

    def list_troubled(self) -> list[SourceState]:
        """Return the sources whose articles may be missing."""
        healths = {Health.HEALTHY, UNWATCHED} if self.is_demo else {Health.HEALTHY}  # a demo watches nothing
        return [state for state in self.get_states().values() if state.assessment.health not in healths]


def load_profiles(config: Config) -> dict[str, SourceProfile]:
    """Return what pages show of each source, by name."""
    languages, files = get_source_languages(config), list_definition_files()
    return {
        name: SourceProfile(
            name=name,
            titles={language: spiders.get_title(name, language) for language in OUTPUT_LANGUAGES},
            address=spider.origins[0],
            rights=spider.get_rights(config),
            languages=languages.get(name, ()),
            is_enabled=config.get_source(name).enabled,
            has_file=name in files,
        )
        for name, spider in spiders.load_spiders().items()
    }
