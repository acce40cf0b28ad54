from fastmcp.server.auth.providers.jwt import JWTVerifier

PACKAGES = ["fastmcp"]
SET = "`algorithm=\"ES256\"` (the default is RS256), `jwks_uri`, `issuer`, `audience`"
BY_HAND = ["typ", "exp", "iat", "sub"]


def set_up(setting):
    rules = {"issuer": setting.issuer, "audience": setting.audience, "algorithm": "ES256"}
    verifier = JWTVerifier(jwks_uri=setting.key_set, **rules)

    async def verify(token):
        verified = await verifier.verify_token(token)
        if verified is None:
            raise PermissionError("refused")
        return verified.claims

    return verify
