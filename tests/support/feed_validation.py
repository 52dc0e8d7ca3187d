"""Checks of what RFC 4287, JSON Feed 1.1 and RSS 2.0 require, written from their texts."""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def find_atom_errors(raw: bytes) -> list[str]:
    """Return the errors of an Atom feed. Numbers are sections of RFC 4287."""
    root = etree.fromstring(raw)
    found = [] if root.tag == f"{ATOM}feed" else ["4.1.1 the root is no atom:feed"]
    entries = root.findall(f"{ATOM}entry")
    for element, where in [(root, "4.1.1"), *((entry, "4.1.2") for entry in entries)]:
        for name in ("id", "title", "updated"):
            if len(element.findall(f"{ATOM}{name}")) != 1:
                found.append(f"{where} {element.tag} has not exactly one {name}")
        for name in ("published", "rights", "summary", "content", "generator", "subtitle"):
            if len(element.findall(f"{ATOM}{name}")) > 1:
                found.append(f"{where} more than one {name}")
        links = [link for link in element.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
        if len({(link.get("type"), link.get("hreflang")) for link in links}) < len(links):
            found.append(f"{where} two alternate links of one type and language")
        if where == "4.1.2" and element.find(f"{ATOM}content") is None and not links:
            found.append("4.1.2 neither content nor an alternate link")
        if element.find(f"{ATOM}author") is None and root.find(f"{ATOM}author") is None:
            found.append(f"{where} no author")
    for author in root.iter(f"{ATOM}author"):
        if [child.tag for child in author].count(f"{ATOM}name") != 1 or not author.findtext(f"{ATOM}name"):
            found.append("3.2.1 a person without one name")
    for date in [*root.iter(f"{ATOM}updated"), *root.iter(f"{ATOM}published")]:
        if not RFC3339.fullmatch(date.text or ""):
            found.append(f"3.3 no RFC 3339 time: {date.text}")
    names = [element.text or "" for element in root.iter(f"{ATOM}id")]
    if len(set(names)) < len(names):
        found.append("4.1.1 two entries of one id")
    found += [f"4.2.6 the id is no IRI: {name}" for name in names if not urlsplit(name).scheme]
    for link in root.iter(f"{ATOM}link"):
        if not urlsplit(link.get("href", "")).scheme:
            found.append("4.2.7.1 a link without an href")
        if link.get("hreflang") is not None and not TAG.fullmatch(link.get("hreflang")):
            found.append(f"4.2.7.4 no language: {link.get('hreflang')}")
    found += ["4.2.2.1 a category without a term" for c in root.iter(f"{ATOM}category") if not c.get("term")]
    for text in [e for name in ("title", "summary", "rights") for e in root.iter(f"{ATOM}{name}")]:
        if text.get("type", "text") not in ("text", "html") or len(text):
            found.append(f"3.1.1 a text of type {text.get('type')} with children")
    found += [f"2 no language: {e.get(LANGUAGE)}" for e in root.iter() if not TAG.fullmatch(e.get(LANGUAGE, "en"))]
    return found


def find_json_errors(raw: bytes) -> list[str]:
    """Return the errors of a JSON feed by version 1.1."""
    feed: dict[str, Any] = json.loads(raw.decode("utf-8"))
    found = [] if feed.get("version") == "https://jsonfeed.org/version/1.1" else ["version"]
    found += [] if isinstance(feed.get("title"), str) and feed["title"] else ["title"]
    found += [name for name in ("home_page_url", "feed_url") if name in feed and not urlsplit(feed[name]).scheme]
    if not isinstance(feed.get("items"), list):
        return [*found, "items"]
    ids = [item.get("id") for item in feed["items"]]
    found += [] if len(set(ids)) == len(ids) else ["two items of one id"]
    for item in feed["items"]:
        found += [] if isinstance(item.get("id"), str) and item["id"] else ["an item without an id"]
        found += [] if item.get("content_html") or item.get("content_text") else ["an item without content"]
        for name in ("date_published", "date_modified"):
            if name in item and not RFC3339.fullmatch(item[name]):
                found.append(f"{name} is no RFC 3339 time: {item[name]}")
        if not all(isinstance(tag, str) for tag in item.get("tags", [])):
            found.append("tags that are no strings")
        if not all({"name", "url", "avatar"} & set(author) for author in item.get("authors", [])):
            found.append("an author without name, url and avatar")
    found += [f"null: {name}" for each in (feed, *feed["items"]) for name, value in each.items() if value is None]
    return found


def find_rss_errors(raw: bytes) -> list[str]:
    """Return the errors of an RSS feed by the specification of 2.0."""
    root = etree.fromstring(raw)
    channels = root.findall("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or len(channels) != 1:
        return ["no rss 2.0 with one channel"]
    found = [name for name in ("title", "link", "description") if not channels[0].findtext(name)]
    for item in channels[0].findall("item"):
        if not item.findtext("title") and not item.findtext("description"):
            found.append("an item with neither title nor description")
        found += [f"two of {name}" for name in ("guid", "pubDate", "link", "title") if len(item.findall(name)) > 1]
    names = [guid.text for guid in root.iter("guid")]
    found += [] if len(set(names)) == len(names) else ["two items of one guid"]
    for date in [*root.iter("pubDate"), *root.iter("lastBuildDate")]:
        if parsedate_to_datetime(date.text or "").tzinfo is None:
            found.append(f"a date without a zone: {date.text}")
    return found
