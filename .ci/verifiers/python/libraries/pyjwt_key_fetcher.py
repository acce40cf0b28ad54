import jwt
from pyjwt_key_fetcher import AsyncKeyFetcher

PACKAGES = ["pyjwt-key-fetcher"]
SET = "`valid_issuers`; then PyJWT as above"
BY_HAND = ["typ"]


def set_up(setting):
    fetcher = None
    options = {"require": ["iss", "aud", "exp", "iat", "sub"]}
    rules = {"issuer": setting.issuer, "audience": setting.audience, "options": options, "leeway": 5}

    async def verify(token):
        nonlocal fetcher
        fetcher = fetcher or AsyncKeyFetcher(valid_issuers=[setting.issuer])
        key = await fetcher.get_key(token)
        return jwt.decode(token, **{**key, "algorithms": ["ES256"]}, **rules)

    return verify
