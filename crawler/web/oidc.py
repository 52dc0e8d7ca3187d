"""Sign-in with an organisation's accounts: the code flow of OpenID Connect, with PKCE, state and nonce.

The provider is asked for its addresses and keys at the first sign-in. The extra `oidc` has the packages.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawler.config import OidcConfig
from crawler.errors import CrawlerError, UsageError, format_install_advice
from crawler.roles import Role

START_PATH = "/login/organisation"
CALLBACK_PATH = "/login/organisation/callback"
ATTEMPT_SECONDS = 600.0
MAX_ATTEMPTS = 1000
"""Attempts to sign in that are remembered. The oldest one is dropped."""
TIMEOUT_SECONDS = 10.0
PROVIDER_SECONDS = 3600.0
"""Time for which addresses and keys of the provider are remembered."""
CLOCK_LEEWAY_SECONDS = 60
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that are accepted. `none` and those with a shared secret are not."""


class OidcError(CrawlerError):
    """A sign-in with the organisation failed. The message is for the log: it may quote the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcAttempt:
    """A browser on its way to the provider and back. `visitor` is the cookie of that browser."""

    visitor: str
    target: str
    nonce: str
    verifier: str
    ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcUser:
    """Whom the provider has signed in. `role` is None if no group of the user has one."""

    subject: str
    name: str
    role: Role | None
    target: str


def raise_if_not_installed() -> None:
    """Raise UsageError if the packages of the extra are missing."""
    from importlib.util import find_spec

    if find_spec("authlib") is None or find_spec("joserfc") is None:
        raise UsageError(f"[web.oidc] needs optional packages. {format_install_advice('oidc')}")


class OidcClient:
    """The newsroom as a client of one provider. Any thread may use it."""

    def __init__(self, config: OidcConfig, address: str) -> None:
        """`address` is that of the newsroom in the browser."""
        assert config.issuer is not None
        self._config, self._issuer = config, config.issuer
        self._redirect_address = address + CALLBACK_PATH
        self._attempts: dict[str, OidcAttempt] = {}
        self._provider: tuple[float, Mapping[str, Any], Any] | None = None
        self._lock = threading.Lock()

    def start(self, visitor: str, target: str) -> str:
        """Return the address at the provider to send a browser to. `target` is the page to show afterwards."""
        state, now = secrets.token_urlsafe(32), time.monotonic()
        attempt = OidcAttempt(
            visitor=visitor,
            target=target,
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            ends_at=now + ATTEMPT_SECONDS,
        )
        with self._lock:
            self._attempts = {key: each for key, each in self._attempts.items() if each.ends_at > now}
            while len(self._attempts) >= MAX_ATTEMPTS:
                del self._attempts[next(iter(self._attempts))]
            self._attempts[state] = attempt
        metadata, _ = self._get_provider()
        with self._open_session() as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=attempt.nonce, code_verifier=attempt.verifier
            )
        return str(address)

    def finish(self, visitor: str | None, parameters: Mapping[str, str]) -> OidcUser:
        """Return whom the provider has signed in. Raise OidcError for anything that is not an answer to `start`."""
        with self._lock:
            attempt = self._attempts.pop(parameters.get("state", ""), None)
        if attempt is None or attempt.ends_at <= time.monotonic():
            raise OidcError("The sign-in was not begun here, or it took too long.")
        if visitor is None or not secrets.compare_digest(visitor.encode(), attempt.visitor.encode()):
            raise OidcError("The sign-in was begun in another browser.")
        if parameters.get("iss", self._issuer) != self._issuer:
            raise OidcError("The answer names another provider.")
        if "code" not in parameters:
            reason = f"{parameters.get('error', 'no code')} {parameters.get('error_description', '')}"
            # Quoted: a guest can write this address, and a line break would forge a line of the log.
            raise OidcError(f"The provider answered: {reason.strip()[:200]!r}")
        claims = self._fetch_claims(parameters["code"], attempt)
        name = claims.get(self._config.name_claim)
        if not isinstance(name, str) or not name:
            raise OidcError(f"The provider names no user: the claim {self._config.name_claim} is missing.")
        return OidcUser(
            subject=f"{self._issuer} {claims['sub']}",
            name=name,
            role=self._find_role(claims.get(self._config.groups_claim)),
            target=attempt.target,
        )

    def _find_role(self, groups: object) -> Role | None:
        """Return the highest role of a user's groups."""
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        roles = [Role(self._config.groups[each]) for each in listed if each in self._config.groups]
        return max(roles, key=list(Role).index, default=None)

    def _fetch_claims(self, code: str, attempt: OidcAttempt) -> dict[str, Any]:
        """Return what the provider says about a user, from the signed token and, for groups, from its user page."""
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException

        metadata, _ = self._get_provider()
        try:
            with self._open_session() as session:
                token = session.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=attempt.verifier, timeout=TIMEOUT_SECONDS
                )
                claims = self._read_id_token(token.get("id_token"), attempt.nonce)
                if self._config.groups_claim not in claims and "userinfo_endpoint" in metadata:
                    more = session.get(metadata["userinfo_endpoint"], timeout=TIMEOUT_SECONDS).json()
                    # An answer about someone else must not give this user groups.
                    if isinstance(more, dict) and more.get("sub") == claims["sub"]:
                        claims = {**more, **claims}
        except (AuthlibBaseError, RequestException, ValueError) as error:
            raise OidcError(f"The provider {self._issuer} gave no usable answer: {error}") from error
        return claims

    def _read_id_token(self, text: object, nonce: str) -> dict[str, Any]:
        """Return the claims of a signed token for this client and this attempt."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        if not isinstance(text, str):
            raise OidcError("The provider sent no id_token: `openid` has to be in [web.oidc] scope.")
        registry = jwt.JWTClaimsRegistry(
            leeway=CLOCK_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._config.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        for is_fresh in (False, True):
            _, keys = self._get_provider(is_fresh=is_fresh)
            try:
                claims = dict(jwt.decode(text, keys, algorithms=SIGNATURES).claims)
                registry.validate(claims)
            except (JoseError, ValueError) as error:
                if is_fresh:  # with the keys of now, because a provider changes them
                    raise OidcError(f"The id_token of {self._issuer} cannot be believed: {error}") from error
                continue
            if claims.get("azp", self._config.client_id) != self._config.client_id or not claims["sub"]:
                raise OidcError("The id_token is for another client.")
            return claims
        raise AssertionError

    def _get_provider(self, *, is_fresh: bool = False) -> tuple[Mapping[str, Any], Any]:
        """Return addresses and keys of the provider."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from requests import RequestException

        now = time.monotonic()
        with self._lock:
            known = self._provider
        if known is not None and known[0] > now and not is_fresh:
            return known[1], known[2]
        try:
            with self._open_session() as session:
                place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = session.get(place, withhold_token=True, timeout=TIMEOUT_SECONDS).json()
                if metadata["issuer"] != self._issuer:
                    raise OidcError(
                        f"{place} names the issuer {metadata['issuer']!r}: write that in [web.oidc] issuer."
                    )
                listed = session.get(metadata["jwks_uri"], withhold_token=True, timeout=TIMEOUT_SECONDS).json()
                keys = KeySet.import_key_set(listed)
        except (RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise OidcError(f"The provider {self._issuer} cannot be used: {error!r}") from error
        with self._lock:
            self._provider = (now + PROVIDER_SECONDS, metadata, keys)
        return metadata, keys

    def _open_session(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self._config.client_secret
        return OAuth2Session(
            self._config.client_id,
            secret.get_secret_value() if secret else None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._config.scope,
            redirect_uri=self._redirect_address,
            code_challenge_method="S256",
        )
