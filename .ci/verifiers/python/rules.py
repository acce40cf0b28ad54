"""What the caller of a library checks, where the library does not. 5 seconds are what Latchkey's own clocks may differ."""

import time


def is_time(value):
    return isinstance(value, int) and not isinstance(value, bool)


RULES = {
    "typ": lambda header, claims, expected: header.get("typ") == "at+jwt",
    "kid": lambda header, claims, expected: header.get("kid") in {key["kid"] for key in expected.keys},
    "iss": lambda header, claims, expected: claims.get("iss") == expected.issuer,
    "aud": lambda header, claims, expected: claims.get("aud") == expected.audience,
    "exp": lambda header, claims, expected: is_time(claims.get("exp")) and claims["exp"] > time.time() - 5,
    "iat": lambda header, claims, expected: is_time(claims.get("iat")) and claims["iat"] <= time.time() + 5,
    "sub": lambda header, claims, expected: isinstance(claims.get("sub"), str) and claims["sub"] != "",
    "scope": lambda header, claims, expected: claims.get("scope") == "project_user",
}


def broken(names, header, claims, expected):
    """The first rule among these that a verified token does not keep."""
    return next((name for name in names if not RULES[name](header, claims, expected)), None)
