"""Verifies the tokens on standard input, one a line, with PyJWT. Arguments: issuer, audience. Prints the id of the key
and the claims, as JSON, or "refused" for each."""

import json
import sys

import jwt

issuer, audience = sys.argv[1:]
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")
for token in sys.stdin.read().splitlines():
    try:
        verified = jwt.decode_complete(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            issuer=issuer,
            audience=audience,
            options={"require": ["iss", "aud", "exp", "iat", "sub", "jti"]},
        )
        # PyJWT leaves the type to its caller.
        is_ours = verified["header"].get("typ") == "at+jwt"
        print(json.dumps([verified["header"]["kid"], verified["payload"]]) if is_ours else "refused")
    except jwt.PyJWKClientConnectionError:
        raise
    except jwt.PyJWTError:
        print("refused")
