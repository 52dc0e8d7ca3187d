"""Web hooks (`json://`): a JSON body for programs beside the text, signed if the address has a secret.

docs/alerts.md documents the fields. A field is never renamed or removed without a new SCHEMA_VERSION.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from crawler.errors import ConfigError
from crawler.publish.entries import Entry
from crawler.publish.xml_text import sanitize_text

SCHEMA_VERSION = 1
SIGNATURE_HEADER = "X-Signature-256"
"""`sha256=` and the HMAC-SHA256 of the body in hexadecimal digits."""


class WebhookRefusal(Exception):
    """A web hook answered with a status that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the receiver answered {status}")
        self.status = status


class WebhookUnreachable(Exception):
    """A web hook could not be reached, or did not answer in time."""


def make_webhook_data(kind: str, subscription: str, created_at: datetime, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the fields that a web hook gets beside the text. `kind` is the message's kind. Times are in UTC."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "subscription": subscription,
        "created_at": _format_time(created_at),
        "articles": [_format_article(entry) for entry in {entry.id: entry for entry in entries}.values()],
    }


def _format_article(entry: Entry) -> dict[str, Any]:
    """Return what a web hook may know of an article: an entry has only what its source's rights allow."""
    excerpt = "\n".join(piece.quoted for piece in entry.excerpt.pieces)
    return {
        "id": entry.id,
        "version": entry.version,
        "source": entry.source,
        "url": entry.url,
        "language": entry.language,
        "title": sanitize_text(entry.headline),
        "title_derived": entry.is_derived,
        "published_at": _format_time(entry.published_at),
        "published_precision": str(entry.precision) if entry.precision else None,
        "first_seen_at": _format_time(entry.seen_at),
        "verdict": str(entry.verdict),
        "severity": str(entry.severity) if entry.severity else None,
        "rules": list(entry.rules),
        "matches": [
            {
                "rule": match.rule,
                "term": match.term,
                "word": match.surface,
                "field": match.field,
                "strength": str(match.strength),
            }
            for match in entry.matches
        ],
        "story": entry.story,
        "excerpt": sanitize_text(excerpt) if excerpt else None,
        "changes": [
            {
                "field": edit.field,
                "before": edit.old,
                "after": edit.new,
                "severity": str(edit.severity),
                "facts": [{"kind": str(fact.kind), "before": fact.old, "after": fact.new} for fact in edit.claims],
            }
            for edit in entry.edits
        ],
        "related": [
            {
                "id": other.id,
                "source": other.source,
                "url": other.url,
                "language": other.language,
                "title": sanitize_text(other.headline),
                "is_copy": other.is_copy,
                "is_possible": other.is_possible,
            }
            for other in entry.others
        ],
        "attribution": entry.credit.attribution,
    }


def _format_time(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def get_secret(name: str, address: str) -> str | None:
    """Return the secret of a web hook's address (`?secret=…`), or None. Raise ConfigError if it is empty."""
    values = parse_qs(urlsplit(address).query, keep_blank_values=True).get("secret")
    if values and not values[-1]:
        raise ConfigError(f"{name}: its `secret` is empty. Write one, or leave it out.")
    return values[-1] if values else None


def post_webhook(plugin: Any, title: str, text: str, data: Mapping[str, Any], secret: str | None) -> None:
    """Post a message to a web hook, signed with the secret. Raise WebhookRefusal or WebhookUnreachable.

    `plugin` is Apprise's NotifyJSON, which has no types. It reads the address, but its body has no nested fields and no
    signature.
    """
    payload = {"version": "1.0", "title": title, "message": text, "attachments": [], "type": "info", **data}
    for key, value in plugin.payload_extras.items():  # as Apprise does: rename or remove a field, or add one
        if key not in payload:
            payload[key] = value
        elif value:
            payload[value] = payload.pop(key)
        else:
            del payload[key]
    body = json.dumps(payload, ensure_ascii=False).encode()
    headers = {"User-Agent": plugin.app_id, "Content-Type": "application/json", **plugin.headers}
    if secret:
        headers[SIGNATURE_HEADER] = f"sha256={hmac.new(secret.encode(), body, sha256).hexdigest()}"
    port = f":{plugin.port}" if isinstance(plugin.port, int) else ""
    plugin.throttle()
    try:
        response = requests.request(
            plugin.method,
            f"{'https' if plugin.secure else 'http'}://{plugin.host}{port}{plugin.fullpath}",
            data=body,
            params=plugin.params,
            headers=headers,
            auth=(plugin.user, plugin.password or "") if plugin.user else None,
            verify=plugin.verify_certificate,
            timeout=plugin.request_timeout,
            allow_redirects=plugin.redirects,
        )
    except requests.RequestException as error:
        raise WebhookUnreachable from error
    if not 200 <= response.status_code < 300:
        raise WebhookRefusal(response.status_code)
