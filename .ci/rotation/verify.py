"""Verifies the tokens on standard input, one a line, with the library that the first argument names, as its
documentation shows it and without a setting of when it fetches the keys. Further arguments: issuer, audience. Prints
the id of the key, or "refused" and why, for each."""

import asyncio
import json
import sys
import urllib.request

import joserfc.jwt
import jwt
import pyjwt_key_fetcher
from joserfc.jwk import KeySet

library, issuer, audience = sys.argv[1:]
jwks_uri = f"{issuer}/.well-known/jwks.json"


def pyjwt():
    """Fetches the set again for a key that it does not know, but not twice within half a minute."""
    keys = jwt.PyJWKClient(jwks_uri)

    async def verify(token):
        key = keys.get_signing_key_from_jwt(token)
        jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience)

    return verify


def key_fetcher():
    """Finds the set by `openid-configuration`, and fetches it at most once in five minutes."""
    fetcher = pyjwt_key_fetcher.AsyncKeyFetcher(valid_issuers=[issuer])

    async def verify(token):
        entry = await fetcher.get_key(token)
        jwt.decode(token, key=entry["key"], algorithms=["ES256"], issuer=issuer, audience=audience)

    return verify


def joserfc_once():
    """joserfc fetches nothing: whoever uses it does, here once and for all."""
    with urllib.request.urlopen(jwks_uri, timeout=10) as answer:
        keys = KeySet.import_key_set(json.load(answer))
    claims = joserfc.jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}
    )

    async def verify(token):
        claims.validate(joserfc.jwt.decode(token, keys, algorithms=["ES256"]).claims)

    return verify


async def main():
    verify = {"PyJWT": pyjwt, "pyjwt-key-fetcher": key_fetcher, "joserfc": joserfc_once}[library]()
    # In a thread: aiocache, by which pyjwt-key-fetcher remembers the set, forgets by a timer of this loop.
    while line := await asyncio.to_thread(sys.stdin.readline):
        token = line.strip()
        try:
            await verify(token)
            print(jwt.get_unverified_header(token)["kid"], flush=True)
        except Exception as error:
            print(f"refused: {type(error).__name__} {error}".splitlines()[0], flush=True)


asyncio.run(main())
