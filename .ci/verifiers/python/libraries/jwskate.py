from jwskate import JwkSet, SignedJwt

PACKAGES = ["jwskate"]
SET = "`SignedJwt(token).verify_signature(keys, alg=\"ES256\")` with the key of that `kid`, then `validate` of `issuer` and `audience`"
BY_HAND = ["typ", "iat", "sub"]


def set_up(setting):
    keys = JwkSet(keys=setting.keys)

    def verify(token):
        signed = SignedJwt(token)
        key = keys.get_jwk_by_kid(signed.kid)
        signed.validate(key=key, alg="ES256", issuer=setting.issuer, audience=setting.audience)
        return signed.claims

    return verify
