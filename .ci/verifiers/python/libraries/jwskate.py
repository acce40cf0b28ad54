from jwskate import JwkSet, SignedJwt

PACKAGES = ["jwskate"]
SET = "`SignedJwt(token).validate(key=…, alg=\"ES256\", issuer=…, audience=…)` with the key of that `kid`"
BY_HAND = ["typ", "iat", "sub"]


def set_up(setting):
    keys = JwkSet(keys=setting.keys)

    def verify(token):
        signed = SignedJwt(token)
        key = keys.get_jwk_by_kid(signed.kid)
        signed.validate(key=key, alg="ES256", issuer=setting.issuer, audience=setting.audience)
        return signed.claims

    return verify
