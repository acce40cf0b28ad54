from joserfc import jwt
from joserfc.jwk import KeySet

PACKAGES = ["joserfc"]
SET = "`algorithms=[\"ES256\"]`; `JWTClaimsRegistry(leeway=5, …)` with `value` of `iss` and `aud` and `essential` for all five. `decode` alone checks no claim"
BY_HAND = ["typ"]


def set_up(setting):
    keys = KeySet.import_key_set({"keys": setting.keys})
    expected = {"iss": {"value": setting.issuer}, "aud": {"value": setting.audience}, "exp": {}, "iat": {}, "sub": {}}
    options = {name: {"essential": True, **option} for name, option in expected.items()}
    registry = jwt.JWTClaimsRegistry(leeway=5, **options)

    def verify(token):
        decoded = jwt.decode(token, keys, algorithms=["ES256"])
        registry.validate(decoded.claims)
        return decoded.claims

    return verify
