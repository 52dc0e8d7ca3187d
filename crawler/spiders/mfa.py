"""The Ministry of Foreign Affairs of Kazakhstan on gov.kz (project `mfa`), in ru, kk and en, through GraphQL."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from crawler.items import Rights
from crawler.pages.ktkz import parse_ktkz_url
from crawler.pages.site import ArticleAddress
from crawler.spiders.base import HealthExpectation
from crawler.spiders.govkz import GovkzSpider


class MfaSpider(GovkzSpider):
    """gov.kz, project mfa, and releases that were stored from kt.kz."""

    name = "mfa"
    project = "mfa"
    title = "Ministry of Foreign Affairs of Kazakhstan"
    titles: ClassVar[dict[str, str]] = {
        "ru": "Министерство иностранных дел Казахстана",
        "kk": "Қазақстан Сыртқы істер министрлігі",
    }
    cron = "*/15 * * * *"
    expectation = HealthExpectation(min_links=1, max_silence=timedelta(days=7))
    rights = Rights(excerpt_share=0.3, link_required=True, wording=None, source=None)

    @classmethod
    def identify(cls, url: str) -> ArticleAddress | None:
        """Identify an article by the portal's id, a release stored from kt.kz by that site's page id."""
        if address := super().identify(url):
            return address
        if copy := parse_ktkz_url(url):
            return ArticleAddress(f"kt-{copy.native_id}", f"https://www.kt.kz{copy.path}")
        return None

    def can_be_listed(self, native_id: str) -> bool:
        """Whether the portal's lists show the article: a release stored from kt.kz is on none of them."""
        return native_id.isdecimal()
