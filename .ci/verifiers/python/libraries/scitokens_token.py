from scitokens import SciToken

PACKAGES = ["scitokens"]
KEYS = "key set, found by `openid-configuration` of any issuer that a token names"
SET = "`SciToken.deserialize(token, audience)`, over HTTPS only"
BY_HAND = ["typ", "iss", "aud", "exp", "iat", "sub"]


def set_up(setting):
    def verify(token):
        # Here the issuer is on this machine, without TLS.
        decoded = SciToken.deserialize(token, audience=setting.audience, insecure=True)
        return dict(decoded.claims())

    return verify
