"""A template filled for one reader: the interface's language, times in the newsroom's zone, and texts with marks.

Everything from a page is escaped. Characters that no reader sees (direction marks, controls) are shown as U+FFFD.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from gettext import NullTranslations
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from crawler.publish.phrases import OUTPUT_LANGUAGES, Phrases
from crawler.revisions.alignment import DiffSpan
from crawler.store.article_cards import ArticleCard, CardExcerpt, TimeKind
from crawler.store.reader_actions import ReaderAction
from crawler.text.cleaning import UNSEEN_PATTERN
from crawler.web import words
from crawler.web.access import Principal, find_principal
from crawler.web.conditional import has_entity_tag, make_entity_tag
from crawler.web.forms import VISITOR_COOKIE, FormKeeper, parse_row_number, set_cookie
from crawler.web.newsroom import Newsroom
from crawler.web.translations import LANGUAGE_COOKIE, choose_language, load_translations, mark_message

DAY_FORMATS = {"en": "EEEE d MMMM", "ru": "EEEE, d MMMM", "kk": "d MMMM, EEEE"}
DAY_FORMATS_WITH_YEAR = {"en": "EEEE d MMMM y", "ru": "EEEE, d MMMM y", "kk": "y 'ж'. d MMMM, EEEE"}
LANGUAGE_NAMES = {"en": "English", "ru": "Русский", "kk": "Қазақша"}
SHORT_LANGUAGE_NAMES = {"en": "EN", "ru": "РУС", "kk": "ҚАЗ"}
COOKIE_SECONDS = 365 * 86400
CHOICES: Mapping[str, tuple[str, ...]] = {"theme": ("system", "light", "dark"), "shortcuts": ("on", "off")}
"""What a user chooses about all pages: parameter and cookie, with the values. The first one is the default."""
FLEETING = frozenset({*CHOICES, "lang", "done", "undone", "saved", "retried", "changed", "added", "turned"})
"""Parameters that are no part of what a page shows."""
CARD_TIME_WORDS = {
    TimeKind.PUBLISHED: mark_message("published"),
    TimeKind.DAY: mark_message("no time given"),
    TimeKind.SEEN: mark_message("first seen"),
    TimeKind.CHANGED: mark_message("change seen"),
}
LANGUAGE_TAGS = frozenset({"en", "ru", "kk"})


def make_visible(text: str) -> str:
    """Return a text of the same length in which each unseen character is U+FFFD."""
    return UNSEEN_PATTERN.sub("\ufffd", text)


def show_value(value: object) -> object:
    """Return what a template prints: a text with its unseen characters visible. Everything passes here."""
    return make_visible(value) if type(value) is str else value


def mark_spans(text: str, spans: Iterable[tuple[int, int]], *, first_id: int | None = None) -> Markup:
    """Return a text with its spans in `<mark>`. With `first_id` each has an id (`m1`, `m2`) to jump to.

    Spans are in order and disjoint.
    """
    visible, parts, position = make_visible(text), [], 0
    for number, (start, end) in enumerate(spans, start=first_id or 0):
        name = Markup(' id="m{}"').format(number) if first_id is not None else ""
        parts += [escape(visible[position:start]), Markup("<mark{}>{}</mark>").format(name, visible[start:end])]
        position = end
    return Markup("").join([*parts, escape(visible[position:])])


def mark_change(spans: Sequence[tuple[str, str]], *, without: str | None = None) -> Markup:
    """Return spans of a changed sentence with `<ins>` and `<del>`. `without`: skip the spans with this mark."""
    parts = []
    for mark, text in spans:
        if mark == without:
            continue
        tag = {"added": "ins", "removed": "del"}.get(mark)
        shown = make_visible(text)
        if tag is None or not shown.strip():
            parts.append(escape(shown))
            continue
        # White space at the ends is not coloured.
        core = shown.strip()
        start = shown.index(core)
        parts += [
            escape(shown[:start]),
            Markup("<{0}>{1}</{0}>").format(Markup(tag), core),
            escape(shown[start + len(core) :]),
        ]
    return Markup("").join(parts)


class Reader:
    """One reader's language, zone and role. Templates call it `reader`. `principal` is None for one without a name."""

    def __init__(self, newsroom: Newsroom, language: str, principal: Principal | None = None) -> None:
        self.newsroom, self.language, self.principal = newsroom, language, principal
        self.translations: NullTranslations = load_translations(language)
        self.now = datetime.now(UTC)

    @property
    def is_analyst(self) -> bool:
        """Whether the reader may write notes, stories, reviews and draft rules."""
        return self.principal is not None and self.principal.is_analyst

    @property
    def is_owner(self) -> bool:
        """Whether the reader may change rules in force, channels, sources and users."""
        return self.principal is not None and self.principal.is_owner

    @property
    def phrases(self) -> Phrases:
        """The words around articles and times, as messages have them."""
        return _make_phrases(self.language, self.newsroom.zone)

    def translate(self, message: str, **values: object) -> str:
        """Return a message in the reader's language, with its gaps filled."""
        found = self.translations.gettext(message)
        return found % values if values else found

    def translate_count(self, one: str, other: str, number: int, **values: object) -> str:
        """Return a message in the plural form of a number. `%(num)s` is the number."""
        return self.translations.ngettext(one, other, number) % {"num": number, **values}

    def to_local(self, at: datetime) -> datetime:
        """Return a time in the newsroom's zone. A page may name a time too late to convert: it stays."""
        try:
            return at.astimezone(self.newsroom.zone)
        except OverflowError:
            return at

    def format_day(self, at: datetime, *, with_year: bool | None = None) -> str:
        """Return a day in words. Without `with_year`, the year is named if it is not the current one."""
        local = self.to_local(at)
        named = local.year != self.to_local(self.now).year if with_year is None else with_year
        formats = DAY_FORMATS_WITH_YEAR if named else DAY_FORMATS
        return _format_date(local.date(), formats[self.language], self.language)

    def format_days(self, first: datetime, last: datetime) -> str:
        """Return the days from `first` to `last` in words, or the one day that they are."""
        begin, end = self.format_day(first), self.format_day(last)
        if begin == end:
            return begin
        weekday = _name_weekday(self.to_local(last).date(), self.language)
        return f"{begin} – {end.replace(capitalize_first(weekday), weekday, 1)}"

    def format_clock(self, at: datetime) -> Markup:
        """Return a time of day as `<time>`, with UTC on hover."""
        return self._format_time(at, f"{self.to_local(at):%H:%M}")

    def format_moment(self, at: datetime) -> Markup:
        """Return day and time of day as `<time>`, with UTC on hover."""
        return self._format_time(at, self.phrases.time(at))

    def format_date(self, at: datetime) -> Markup:
        """Return a day as `<time>`: the page names no time of day."""
        return Markup('<time datetime="{}">{}</time>').format(f"{self.to_local(at):%Y-%m-%d}", self.phrases.day(at))

    def _format_time(self, at: datetime, shown: str) -> Markup:
        utc = at.astimezone(UTC)
        return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
            self.to_local(at).isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M}", shown
        )

    def format_card_time(self, card: ArticleCard) -> Markup:
        """Return the time of a listed article, and which of its times that is."""
        word = self.translate(CARD_TIME_WORDS[card.time_kind])
        if card.time_kind is TimeKind.DAY:
            return Markup('<b class="dim">{}</b>').format(word)
        return Markup("{} {}").format(self.format_clock(card.active_at), word)

    def name_language(self, language: str | None) -> str:
        """Return a language's name."""
        return self.phrases.tongue(language)

    def name_languages(self, languages: Iterable[str]) -> str:
        """Return the names of languages in a row."""
        return ", ".join(map(self.name_language, languages))

    def name_source(self, name: str) -> str:
        """Return a source's name."""
        return self.newsroom.get_source_title(name, self.language)

    def name_rule(self, name: str) -> str:
        """Return a rule's title."""
        return self.newsroom.get_rule_title(name, self.language)

    def name_sources(self, names: Iterable[str]) -> str:
        """Return the names of sources in a row."""
        return ", ".join(map(self.name_source, names))

    def format_duration(self, duration: timedelta) -> str:
        """Return a duration in its largest unit: `3 hours`."""
        return str(format_timedelta(duration, locale=self.language))

    def format_numbers(self, numbers: Iterable[float]) -> str:
        """Return numbers in a row, each as the reader's language writes it."""
        return "; ".join(format_decimal(number, locale=self.language) for number in numbers)

    def format_excerpt(self, excerpt: CardExcerpt) -> Markup:
        """Return a sentence with its matches marked."""
        return mark_spans(excerpt.text, excerpt.marks)


@lru_cache(maxsize=16)
def _make_phrases(language: str, zone: tzinfo) -> Phrases:
    return Phrases(language, zone)


@lru_cache(maxsize=256)
def _format_date(day: date, pattern: str, language: str) -> str:
    return capitalize_first(str(format_date(day, pattern, locale=language)))


@lru_cache(maxsize=256)
def _name_weekday(day: date, language: str) -> str:
    return str(format_date(day, "EEEE", locale=language))


def list_spans(spans: Iterable[DiffSpan]) -> list[tuple[str, str]]:
    """Return the spans of a diff as pairs of mark and text."""
    return [(span.mark, span.text) for span in spans]


def capitalize_first(text: str) -> str:
    """Return the text with a capital first letter. The others stay."""
    return text[:1].upper() + text[1:]


def quote_path(name: str) -> str:
    """Return an article's id as a part of an address."""
    return quote(name, safe=":")


def format_path(request: Request) -> str:
    """Return the path of a request as an address has it. An article's id may have % and ?.

    `request.url.path` has some of its letters decoded, and others not.
    """
    return quote(request.scope["path"], safe=":/")


def make_address(path: str, parameters: Mapping[str, object]) -> str:
    """Return an address with the parameters that have a value."""
    query = urlencode({name: str(value) for name, value in parameters.items() if value is not None})
    return f"{path}?{query}" if query else path


def list_chips(wanted: object, names: Iterable[str], filters: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
    """Return the choices in force of the filters that are set. The address of each removes it.

    `names` are the attributes of `wanted` that the filters set, in their order.
    """
    chosen = (values for name, (_, values) in zip(names, filters, strict=True) if getattr(wanted, name) is not None)
    return [value for values in chosen for value in values if value.is_current]


def hash_static_files() -> dict[str, str]:
    """Return a hash of each static file, by name. It is in the address, so that a browser keeps the file."""
    folder = resources.files("crawler.web").joinpath("static")
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest()[:12] for each in folder.iterdir()}


class PageRenderer:
    """Fills the templates in `templates/`."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom, self.forms = newsroom, FormKeeper()

    def make_reader(self, request: Request) -> Reader:
        """Return the reader of a request, with the language of the address, the cookie or the browser."""
        language = choose_language(
            request.query_params.get("lang"),
            request.cookies.get(LANGUAGE_COOKIE),
            request.headers.get("accept-language"),
        )
        return Reader(self.newsroom, language, find_principal(request))

    def fill_template(self, template: str, reader: Reader, **values: Any) -> str:
        """Return a filled template."""
        found = make_environment(reader.language).get_template(template)
        return found.render(reader=reader, newsroom=self.newsroom, **values)

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page as an answer. One that the browser has already is answered by 304."""
        reader = values.pop("reader", None) or self.make_reader(request)
        key, is_new = self.forms.get_key(request)
        page = self._make_page_values(request, key)
        body = self.fill_template(template, reader, page=page, **values).encode("utf-8", "replace")
        headers = {
            "cache-control": "private, no-cache",
            "vary": "Accept-Language, Cookie",
            "content-language": reader.language,
        }
        response: Response
        tag = make_entity_tag(body)
        if status == 200:
            headers["etag"] = tag
        if status == 200 and has_entity_tag(request, tag):
            response = Response(status_code=304, headers=headers)
        else:
            response = HTMLResponse(body, status, headers)
        if is_new:
            set_cookie(response, request, VISITOR_COOKIE, key)
        if request.query_params.get("lang") == reader.language:
            response.set_cookie(LANGUAGE_COOKIE, reader.language, COOKIE_SECONDS, httponly=True, samesite="lax")
        for name, choices in CHOICES.items():
            if (value := request.query_params.get(name)) in choices:
                response.set_cookie(name, str(value), COOKIE_SECONDS, httponly=True, samesite="lax")
        return response

    def _make_page_values(self, request: Request, key: str) -> dict[str, Any]:
        """Return what the frame around every page shows."""
        parameters = [(name, value) for name, value in request.query_params.multi_items() if name not in FLEETING]
        path, query = format_path(request), urlencode(parameters)
        prefix = f"{path}?{query}&" if query else f"{path}?"
        chosen: dict[str, Any] = {name: get_choice(request, name) for name in CHOICES}
        return {
            **chosen,
            "choices": {name: {value: f"{prefix}{name}={value}" for value in CHOICES[name]} for name in CHOICES},
            "path": request.scope["path"],
            "address": f"{path}?{query}" if query else path,
            "languages": {name: f"{prefix}lang={name}" for name in OUTPUT_LANGUAGES},
            "token": self.forms.make_token(key),
            "done": self._find_done_action(request),
            "is_undone": "undone" in request.query_params,
            "is_changed": "changed" in request.query_params,
            "troubled": self.newsroom.list_troubled(),
            "last_look": self.newsroom.store.reading_lists.get_last_run_time(),
        }

    def _find_done_action(self, request: Request) -> ReaderAction | None:
        """Return the action that has just been done, as the address says, if it can be undone."""
        batch = parse_row_number(request.query_params.get("done", ""))
        if batch is None:
            return None
        actions = self.newsroom.store.reader_actions.list_batch(batch)
        principal = find_principal(request)
        own = (each for each in actions if principal is not None and each.made_by == principal.name)
        return next((each for each in own if each.undone_at is None), None)


def get_choice(request: Request, name: str) -> str:
    """Return what the user of a browser chose about all pages: the address's value, else the cookie's."""
    values = CHOICES[name]
    return next(
        (value for value in (request.query_params.get(name), request.cookies.get(name)) if value in values), values[0]
    )


class ConstantCalls(NodeTransformer):
    """Replaces calls with a text alone, such as `_("New")`, by what they return: a template has some hundred."""

    def __init__(self, functions: Mapping[str, Callable[[str], str]]) -> None:
        self._functions = functions

    def visit_Call(self, call: nodes.Call) -> nodes.Expr:  # noqa: N802 - Jinja's name
        """Return the returned text, or the call if it is another one."""
        self.generic_visit(call)
        match call.node, call.args, call.kwargs:
            case nodes.Name(name=name), [nodes.Const(value=str(text))], [] if name in self._functions:
                found = self._functions[name](text)
                constant = nodes.Const(str(found), lineno=call.lineno)
                return nodes.MarkSafe(constant, lineno=call.lineno) if isinstance(found, Markup) else constant
        return call


class TranslatedEnvironment(Environment):
    """The templates in one language. The translations are a part of the compiled templates."""

    constant_functions: Mapping[str, Callable[[str], str]]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        found: nodes.Template = ConstantCalls(self.constant_functions).visit(super()._parse(source, name, filename))
        return found


@cache
def make_environment(language: str) -> Environment:
    """Return the environment of the templates in a language. It is made at the first page in that language."""
    environment = TranslatedEnvironment(
        loader=FileSystemLoader(str(resources.files("crawler.web").joinpath("templates"))),
        autoescape=True,
        auto_reload=False,  # else each page looks at the files of its templates
        finalize=show_value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue, hashes = load_translations(language), hash_static_files()

    def translate(message: str, **values: object) -> Markup:
        return Markup(catalogue.gettext(message)) % values

    def translate_count(one: str, other: str, number: int, **values: object) -> Markup:
        return Markup(catalogue.ngettext(one, other, number)) % {"num": number, **values}

    def get_static_address(name: str) -> str:
        return f"/static/{name}?v={hashes[name]}"

    environment.constant_functions = {"_": translate, "static": get_static_address}
    environment.globals |= {
        **environment.constant_functions,
        "ngettext": translate_count,
        "words": words,
        "language_names": LANGUAGE_NAMES,
        "short_language_names": SHORT_LANGUAGE_NAMES,
    }
    environment.filters |= {
        "path": quote_path,
        "change": mark_change,
        "lang": clean_tag,
        "spans": list_spans,
        "capital": capitalize_first,
    }
    return environment


def clean_tag(language: str | None) -> str:
    """Return a language for the attribute `lang`: empty if it is unknown."""
    return language if language in LANGUAGE_TAGS else ""
