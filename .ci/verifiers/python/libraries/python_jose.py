from jose import jwt

PACKAGES = ["python-jose"]
KEYS = "JWK by `kid`"
SET = "`algorithms=[\"ES256\"]`, `issuer`, `audience`, `options` with `require_iss`, `require_aud`, `require_exp`, `require_iat`, `require_sub` and `leeway` 5. Given the whole set it tries each key: choose by `kid`"
BY_HAND = ["typ", "iat"]


def set_up(setting):
    required = {f"require_{name}": True for name in ("iss", "aud", "exp", "iat", "sub")}
    rules = {"issuer": setting.issuer, "audience": setting.audience, "options": {**required, "leeway": 5}}

    def verify(token):
        key = setting.key_of(setting.header_of(token)["kid"]).jwk
        return jwt.decode(token, key, algorithms=["ES256"], **rules)

    return verify
