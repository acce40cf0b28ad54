import jwt

PACKAGES = ["PyJWT"]
SET = "`PyJWKClient`; `algorithms=[\"ES256\"]`, `issuer`, `audience`, `options={\"require\": [\"iss\", \"aud\", \"exp\", \"iat\", \"sub\"]}`, `leeway=5`"
BY_HAND = ["typ"]


def set_up(setting):
    keys = jwt.PyJWKClient(setting.key_set)
    options = {"require": ["iss", "aud", "exp", "iat", "sub"]}
    rules = {"issuer": setting.issuer, "audience": setting.audience, "options": options, "leeway": 5}
    return lambda token: jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["ES256"], **rules)
