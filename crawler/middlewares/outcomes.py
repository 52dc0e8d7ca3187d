"""The house's errors as Scrapy's downloader side raises them.

Each is also an IgnoreRequest: the spider's errback gets it as it is, and Scrapy adds no traceback to the log.
"""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from crawler import errors


class Unreachable(errors.Unreachable, IgnoreRequest):
    """No answer, after every wait and further try."""


class Blocked(errors.Blocked, IgnoreRequest):
    """The site wants us back much later."""


class Refused(errors.Refused, IgnoreRequest):
    """The house does not go there, or does not take that much."""


class ArchiveError(errors.ArchiveError, IgnoreRequest):
    """The response could not be kept, so it goes no further."""
