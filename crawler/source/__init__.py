"""What every source shares.

expect.py   what a healthy run of a source is
mirror.py   public addresses and those of a copy of the site
response.py from Scrapy's response to a Snapshot
lists.py    sources whose lists hold the whole articles
running.py  whether a source is run or only looked at, and when it gives up
spider.py   SourceSpider: from a response to articles, requests and problems
"""

from __future__ import annotations

from crawler.source.expect import HealthExpectation
from crawler.source.running import GAVE_UP, give_up, need_run
from crawler.spiders.base import GONE_STATUSES, SourceSpider, problem_found
from crawler.spiders.listing_coverage import CoveredPage, FullTextListingSpider, ListingCoverage
from crawler.spiders.url_mapping import is_robots_txt

__all__ = [
    "GAVE_UP",
    "GONE_STATUSES",
    "HealthExpectation",
    "CoveredPage",
    "ListingCoverage",
    "SourceSpider",
    "FullTextListingSpider",
    "give_up",
    "is_robots_txt",
    "need_run",
    "problem_found",
]
