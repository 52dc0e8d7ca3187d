"""What Drupal says about itself on the pages of a site: by its core, whatever the theme. From public knowledge."""

from __future__ import annotations

import re

from crawler.generic.page import GenericPage

STOCK_LIST_PATH = "/node"
"""The list that each Drupal has unless its owner removed it: what is promoted to the front page, by `?page=1`."""
NODE_ADDRESS = re.compile(r"/node/(\d{1,12})/?$")
NODE_SETTING = re.compile(r'"currentPath"\s*:\s*"node\\?/(\d{1,12})"')
NODE_CLASS = re.compile(r"(?:^|\s)page-node-(\d{1,12})(?:\s|$)")


def is_drupal(page: GenericPage) -> bool:
    """Return whether a page names Drupal as its generator, or has the settings that its core writes."""
    generator = page.metadata.get("generator", "").lower()
    return generator.startswith("drupal") or "data-drupal-selector" in page.html


def find_node_number(page: GenericPage) -> str | None:
    """Return the number of the article in Drupal, which stays when its address changes, or None where no place has it.

    The places: the short link, the settings of the page's scripts, the article's element, the class of `body`.
    """
    for node in page.root.iter("link"):
        if node.get("rel") == "shortlink" and (found := NODE_ADDRESS.search(node.get("href") or "")):
            return found[1]
    if found := NODE_SETTING.search(page.html):
        return found[1]
    stated = (node.get("data-history-node-id") for node in page.root.iter("article"))
    numbers: set[str] = {number for number in stated if number}
    if len(numbers) == 1:  # teasers of other articles have their own
        return numbers.pop()
    body = page.root.find(".//body")
    found = NODE_CLASS.search(body.get("class") or "") if body is not None else None
    return found[1] if found else None
