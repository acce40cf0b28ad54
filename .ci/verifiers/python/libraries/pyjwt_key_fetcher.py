import jwt
from pyjwt_key_fetcher import AsyncKeyFetcher

PACKAGES = ["pyjwt-key-fetcher"]
SET = "`config_path=\"/.well-known/oauth-authorization-server\"`, `valid_issuers`; then PyJWT as above"
BY_HAND = ["typ"]


def set_up(setting):
    fetcher = None
    options = {"require": ["iss", "aud", "exp", "iat", "sub"]}
    rules = {"issuer": setting.issuer, "audience": setting.audience, "options": options, "leeway": 5}

    async def verify(token):
        nonlocal fetcher
        path = "/.well-known/oauth-authorization-server"
        fetcher = fetcher or AsyncKeyFetcher(valid_issuers=[setting.issuer], config_path=path)
        key = await fetcher.get_key(token)
        return jwt.decode(token, **{**key, "algorithms": ["ES256"]}, **rules)

    return verify
