"""An OpenID Connect provider on a loopback port: discovery, keys, authorization code with PKCE, token, user page.

It checks what a client sends as a real provider does, and can be told to answer wrongly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "crawler", "a secret of the provider"


@cache
def make_key() -> RSAKey:
    """Return the key of all providers of this process: to make one takes longer than a test."""
    return RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})


class OidcProvider:
    """The provider. `user` is who signs in next, `changes` replace claims of the token, `failure` is its error."""

    def __init__(self) -> None:
        self.key = make_key()
        self.user: dict[str, Any] = {"sub": "7", "preferred_username": "Aigerim", "groups": ["desk"]}
        self.changes: dict[str, Any] = {}
        self.page_of_user: dict[str, Any] = {}
        self.failure = ""
        self.signs_with: RSAKey | None = None
        self.algorithm = "RS256"
        self.redirect_addresses: list[str] = []
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

    def __enter__(self) -> OidcProvider:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, values: dict[str, list[str]]) -> None:
        """Answer one request."""
        first = {name: each[0] for name, each in values.items()}
        path = urlsplit(handler.path).path.removeprefix("/realms/press")
        match path:
            case "/.well-known/openid-configuration":
                names = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token", "userinfo")}
                send_json(handler, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **names})
            case "/keys":
                send_json(handler, KeySet([self.key]).as_dict(private=False))
            case "/authorization":
                handler.send_response(302)
                handler.send_header("location", self.authorize(first))
                handler.end_headers()
            case "/token":
                self._send_token(handler, first)
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
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".replace(" ", "+").encode()).decode()
        plain = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        request = self._codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        is_client = handler.headers["authorization"] in (f"Basic {basic}", f"Basic {plain}")
        if request is None or not is_client or request["code_challenge"] != challenge:
            send_json(handler, {"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
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
