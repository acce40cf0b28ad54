"""Gives the tokens on standard input, JSON by name, to each library of libraries/, as its row says. ISSUER and AUDIENCE
say whose tokens are to be accepted, KID which of its keys signs. Prints a line of JSON for each library."""

import asyncio
import base64
import importlib
import importlib.metadata
import inspect
import json
import logging
import os
import pathlib
import sys
import types
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rules import broken


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def header_of(token):
    return json.loads(decoded(token.split(".")[0]))


def key_of(kid):
    """The key of that id: as JWK and as PEM."""
    jwk = next(key for key in keys if key["kid"] == kid)
    x, y = (int.from_bytes(decoded(jwk[coordinate])) for coordinate in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return types.SimpleNamespace(jwk=jwk, pem=pem)


issuer, audience = os.environ["ISSUER"], os.environ["AUDIENCE"]
key_set = f"{issuer}/.well-known/jwks.json"
with urllib.request.urlopen(key_set, timeout=10) as answer:
    keys = json.load(answer)["keys"]
setting = types.SimpleNamespace(
    issuer=issuer,
    audience=audience,
    key_set=key_set,
    keys=keys,
    key_of=key_of,
    header_of=header_of,
    current=os.environ["KID"],
)


async def refusal(verify, by_hand, token):
    """Nothing if the token is accepted, else why not."""
    try:
        claims = verify(token)
        if inspect.isawaitable(claims):
            claims = await claims
        # No library has the scopes of Latchkey: that check is the caller's with each of them.
        rule = broken([*by_hand, "scope"], header_of(token), claims, setting)
        return rule and f"by hand: {rule}"
    except Exception as error:  # whatever a token makes it raise is a refusal
        return f"{type(error).__name__}: {error}"


async def main():
    # Some of them tell of each refusal.
    logging.disable()
    tokens = json.load(sys.stdin)
    for file in sorted((pathlib.Path(__file__).parent / "libraries").glob("*.py")):
        library = importlib.import_module(f"libraries.{file.stem}")
        row = {name: getattr(library, name.upper(), None) for name in ("keys", "set", "remark")}
        by_hand = getattr(library, "BY_HAND", [])
        verify = library.set_up(setting)
        refusals = {name: await refusal(verify, by_hand, token) for name, token in tokens.items()}
        verifier = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in library.PACKAGES)
        print(json.dumps({"verifier": verifier, **row, "byHand": by_hand, "refusals": refusals}), flush=True)


asyncio.run(main())
