"""`sources/NAME.toml`: a source without code. What each key means, its type and its default.

A platform that needs settings of its own derives a class from SourceDefinition, with `platform` as a Literal, and adds
itself to `DEFINITIONS`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, field_validator, model_validator

from crawler.config.address_pattern import AddressPatternField, find_rule_problem
from crawler.config.base import ConfigSection, validate_timezone
from crawler.config.cron_fields import parse_cron_fields
from crawler.config.model import Age, PolitenessGroup
from crawler.text.urls import resolve_url, split_url

DEFAULT_PLATFORM = "site"
GOVKZ_HOSTS = ("www.gov.kz", "gov.kz")
TELEGRAM_HOSTS = ("t.me", "telegram.me", "www.t.me")
DEFAULT_CRON, AUTO_CRON = "*/30 * * * *", "auto"
DEFAULT_EXCERPT_SHARE = 0.3
"""Share of a text that outputs may quote, with a link, as long as nobody has said otherwise."""
PAGE_PLACEHOLDER = "{page}"
MAX_PAGE_STEP = 200
MAX_TEXT_LENGTH = 300
MAX_EXPECTED_LINKS = 10_000
MAX_ADDRESS_LENGTH = 2000
EXAMPLE_PAGE = "<p>A page on which selectors are tried.</p>"


def validate_page_address(value: str) -> str:
    """Return the address of a page. Raise ValueError for anything but http and https without a user name."""
    if len(value) > MAX_ADDRESS_LENGTH or resolve_url(value, "") != value or "://" not in value or "\\" in value:
        raise ValueError("write the whole address of a page, such as https://news.example/rss")
    return value


def make_page_address(pattern: str, number: int, step: int = 1) -> str:
    """Return the address of a page of a list. `step` is the number of articles where addresses count these."""
    return pattern.replace(PAGE_PLACEHOLDER, str(number * step))


def is_page_address(value: str) -> bool:
    """Return whether a definition may have the address."""
    try:
        return bool(validate_page_address(value))
    except ValueError:
        return False


def validate_origin(value: str) -> str:
    """Return scheme and host of a site. Raise ValueError when the address has more."""
    if not re.fullmatch(r"https?://[^/?#\s]+", validate_page_address(value)):
        raise ValueError("write scheme and host alone, such as https://news.example")
    return value


def validate_css(value: str) -> str:
    """Return a CSS selector. Raise ValueError when it is none."""
    import cssselect
    from lxml import etree

    try:
        etree.XPath(cssselect.HTMLTranslator().css_to_xpath(value))(etree.HTML(EXAMPLE_PAGE))
    except (cssselect.SelectorError, etree.XPathError) as error:
        raise ValueError(f"is no CSS selector ({error})") from error
    return value


def validate_xpath(value: str) -> str:
    """Return an XPath expression for elements or texts. Raise ValueError when it is none."""
    from parsel import Selector  # it knows more functions than lxml

    try:
        found = Selector(EXAMPLE_PAGE, type="html").xpath(value)
    except (ValueError, TypeError, re.error) as error:  # functions such as re:test raise their own errors
        raise ValueError(f"is no XPath expression ({error})") from error
    if any(isinstance(node.root, float | bool) for node in found):
        raise ValueError("finds a number and no element, such as //h1")
    return value


def validate_line(value: str) -> str:
    """Return a text of one line."""
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of text")
    return value


def _read_start(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1 code")]
PageAddress = Annotated[str, AfterValidator(validate_page_address)]
Origin = Annotated[str, AfterValidator(validate_origin)]
CssSelector = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(validate_css)]
XPathExpression = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(validate_xpath)]
Line = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(validate_line)]


class StartList(ConfigSection):
    """A list that every run requests: a feed, a sitemap or a page with links."""

    url: PageAddress = Field(description="address of the list")
    language: LanguageCode | None = Field(None, description="language of its articles, where it is one")
    fallbacks: tuple[PageAddress, ...] = Field((), description="lists to request, in order, when this one fails")
    next_page: str | None = Field(None, description="address of further pages, with {page} for their number")
    page_step: int = Field(
        1, ge=1, le=MAX_PAGE_STEP, description="{page} is the number of a page times this: 20 for ?start=20, ?start=40"
    )
    first_page: int = Field(1, ge=-1, le=10, description="number of the list itself; further pages count from it")
    pages: int = Field(5, ge=1, le=1000, description="most pages that a run without --since reads")

    @field_validator("next_page")
    @classmethod
    def _validate_next_page(cls, value: str | None) -> str | None:
        if value is not None:
            if value.count(PAGE_PLACEHOLDER) != 1:
                raise ValueError(
                    f"write an address with {PAGE_PLACEHOLDER} once, such as https://a.example/news?page=…"
                )
            validate_page_address(make_page_address(value, 1))
        return value

    def make_page_url(self, number: int) -> str | None:
        """Return the address of a further page, or None where none is known."""
        return make_page_address(self.next_page, number, self.page_step) if self.next_page else None


class FieldRule(ConfigSection):
    """Where a field is on the page: a CSS selector or an XPath expression."""

    css: CssSelector | None = Field(None, description="CSS selector of the element")
    xpath: XPathExpression | None = Field(None, description="XPath expression of the element or text")
    attribute: Line | None = Field(None, description="attribute that has the value; none: the text of the element")

    @model_validator(mode="after")
    def _validate_selector(self) -> Self:
        if (self.css is None) == (self.xpath is None):
            raise ValueError("write css or xpath")
        return self


class FieldRules(ConfigSection):
    """Fields that a selector finds. The generic reader finds the others."""

    title: FieldRule | None = None
    lead: FieldRule | None = None
    body: FieldRule | None = None
    published_at: FieldRule | None = None
    author: FieldRule | None = None
    section: FieldRule | None = None

    def list_rules(self) -> dict[str, FieldRule]:
        """Return the rules by field."""
        return {name: rule for name in type(self).model_fields if (rule := getattr(self, name)) is not None}


class SourceExpectation(ConfigSection):
    """What a healthy run yields. An empty run is not healthy."""

    min_links: int = Field(1, ge=0, le=MAX_EXPECTED_LINKS, description="fewest entries that the lists show together")
    required: tuple[Literal["title", "published_at", "author", "lead", "section"], ...] = Field(
        ("title", "published_at"), description="fields that every article has"
    )
    max_silence: Age | None = Field(None, description="longest believable time without a new article; none: any")


class SourceRights(ConfigSection):
    """What the source permits with its texts in outputs that leave this machine."""

    excerpt_share: float = Field(DEFAULT_EXCERPT_SHARE, ge=0, le=1, description="share of a text that may be quoted")
    link_required: bool = Field(True, description="whether a quotation needs a link to the article")
    wording: Line | None = Field(None, description="the site's own words about it")
    source: PageAddress | None = Field(None, description="where they were read")
    reference: Line | None = Field(None, description="name that the source wants to be mentioned")


class SourceDefinition(ConfigSection):
    """What every source without code has. `crawler.toml` may override schedule and limits in `[sources.NAME]`."""

    platform: str = Field(DEFAULT_PLATFORM, description="how the source is read")
    title: Line = Field(description="the source's name for people")
    titles: dict[LanguageCode, Line] = Field(default_factory=dict, description="the name in other languages")
    enabled: bool = Field(True, description="crawl it when a command names no source")
    retired: bool = Field(False, description="crawl it no more; its articles stay")
    cron: str = Field(DEFAULT_CRON, description="five fields, in the time zone of crawler.toml, or `auto`")
    jitter: int = Field(60, ge=0, le=86_400, description="maximum random delay of a start in seconds")
    politeness_group: PolitenessGroup | None = Field(
        None, description="sources of one group never run at the same time on several workers; none: those of one host"
    )
    timezone: str | None = Field(None, description="zone of dates that name none; none: that of crawler.toml")
    languages: tuple[LanguageCode, ...] = Field((), description="languages of its articles; none: detect any")
    expect: SourceExpectation = Field(default_factory=SourceExpectation.model_construct)
    rights: SourceRights = Field(default_factory=SourceRights.model_construct)

    @field_validator("cron")
    @classmethod
    def _validate_cron(cls, value: str) -> str:
        if value == AUTO_CRON:
            return value
        if not re.fullmatch(r"\S+( \S+){4}", value):
            raise ValueError('write five fields, such as "*/30 * * * *", or "auto"')
        parse_cron_fields(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _validate_timezone(cls, value: str | None) -> str | None:
        return value if value is None else validate_timezone(value)


class SiteDefinition(SourceDefinition):
    """A web site: lists that lead to articles, which are pages of their own."""

    platform: Literal["site"] = Field("site", description="how the source is read")
    origins: tuple[Origin, ...] = Field(min_length=1, description="public origins, the canonical one first")
    starts: tuple[Annotated[StartList, BeforeValidator(_read_start)], ...] = Field(
        min_length=1, description="lists that every run requests"
    )
    articles: Literal["pages", "feed"] = Field("pages", description="whether texts are on pages or in the feed itself")
    addresses: tuple[AddressPatternField, ...] = Field(
        min_length=1, description="paths of articles: * is any text without /, ** any path, {number} digits"
    )
    identity: str = Field(
        "path", max_length=MAX_TEXT_LENGTH, description='what tells articles apart: "path", or "{number}"'
    )
    exclude: tuple[AddressPatternField, ...] = Field((), description="paths that are no articles")
    links: CssSelector | None = Field(None, description="CSS selector of the links to articles on a list; none: all")
    fields: FieldRules = Field(default_factory=FieldRules.model_construct)
    remove: tuple[CssSelector, ...] = Field((), description="CSS selectors of what is not the text")
    date_formats: tuple[Line, ...] = Field((), description="forms of dates, such as %d.%m.%Y %H:%M, before any other")

    @field_validator("date_formats")
    @classmethod
    def _validate_date_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        example = datetime(2026, 11, 30, 18, 45, tzinfo=UTC)
        for form in value:
            try:
                parsed = datetime.strptime(example.strftime(form), form)  # noqa: DTZ007 - only its day counts
            except (ValueError, re.error) as error:  # re.error: a part is there twice
                raise ValueError(f"{form!r} is no form of a date, such as %d.%m.%Y %H:%M ({error})") from error
            if parsed.date() != example.date():
                raise ValueError(f"{form!r} has no day, month and year, such as %d.%m.%Y")
        return value

    @model_validator(mode="after")
    def _validate_identity(self) -> Self:
        if problem := find_rule_problem(self.identity, self.addresses):
            raise ValueError(f"identity: {problem}")
        return self

    @model_validator(mode="after")
    def _validate_hosts(self) -> Self:
        hosts = {get_host(origin) for origin in self.origins}
        for start in self.starts:
            if get_host(start.url) not in hosts:
                raise ValueError(f"starts: the host of {start.url} is not in origins")
        return self


class TelegramDefinition(SourceDefinition):
    """A public Telegram channel. Its posts have no titles."""

    platform: Literal["telegram"] = Field(description="how the source is read")
    channel: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,31}$", description="name of the channel, as in t.me/NAME")
    pages: int = Field(3, ge=1, le=100, description="most requests for older posts that a run without --since makes")
    expect: SourceExpectation = Field(default_factory=lambda: SourceExpectation(required=("published_at",)))


class WordPressDefinition(SourceDefinition):
    """A WordPress site, by its public interface or its feed. No extra is needed."""

    platform: Literal["wordpress"] = Field(description="how the source is read")
    origin: Origin = Field(description="scheme and host of the site")
    folder: str = Field("", pattern=r"^(/[\w-]+)*$", description="path of the site, if it is not at the root: /ru")
    category: int | None = Field(None, ge=1, description="number of the only category to read; none: all posts")
    pages: int = Field(3, ge=1, le=100, description="most pages of posts that a run without --since reads")


class GovkzDefinition(SourceDefinition):
    """A ministry or an agency on gov.kz."""

    platform: Literal["govkz"] = Field(description="how the source is read")
    project: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$", description="name in /memleket/entities/NAME, such as mod")
    languages: tuple[Literal["ru", "kk", "en"], ...] = Field(("ru", "kk", "en"), description="languages to request")


DEFINITIONS: dict[str, type[SourceDefinition]] = {
    DEFAULT_PLATFORM: SiteDefinition,
    "telegram": TelegramDefinition,
    "wordpress": WordPressDefinition,
    "govkz": GovkzDefinition,
}
"""The definition of each platform."""


def get_host(url: str) -> str:
    """Return the host of an address, without `www.`: both forms are one site."""
    return split_url(url)[0].removeprefix("www.")


def make_definition_schema() -> dict[str, Any]:
    """Return the JSON Schema of source definitions, as shipped in `source.schema.json`."""
    union: Any = None
    for definition in DEFINITIONS.values():
        union = definition if union is None else union | definition
    schema = TypeAdapter(union).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
