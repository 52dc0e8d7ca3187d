"""Subscriptions: who gets which messages. Analysts add their own on existing channels; addresses are never shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crawler.config import Subscription, load_config
from crawler.errors import UsageError
from crawler.publish.phrases import OUTPUT_LANGUAGES
from crawler.service import subscription_file
from crawler.service.edited_files import get_file_mark, replace_files
from crawler.service.notifications import check_subscriptions
from crawler.web.access import Principal, get_principal
from crawler.web.errors import BadAddress, RoleMissing
from crawler.web.forms import FormValues, parse_short_name
from crawler.web.newsroom import Newsroom
from crawler.web.pages.account import record_change
from crawler.web.rendering import PageRenderer, make_address
from crawler.web.translations import mark_message

SUBSCRIPTIONS_PATH = "/subscriptions"
MAX_SUBSCRIPTIONS_PER_ANALYST = 20
DELIVERY_TIMES = {
    "realtime": mark_message("At once"),
    "hourly": mark_message("Every hour"),
    "daily 08:30": mark_message("Daily at 08:30"),
    "weekly mon 08:30": mark_message("Mondays at 08:30"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSubscription:
    """A subscription in the list. `may_change`: the reader is an owner, or it is the reader's own."""

    name: str
    subscription: Subscription
    may_change: bool


def show_subscriptions(site: PageRenderer, request: Request) -> Response:
    """Return the page of subscriptions, the reader's own first."""
    newsroom, principal, reader = site.newsroom, get_principal(request), site.make_reader(request)
    shown = [
        ShownSubscription(name=name, subscription=each, may_change=may_change(principal, each))
        for name, each in newsroom.config.subscriptions.items()
    ]
    shown.sort(key=lambda each: (each.subscription.user != principal.name, each.name))
    return site.render(
        request,
        "subscriptions.html",
        reader=reader,
        subscriptions=shown,
        channels=newsroom.list_channels(is_owner=principal.is_owner),
        rules=newsroom.list_rule_names(),
        times=DELIVERY_TIMES,
        config_mark=get_file_mark(newsroom.config.path) if newsroom.can_edit else "",
        is_changed="changed" in request.query_params,
    )


def may_change(principal: Principal, subscription: Subscription) -> bool:
    """Return whether a user may change a subscription: owners all of them, analysts their own."""
    return principal.is_owner or (principal.is_analyst and subscription.user == principal.name)


def raise_if_not_subscribable(newsroom: Newsroom, principal: Principal, channels: Sequence[str]) -> None:
    """Raise UsageError or BadAddress if a user may not add a subscription to these channels."""
    raise_if_not_allowed(newsroom, principal, channels)
    own = [each for each in newsroom.config.subscriptions.values() if each.user == principal.name]
    if not principal.is_owner and len(own) >= MAX_SUBSCRIPTIONS_PER_ANALYST:
        raise UsageError(f"You have {len(own)} subscriptions, the most that an analyst may have. End one first.")


def raise_if_not_allowed(newsroom: Newsroom, principal: Principal, channels: Sequence[str]) -> None:
    """Raise BadAddress for a channel that the page does not offer, UsageError for none."""
    if not any(channels):
        raise UsageError("Choose at least one channel.")
    if not set(channels) <= set(newsroom.list_channels(is_owner=principal.is_owner)):
        raise BadAddress


def change_subscription(site: PageRenderer, request: Request, form: FormValues) -> Response:
    """Add, change or end a subscription in crawler.toml, and return to the page."""
    newsroom, principal, action = site.newsroom, get_principal(request), form.get_first("do")
    name, known = form.get_first("name").strip(), newsroom.config.subscriptions
    if not newsroom.can_edit or action not in ("add", "set", "end"):
        raise BadAddress
    if action == "add":
        name = parse_short_name(name)
        if name in known:
            raise UsageError(f"There is a subscription {name!r} already. Choose another name.")
    elif name not in known:
        raise BadAddress
    elif not may_change(principal, known[name]):
        raise RoleMissing("An analyst may change only their own subscriptions.")
    settings = None if action == "end" else parse_settings(newsroom, principal, form, is_new=action == "add")
    write_subscription(newsroom, name, settings, form.get_first("config_mark"))
    record_change(site, request, f"subscription.{action}", name)
    return RedirectResponse(f"{make_address(SUBSCRIPTIONS_PATH, {'changed': 1})}", 303)


def parse_settings(newsroom: Newsroom, principal: Principal, form: FormValues, *, is_new: bool) -> dict[str, Any]:
    """Return the settings in a form. Raise BadAddress for a value that the page does not offer."""
    channels, rules = form.get_all("channel"), form.get_all("rule")
    when, language = form.get_first("when"), form.get_first("language")
    former = newsroom.config.subscriptions.get(form.get_first("name").strip())
    known_times = {*DELIVERY_TIMES, str(former.when) if former else ""}
    if when not in known_times or language not in OUTPUT_LANGUAGES:
        raise BadAddress
    if not set(rules) <= {*newsroom.list_rule_names(), *(former.rules if former else ())}:
        raise BadAddress
    settings: dict[str, Any] = {"channels": channels, "rules": rules, "when": when, "language": language}
    if not is_new:
        raise_if_not_allowed(newsroom, principal, channels)
        return settings
    raise_if_not_subscribable(newsroom, principal, channels)
    return settings if principal.is_owner else {**settings, "user": principal.name}


def write_subscription(newsroom: Newsroom, name: str, settings: dict[str, Any] | None, mark: str) -> None:
    """Write the settings of a subscription, or remove it for None, and put the configuration into force.

    Raise FileChanged if somebody changed crawler.toml since the form was shown.
    """
    path = newsroom.config.path
    if path is None:
        raise BadAddress
    text = subscription_file.change_subscription(path, name, settings)
    replace_files({path: text}, marks={path: mark}, check=lambda: check_subscriptions(load_config(path)))
    newsroom.reload()
