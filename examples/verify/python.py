"""WSGI middleware that checks a user's token. How to run it: README.md."""

import json
import os
import re
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from wsgiref.simple_server import make_server

import jwt


class Latchkey:
    """Lets a request with a valid token through to a WSGI application, with its claims as environ["latchkey.user"].

    With introspect_with, an API key of the tenant, a revoked token is refused at once; without it, when it expires.
    """

    def __init__(self, application, url, tenant_id, introspect_with=None):
        self.application, self.url = application, url
        self.tenant_id, self.introspect_with = tenant_id, introspect_with
        self.issuer = f"{url}/t/{tenant_id}"
        # A token with an unknown key makes it fetch the keys again, every 5 seconds at most: that is how soon it sees a
        # rotation.
        keys = f"{self.issuer}/.well-known/jwks.json"
        self.keys = jwt.PyJWKClient(keys, lifespan=300, timeout=3, cooldown_duration=5)

    def is_active(self, token):
        headers = {"Authorization": f"Bearer {self.introspect_with}"}
        body = urlencode({"token": token}).encode()
        with urlopen(Request(f"{self.url}/api/v1/auth/introspect", body, headers), timeout=3) as answer:
            return json.load(answer).get("active") is True

    def verify(self, token):
        verified = jwt.decode_complete(
            token,
            self.keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            issuer=self.issuer,
            audience=self.tenant_id,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
            leeway=5,
        )
        header, claims = verified["header"], verified["payload"]
        # What PyJWT leaves to its caller. A token's header has three members, so none that points to another key.
        if header.keys() != {"alg", "kid", "typ"} or header["typ"] != "at+jwt":
            raise jwt.InvalidTokenError("another type or header")
        if claims.get("scope") != "project_user" or claims["aud"] != self.tenant_id or claims["sub"] == "":
            raise jwt.InvalidTokenError("not a user's")
        times = (claims["iat"], claims["exp"])
        if not all(type(time) is int for time in times) or not 0 < times[1] - times[0] <= 86_400:
            raise jwt.InvalidTokenError("valid for too long")
        if self.introspect_with and not self.is_active(token):
            raise jwt.InvalidTokenError("revoked")
        return claims

    def __call__(self, environ, start_response):
        token = re.fullmatch(r"(?i:bearer) +([\w.-]+)", environ.get("HTTP_AUTHORIZATION", ""), re.ASCII)
        try:
            environ["latchkey.user"] = self.verify(token[1] if token else "")
        except (jwt.PyJWKClientConnectionError, OSError, ValueError):  # Latchkey could not be asked
            start_response("503 Service Unavailable", [("Retry-After", "1"), ("Content-Length", "0")])
            return [b""]
        except jwt.PyJWTError:
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
            return [b""]
        return self.application(environ, start_response)


def whoami(environ, start_response):
    """An application behind the middleware: it answers with the user's id."""
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [environ["latchkey.user"]["sub"].encode()]


if __name__ == "__main__":
    url, tenant_id = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_TENANT_ID"]
    guarded = Latchkey(whoami, url, tenant_id, os.environ.get("LATCHKEY_API_KEY"))
    with make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), guarded) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
