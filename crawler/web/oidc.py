"""Sign-in and sign-out with an organisation's accounts: OpenID Connect's code flow, with PKCE, state and nonce.

The provider is asked for its addresses and keys at the first sign-in. The extra `oidc` has the packages.
"""

from __future__ import annotations

import secrets
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

from crawler.config import OidcConfig
from crawler.errors import CrawlerError, UsageError, format_install_advice
from crawler.roles import Role

START_PATH = "/login/organisation"
CALLBACK_PATH = "/login/organisation/callback"
SIGN_IN_PATH = "/login"
"""The page to sign in. The provider sends a browser there that has signed out."""
ATTEMPT_SECONDS = 600.0
MAX_ATTEMPTS = 1000
"""Attempts to sign in that are remembered. The oldest one is dropped."""
TIMEOUT_SECONDS = 10.0
PROVIDER_SECONDS = 3600.0
"""Time for which addresses and keys of the provider are remembered."""
CLOCK_LEEWAY_SECONDS = 60
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures that are accepted. `none` and those with a shared secret are not."""
CLIENT_ADVICE = "check [web.oidc] client_id and the variable CRAWLER_WEB__OIDC__CLIENT_SECRET"
CLOCK_ADVICE = "check the clocks of this computer and of the provider"
REACH_ADVICE = "check [web.oidc] issuer and the network; REQUESTS_CA_BUNDLE names a file with your own authority"


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
    """Whom the provider has signed in. `role` is None if no group of the user has one: `no_role_reason` says why."""

    subject: str
    name: str
    role: Role | None
    no_role_reason: str
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
        self._config, self._issuer, self._subject_prefix = config, config.issuer, f"{config.issuer} "
        self._redirect_address, self._signed_out_address = address + CALLBACK_PATH, address + SIGN_IN_PATH
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
            raise OidcError("The sign-in was not begun here, or it took too long: begin it anew.")
        if visitor is None or not secrets.compare_digest(visitor.encode(), attempt.visitor.encode()):
            raise OidcError(
                "The sign-in was begun in another browser, or not under [web] address, to which people come back."
            )
        if parameters.get("iss", self._issuer) != self._issuer:
            raise OidcError("The answer names another provider.")
        if "code" not in parameters:
            reason = f"{parameters.get('error', 'no code')} {parameters.get('error_description', '')}"
            # Quoted: a guest can write this address, and a line break would forge a line of the log.
            raise OidcError(f"The provider answered: {reason.strip()[:200]!r}")
        claims = self._fetch_claims(parameters["code"], attempt)
        name = find_claim(claims, self._config.name_claim)
        if not isinstance(name, str) or not name:
            raise OidcError(
                f"The provider names no user: the claim {self._config.name_claim} is missing. Add it at the provider, "
                f"or set [web.oidc] name_claim to one of {', '.join(sorted(claims))}."
            )
        role = self._find_role(find_claim(claims, self._config.groups_claim))
        return OidcUser(
            subject=f"{self._subject_prefix}{claims['sub']}",
            name=name,
            role=role,
            no_role_reason="" if role else self._explain_no_role(claims),
            target=attempt.target,
        )

    def is_own_subject(self, subject: str | None) -> bool:
        """Return whether a user's `subject` is one of this provider."""
        return subject is not None and subject.startswith(self._subject_prefix)

    def find_sign_out_address(self) -> str | None:
        """Return the address that ends the session of a browser at the provider, or None if there is none.

        Raise OidcError if the provider does not answer. The provider knows the browser by its own cookie and us by
        `client_id`, so no token is kept. Without one it asks whether the user means it (RP-Initiated Logout 1.0, 2).
        """
        from authlib.common.urls import add_params_to_uri

        metadata, _ = self._get_provider()
        endpoint = metadata.get("end_session_endpoint")
        if not isinstance(endpoint, str) or urlsplit(endpoint).scheme not in ("http", "https"):
            return None
        added = {"client_id": self._config.client_id, "post_logout_redirect_uri": self._signed_out_address}
        return str(add_params_to_uri(endpoint, list(added.items())))

    def _find_role(self, groups: object) -> Role | None:
        """Return the highest role of a user's groups."""
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        known = self._config.groups
        roles = [Role(known[each]) for each in listed if isinstance(each, str) and each in known]
        return max(roles, key=list(Role).index, default=None)

    def _explain_no_role(self, claims: Mapping[str, Any]) -> str:
        """Return why a user has no role, and what to do."""
        name = self._config.groups_claim
        groups = find_claim(claims, name)
        if groups is not None:
            return f"the claim {name} is {str(groups)[:200]!r}, and none of that is in [web.oidc] groups: add one."
        if find_claim(claims, f"_claim_names.{name}") is not None:
            return f"the user is in more groups than the provider sends in {name}: use app roles (docs/serve.md)."
        return (
            f"the claim {name} is missing. Add it at the provider, or set [web.oidc] groups_claim to one of "
            f"{', '.join(sorted(claims))}."
        )

    def _fetch_claims(self, code: str, attempt: OidcAttempt) -> dict[str, Any]:
        """Return what the provider says about a user: from the signed token, and what it lacks from the user page."""
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException

        metadata, _ = self._get_provider()
        wanted = (self._config.name_claim, self._config.groups_claim)
        try:
            with self._open_session(metadata) as session:
                token = session.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=attempt.verifier, timeout=TIMEOUT_SECONDS
                )
                claims = self._read_id_token(token.get("id_token"), attempt.nonce)
                is_complete = all(find_claim(claims, each) is not None for each in wanted)
                if not is_complete and "userinfo_endpoint" in metadata:
                    more = get_json(session, metadata["userinfo_endpoint"])
                    # An answer about someone else must not give this user groups.
                    if isinstance(more, dict) and more.get("sub") == claims["sub"]:
                        claims = {**more, **claims}
        except (AuthlibBaseError, RequestException, ValueError) as error:
            refused = ("invalid_client", "unauthorized_client")
            is_client = isinstance(error, AuthlibBaseError) and error.error in refused
            advice = f"; {CLIENT_ADVICE}" if is_client else ""
            raise OidcError(
                f"The provider {self._issuer} gave no usable answer: {find_root_cause(error)}{advice}"
            ) from error
        return claims

    def _read_id_token(self, text: object, nonce: str) -> dict[str, Any]:
        """Return the claims of a signed token for this client and this attempt."""
        from joserfc import jwt
        from joserfc.errors import ClaimError, JoseError

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
                    is_time = isinstance(error, ClaimError) and error.claim in ("exp", "iat", "nbf")
                    advice = f"; {CLOCK_ADVICE}" if is_time else ""
                    raise OidcError(f"The id_token of {self._issuer} cannot be believed: {error}{advice}") from error
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
                metadata = get_json(session, place, withhold_token=True)
                if metadata["issuer"] != self._issuer:
                    raise OidcError(
                        f"{place} names the issuer {metadata['issuer']!r}: write that in [web.oidc] issuer."
                    )
                keys = KeySet.import_key_set(get_json(session, metadata["jwks_uri"], withhold_token=True))
        except (RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise OidcError(
                f"The provider {self._issuer} cannot be used: {find_root_cause(error)!r}; {REACH_ADVICE}"
            ) from error
        with self._lock:
            self._provider = (now + PROVIDER_SECONDS, metadata, keys)
        return metadata, keys

    def _open_session(self, metadata: Mapping[str, Any] | None = None) -> Any:
        """Return a session with the provider. `metadata` says how it wants the secret."""
        from authlib.integrations.requests_client import OAuth2Session

        secret = self._config.client_secret
        methods = (metadata or {}).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        # A provider that lists both may allow each client one of them; the standard's default is Basic.
        is_post = "client_secret_post" in methods and "client_secret_basic" not in methods
        auth_method = ("client_secret_post" if is_post else encode_basic) if secret else "none"
        return OAuth2Session(
            self._config.client_id,
            secret.get_secret_value() if secret else None,
            token_endpoint_auth_method=auth_method,
            scope=self._config.scope,
            redirect_uri=self._redirect_address,
            code_challenge_method="S256",
        )


def encode_basic(client: Any, method: str, uri: str, headers: dict[str, str], body: str) -> tuple[str, Any, str]:
    """Return a request with the client's name and secret, form-encoded as RFC 6749, 2.3.1 asks. Authlib does not."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    return uri, {**headers, "Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, body


def find_claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim, also one within another, such as `realm_access.roles`. Return None if it is missing."""
    if name in claims:
        return claims[name]
    first, _, rest = name.partition(".")
    inner = claims.get(first)
    return find_claim(inner, rest) if rest and isinstance(inner, dict) else None


def get_json(session: Any, address: str, **options: bool) -> Any:
    """Return the JSON at an address of the provider. Raise OidcError for a refusal."""
    answer = session.get(address, timeout=TIMEOUT_SECONDS, **options)
    if not answer.ok:
        raise OidcError(
            f"{address} answered HTTP {answer.status_code}; check [web.oidc] issuer and the log of the provider"
        )
    return answer.json()


def find_root_cause(error: BaseException) -> BaseException:
    """Return the first cause of an error: only that of a failed connection says why in few words."""
    inner = error.__cause__ or error.__context__
    return find_root_cause(inner) if inner else error
