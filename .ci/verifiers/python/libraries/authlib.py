from authlib.jose import JsonWebKey, JsonWebToken

PACKAGES = ["Authlib"]
SET = "`JsonWebToken([\"ES256\"])`, `claims_options` with `value` of `iss` and `aud` and `essential` for all five, `validate(leeway=5)`"
BY_HAND = ["typ"]


def set_up(setting):
    keys = JsonWebKey.import_key_set({"keys": setting.keys})
    expected = {"iss": {"value": setting.issuer}, "aud": {"value": setting.audience}, "exp": {}, "iat": {}, "sub": {}}
    options = {name: {"essential": True, **option} for name, option in expected.items()}

    def verify(token):
        claims = JsonWebToken(["ES256"]).decode(token, keys, claims_options=options)
        claims.validate(leeway=5)
        return claims

    return verify
