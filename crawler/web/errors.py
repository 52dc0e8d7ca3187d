"""Errors that a page reports to its reader."""

from __future__ import annotations

from crawler.errors import CrawlerError


class BadAddress(CrawlerError):
    """An address whose parameters no page has written."""


class PageMissing(CrawlerError):
    """An address that names an article, a version or a story that is not stored."""


class ForeignForm(CrawlerError):
    """A form that no page of this server has sent."""


class SignInNeeded(CrawlerError):
    """A request to a route that needs a role, from nobody who is known: not signed in, or the session has ended."""


class RoleMissing(CrawlerError):
    """A request by a user whose role, or whose API key, does not allow it."""


class TooManyClients(CrawlerError):
    """More clients listen to the live events than one server may have."""
