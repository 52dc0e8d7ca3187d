"""The house's errors as Scrapy's downloader side raises them.

Each is also an IgnoreRequest: the spider's errback gets it as it is, and Scrapy adds no traceback to the log.
"""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from crawler.errors import ArchiveError as _ArchiveError
from crawler.errors import Blocked as _Blocked
from crawler.errors import ForbiddenTarget as _Refused
from crawler.errors import Unreachable as _Unreachable


class Unreachable(_Unreachable, IgnoreRequest):
    """No answer, after every wait and further try."""


class Blocked(_Blocked, IgnoreRequest):
    """The site wants us back much later."""


class Refused(_Refused, IgnoreRequest):
    """The house does not go there, or does not take that much."""


class ArchiveError(_ArchiveError, IgnoreRequest):
    """The response could not be kept, so it goes no further."""
