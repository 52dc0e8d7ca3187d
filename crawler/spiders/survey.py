"""SurveySpider: looks at a site that no source describes, within robots.txt, the guard, the delay and the archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from scrapy import Request

from crawler.context.request_meta import META_KEY, RequestMeta
from crawler.context.response_snapshots import make_snapshot
from crawler.discovery.proposal import SourceProposal, make_proposal
from crawler.discovery.survey import SiteSurveyor
from crawler.errors import CrawlerError, StoreError, UsageError
from crawler.items import Rights
from crawler.pages.site import ArticleAddress
from crawler.pages.snapshot import Snapshot
from crawler.spiders.base import HealthExpectation, SourceSpider
from crawler.spiders.url_mapping import is_robots_txt


class SurveySpider(SourceSpider):
    """No source: one run over one site, whose result is `proposal`. Nothing of it is stored as an article."""

    name = "survey"
    title = "The site"
    origins = ("https://survey.invalid",)
    method = "a look at a site"
    page_classes = ()
    expectation = HealthExpectation(min_links=0)
    rights = Rights(excerpt_share=0.3, link_required=True, wording=None, source=None)
    proposal: SourceProposal | None = None

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Return None: no address is known to be an article's."""
        return None

    async def start(self) -> AsyncIterator[Request]:
        """Look at the site. What refuses or fails is the run's problem."""
        if self.url is None:
            raise UsageError("A survey needs the address of a page.")
        try:
            surveyor = SiteSurveyor(self.fetch)
            self.proposal = make_proposal(await surveyor.survey_site(self.url), datetime.now(UTC))
        except StoreError as error:
            self.context.give_up(error)
        except CrawlerError as error:
            self.context.report_problem(error, self.url)
        no_requests: tuple[Request, ...] = ()  # each page was awaited
        for request in no_requests:
            yield request

    async def fetch(self, url: str) -> Snapshot:
        """Return a page. Raise CrawlerError where robots.txt, the guard or the site refuse it."""
        engine = self.crawler.engine
        assert engine is not None
        request = Request(url, meta={META_KEY: RequestMeta()})
        if is_robots_txt(url):
            request.meta["dont_obey_robotstxt"] = True
        try:
            response = await engine.download_async(request)
        except Exception as error:
            raise self.explain_failure(error, url) from error
        return make_snapshot(response, response.url)
