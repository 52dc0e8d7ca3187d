"""ListingPage: a page that lists articles, such as a section, an archive page or a feed."""

from __future__ import annotations

from crawler.pages.base import Page
from crawler.pages.site import Reading


class ListingPage(Page):
    """A page that lists articles. It yields canonical article URLs. Subclasses define `list_addresses`."""

    def list_addresses(self) -> list[str]:
        """Return every link on the page that may lead to an article, as written."""
        raise NotImplementedError

    def read(self) -> Reading:
        """Return the article URLs in page order, each once. Raises PageChanged when there is none."""
        links: dict[str, None] = {}
        for address in self.list_addresses():
            if url := self.resolve_article_link(address):
                links.setdefault(url)
        if not links:
            raise self.make_changed_error("links", "addresses of articles", "none")
        return Reading(page_class=type(self).__name__, links=tuple(links), entry_count=len(links))
