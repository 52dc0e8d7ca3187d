"""An OpenID Connect provider on a loopback port: discovery, keys, code with PKCE, token, user page, sign-out.

It checks what a client sends as a real provider does, and can be told to answer wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from support.server_thread import start_server_thread

CLIENT_ID, CLIENT_SECRET = "crawler", "a secret + 100 % of the provider: ü"
"""Client id, and a secret that is another one if a client does not form-encode it."""


@cache
def make_key() -> RSAKey:
    """Return the key of all providers of this process: to make one takes longer than a test."""
    return RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})


class OidcProvider:
    """The provider. `user` is who signs in next, `changes` replace claims of the token, `failure` is its error.

    `sign_outs` has the parameters of each browser that signed out here.
    """

    def __init__(self) -> None:
        self.key = make_key()
        self.user: dict[str, Any] = {"sub": "7", "preferred_username": "Aigerim", "groups": ["desk"]}
        self.changes: dict[str, Any] = {}
        self.page_of_user: dict[str, Any] = {}
        self.failure = ""
        self.signs_with: RSAKey | None = None
        self.algorithm = "RS256"
        self.secret_method = "client_secret_basic"
        self.seconds_ahead = 0
        self.redirect_addresses: list[str] = []
        self.sign_outs: list[dict[str, str]] = []
        self.is_down = False
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, dict(parse_qs(urlsplit(self.path).query)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                provider.answer(self, dict(parse_qs(body.decode())))

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/press"
        self.end_session_endpoint: object = f"{self.issuer}/logout?theme=press"

    def __enter__(self) -> OidcProvider:
        start_server_thread(self._server)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, values: dict[str, list[str]]) -> None:
        """Answer one request."""
        first = {name: each[0] for name, each in values.items()}
        path = urlsplit(handler.path).path.removeprefix("/realms/press")
        if self.is_down:
            handler.send_error(503)
            return
        match path:
            case "/.well-known/openid-configuration":
                names = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")}
                send_json(
                    handler,
                    {
                        **names,
                        "issuer": self.issuer,
                        "jwks_uri": f"{self.issuer}/keys",
                        "token_endpoint_auth_methods_supported": [self.secret_method],
                        **({"end_session_endpoint": self.end_session_endpoint} if self.end_session_endpoint else {}),
                    },
                )
            case "/keys":
                send_json(handler, KeySet([self.key]).as_dict(private=False))
            case "/authorization":
                handler.send_response(302)
                handler.send_header("location", self.authorize(first))
                handler.end_headers()
            case "/token":
                self._send_token(handler, first)
            case "/logout":
                self.sign_outs.append(first)
                handler.send_response(302)
                handler.send_header("location", first["post_logout_redirect_uri"])
                handler.end_headers()
            case "/userinfo":
                assert handler.headers["authorization"] == "Bearer access"
                send_json(handler, self.page_of_user)
            case _:
                handler.send_error(404)

    def authorize(self, request: dict[str, str]) -> str:
        """Return where a browser goes that has signed in."""
        assert request["response_type"] == "code"
        assert request["client_id"] == CLIENT_ID
        assert request["code_challenge_method"] == "S256"
        assert "openid" in request["scope"].split()
        self.redirect_addresses.append(request["redirect_uri"])
        if self.failure:
            answer = {"error": self.failure, "state": request["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = request
            answer = {"code": code, "state": request["state"], "iss": self.issuer}
        return f"{request['redirect_uri']}?{urlencode(answer)}"

    def _send_token(self, handler: BaseHTTPRequestHandler, sent: dict[str, str]) -> None:
        if self.secret_method == "client_secret_basic":
            decoded = base64.b64decode(handler.headers["authorization"].removeprefix("Basic ")).decode()
            client = [unquote_plus(part) for part in decoded.split(":", 1)]
        else:
            assert handler.headers["authorization"] is None
            client = [sent["client_id"], sent["client_secret"]]
        if client != [CLIENT_ID, CLIENT_SECRET]:
            send_json(handler, {"error": "invalid_client"}, 401)
            return
        request = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if request is None or request["code_challenge"] != challenge:
            send_json(handler, {"error": "invalid_grant"}, 400)
            return
        now = int(time.time()) + self.seconds_ahead
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": request["nonce"],
            **self.user,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "1"}
        if self.algorithm == "none":
            parts = (header, claims)
            encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
            token = ".".join([*encoded, ""])
        else:
            token = jwt.encode(header, claims, self.signs_with or self.key)
        send_json(handler, {"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": token})


def send_json(handler: BaseHTTPRequestHandler, values: object, status: int = 200) -> None:
    """Send a value as JSON."""
    body = json.dumps(values).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
