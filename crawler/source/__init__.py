"""What every source shares.

expect.py   what a healthy run of a source is
mirror.py   public addresses and those of a copy of the site
response.py from Scrapy's response to a Snapshot
lists.py    sources whose lists hold the whole articles
running.py  whether a source is run or only looked at, and when it gives up
spider.py   SourceSpider: from a response to articles, requests and problems
"""

from __future__ import annotations

from crawler.source.expect import Expect
from crawler.source.lists import ListPage, ListRead, WholeListSpider
from crawler.source.mirror import is_robots
from crawler.source.running import GAVE_UP, give_up, need_run
from crawler.source.spider import GONE, SourceSpider, problem_found

__all__ = [
    "GAVE_UP",
    "GONE",
    "Expect",
    "ListPage",
    "ListRead",
    "SourceSpider",
    "WholeListSpider",
    "give_up",
    "is_robots",
    "need_run",
    "problem_found",
]
