"""A look at a site in this process: what `survey_site` does in a child, without robots.txt, delays and the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from support.local_site import LocalArticle, LocalSite
from support.news_texts import NewsText
from support.shaped_sites import ShapedSite

from crawler.config import Config
from crawler.discovery.proposal import make_proposal
from crawler.discovery.survey import SiteSurveyor
from crawler.errors import Unreachable
from crawler.pages.snapshot import Snapshot
from crawler.service.child import ChildPool
from crawler.service.run import RunOutcome
from crawler.service.site_survey import SurveyedSite


class TwoDatesSite(ShapedSite):
    """A site whose `time` elements have the day of the last change, and whose own date is a text.

    Its addresses name no month, which would tell the reader that the text is right.
    """

    has_feed = False

    def make_path(self, article: LocalArticle) -> str:
        return f"{self.link_base}/{article.slug}/"

    def render_article(self, article: LocalArticle, text: NewsText, language: str) -> str:
        whole = super().render_article(article, text, language)
        day = f"{article.published_at:%d.%m.%Y}"
        return whole.replace("<time", f'<p class="day-of-news">{day}</p><time').replace(
            article.published_at.isoformat(), "2020-01-05T10:00:00+05:00"
        )


def make_survey(site: LocalSite) -> Callable[..., SurveyedSite]:
    """Return a function like `survey_site` that looks at a loopback site."""

    def survey(
        config_path: Path | None, config: Config, url: str, on_page: Callable[[str], None], *, pool: ChildPool
    ) -> SurveyedSite:
        pages: dict[str, Snapshot] = {}

        async def fetch(address: str) -> Snapshot:
            async with httpx.AsyncClient(follow_redirects=True) as client:
                answer = await client.get(address)
            if answer.status_code != 200:
                raise Unreachable(f"HTTP {answer.status_code}", url=address)
            on_page(address)
            pages[address] = Snapshot(
                url=address,
                status=200,
                headers=dict(answer.headers),
                body=answer.content,
                fetched_at=datetime.now(UTC),
            )
            return pages[address]

        found = asyncio.run(SiteSurveyor(fetch).survey_site(url))
        proposal = make_proposal(found, datetime.now(UTC))
        outcome = RunOutcome(source="survey", exit_code=0, reason="")
        return SurveyedSite(outcome, proposal, {each.url: pages[each.url] for each in proposal.samples})

    return survey
