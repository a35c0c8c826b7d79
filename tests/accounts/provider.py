"""A small identity provider on loopback: discovery, keys, code flow with PKCE, real signatures."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, abort, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

from roadchief.lib import clock

CLIENT, SECRET = "roadchief-here", "a secret between us two"


@dataclass
class Provider:
    """`claims` are put over the right ones; None takes a claim away."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing: RSAKey | None = None
    algorithm: str = "RS256"
    issuer: str | None = None
    silent: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(clock.now().timestamp())
        right = {
            "iss": self.issuer or self.address,
            "sub": "subject-of-somebody",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked.get("nonce"),
        }
        claims = {k: v for k, v in (right | self.claims).items() if v is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, claims, self.signing or self.key, algorithms=[self.algorithm])


def application(provider: Provider) -> Flask:
    app = Flask("provider")

    @app.before_request
    def _silence() -> None:
        if provider.silent:
            abort(503)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        return jsonify(
            issuer=provider.issuer or provider.address,
            authorization_endpoint=f"{provider.address}/authorize",
            token_endpoint=f"{provider.address}/token",
            jwks_uri=f"{provider.address}/keys",
            id_token_signing_alg_values_supported=["RS256", "none", "HS256"],
            response_types_supported=["code"],
            subject_types_supported=["public"],
        )

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(KeySet([provider.key]).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        asked = request.args.to_dict()
        provider.asked.append(asked)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        return redirect(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    @app.post("/token")
    def token() -> Any:
        code = request.form["code"]
        asked = provider.codes.pop(code, None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or request.headers.get("Authorization") != f"Basic {basic}":
            return jsonify(error="invalid_grant"), 400
        digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            proof != asked["code_challenge"]
            or request.form["redirect_uri"] != asked["redirect_uri"]
        ):
            return jsonify(error="invalid_grant"), 400
        return jsonify(
            access_token="unused",
            token_type="Bearer",
            expires_in=300,
            id_token=provider.id_token(asked),
        )

    return app


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    web = make_server("127.0.0.1", 0, application(provider), threaded=True)
    provider.address = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        web.shutdown()
        thread.join()
        web.server_close()
