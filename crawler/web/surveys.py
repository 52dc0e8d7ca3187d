"""The looks at sites that users have asked for: one at a time for each user, in a child process, without storing it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crawler.config import Config
from crawler.discovery.platform_addresses import PlatformSource
from crawler.errors import CrawlerError, UsageError
from crawler.service.child import ChildPool
from crawler.service.site_survey import SurveyedSite, survey_site
from crawler.web.passwords import make_secret

MAX_RUNNING_SURVEYS = 3
MAX_KEPT_SURVEYS = 12
"""Surveys whose results are in memory, with their pages. The oldest is forgotten."""
KEPT_SECONDS = 3600.0
MAX_LISTED_PAGES = 100
STOP_SECONDS = 5.0
STOP_REASON = "The look at the site was stopped"
TOO_MANY = f"{MAX_RUNNING_SURVEYS} sites are being looked at already. Try again in a minute."
ONE_EACH = "You look at {} already. Wait for it, or stop it."


@dataclass(slots=True)
class Survey:
    """One look at a site. `reason` says why it found nothing. A platform's source needs no look at the site."""

    id: str
    user: str
    url: str
    started_at: float
    pages: list[str] = field(default_factory=list)
    is_running: bool = True
    ended_at: float | None = None
    found: SurveyedSite | None = None
    platform: PlatformSource | None = None
    reason: str = ""
    pool: ChildPool = field(default_factory=lambda: ChildPool(STOP_REASON))
    thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken so far, or took."""
        return (time.monotonic() if self.ended_at is None else self.ended_at) - self.started_at

    @property
    def seconds_ago(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self.started_at


SurveyFunction = Callable[..., SurveyedSite]


class SurveyDesk:
    """Starts surveys and keeps their results for an hour, in memory. Any thread may use it."""

    def __init__(self, survey: SurveyFunction = survey_site) -> None:
        self._survey, self._lock = survey, threading.Lock()
        self._surveys: dict[str, Survey] = {}

    def start(self, user: str, url: str, config_path: Path | None, config: Config) -> Survey:
        """Begin to look at a site. Raise UsageError while the user looks at another one, and while too many look."""
        with self._lock:
            self._forget_old()
            running = [each for each in self._surveys.values() if each.is_running]
            if own := next((each for each in running if each.user == user), None):
                raise UsageError(ONE_EACH.format(own.url))
            if len(running) >= MAX_RUNNING_SURVEYS:
                raise UsageError(TOO_MANY)
            survey = self._add(user, url)
        survey.thread = threading.Thread(
            target=self._run, args=(survey, config_path, config), name="survey", daemon=True
        )
        survey.thread.start()
        return survey

    def add_platform_source(self, user: str, url: str, source: PlatformSource) -> Survey:
        """Keep what an address alone says, as a survey that has ended."""
        with self._lock:
            self._forget_old()
            survey = self._add(user, url)
            survey.platform, survey.is_running, survey.ended_at = source, False, survey.started_at
        return survey

    def get(self, survey_id: str, user: str) -> Survey | None:
        """Return a survey of a user. None for one that is forgotten, or of somebody else."""
        with self._lock:
            self._forget_old()
            found = self._surveys.get(survey_id)
        return found if found is not None and found.user == user else None

    def find_running(self, user: str) -> Survey | None:
        """Return the survey of a user that has not ended."""
        with self._lock:
            return next((each for each in self._surveys.values() if each.user == user and each.is_running), None)

    def stop(self, survey: Survey) -> None:
        """Stop a survey. Its process ends within seconds."""
        survey.pool.stop()

    def forget(self, survey: Survey) -> None:
        """Drop a survey whose source was written."""
        with self._lock:
            self._surveys.pop(survey.id, None)

    def close(self) -> None:
        """Stop all surveys, because the server ends."""
        with self._lock:
            running = [each for each in self._surveys.values() if each.is_running]
        for survey in running:
            survey.pool.stop()
        for survey in running:
            if survey.thread is not None:
                survey.thread.join(STOP_SECONDS)

    def _add(self, user: str, url: str) -> Survey:
        ended = [each for each in self._surveys.values() if not each.is_running]  # the oldest first
        for each in ended[: max(len(self._surveys) - MAX_KEPT_SURVEYS + 1, 0)]:
            del self._surveys[each.id]
        survey = Survey(id=make_secret(), user=user, url=url, started_at=time.monotonic())
        self._surveys[survey.id] = survey
        return survey

    def _forget_old(self) -> None:
        for each in list(self._surveys.values()):
            if not each.is_running and each.seconds_ago > KEPT_SECONDS:
                del self._surveys[each.id]

    def _run(self, survey: Survey, config_path: Path | None, config: Config) -> None:
        def note_page(url: str) -> None:
            if len(survey.pages) < MAX_LISTED_PAGES:
                survey.pages.append(url)

        try:
            found = self._survey(config_path, config, survey.url, note_page, pool=survey.pool)
            survey.found = found if found.proposal is not None else None
            survey.reason = f"{STOP_REASON}." if found.outcome.was_stopped else found.reason
        except CrawlerError as error:
            survey.reason = str(error)
        finally:
            survey.reason = (
                survey.reason or "The look at the site broke off. The terminal of the server has its report."
            )
            survey.ended_at, survey.is_running = time.monotonic(), False
