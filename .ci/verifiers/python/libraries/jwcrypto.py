import json

from jwcrypto import jwk, jwt

PACKAGES = ["jwcrypto"]
SET = "`algs=[\"ES256\"]`, `check_claims={\"iss\": …, \"aud\": …, \"exp\": None, \"iat\": None, \"sub\": None}`, `leeway = 5`"
BY_HAND = ["typ", "iat"]


def set_up(setting):
    keys = jwk.JWKSet.from_json(json.dumps({"keys": setting.keys}))
    expected = {"iss": setting.issuer, "aud": setting.audience, "exp": None, "iat": None, "sub": None}

    def verify(token):
        verified = jwt.JWT(algs=["ES256"], check_claims=expected, expected_type="JWS")
        verified.leeway = 5
        verified.deserialize(token, keys)
        return json.loads(verified.claims)

    return verify
