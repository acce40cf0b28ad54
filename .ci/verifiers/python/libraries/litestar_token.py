from litestar.security.jwt import Token

PACKAGES = ["litestar"]
KEYS = "one PEM: no rotation"
SET = "`Token.decode` with `algorithm=\"ES256\"`, `issuer`, `audience`, `require_claims`"
BY_HAND = ["typ", "kid"]


def set_up(setting):
    rules = {"issuer": setting.issuer, "audience": setting.audience, "require_claims": ["iss", "aud", "exp", "iat"]}
    pem = setting.key_of(setting.current).pem

    def verify(token):
        decoded = Token.decode(token, secret=pem, algorithm="ES256", **rules)
        return {"sub": decoded.sub, **decoded.extras}

    return verify
