"""Mints a token by client credentials: FastAPI with one client, and a token that joserfc signs (ES256)."""

import base64
import hmac
import secrets
import socket
import time
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form, Header, HTTPException
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENTS = {"bench": "bench-secret"}
KEY = ECKey.generate_key("P-256", {"kid": "bench"})
app = FastAPI()


@app.post("/token")
def token(grant_type: Annotated[str, Form()], authorization: Annotated[str, Header()]):
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    if grant_type != "client_credentials" or not hmac.compare_digest(CLIENTS.get(name, ""), secret):
        raise HTTPException(401)
    now = int(time.time())
    claims = {"iss": "http://127.0.0.1", "aud": "https://api.example.com", "sub": name, "client_id": name}
    claims |= {"iat": now, "exp": now + 3600, "jti": secrets.token_urlsafe(16), "scope": "api"}
    signed = jwt.encode({"alg": "ES256", "kid": "bench", "typ": "at+jwt"}, claims, KEY)
    return {"access_token": signed, "token_type": "Bearer", "expires_in": 3600}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"port {listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
