from cryptojwt import JWT, KeyJar

PACKAGES = ["cryptojwt"]
SET = "`JWT(key_jar, allowed_sign_algs=[\"ES256\"], skew=5)` with the keys of the issuer in the key jar"
BY_HAND = ["typ", "aud", "exp", "iat", "sub"]


def set_up(setting):
    jar = KeyJar()
    jar.import_jwks({"keys": setting.keys}, setting.issuer)
    return lambda token: JWT(jar, allowed_sign_algs=["ES256"], skew=5).unpack(token)
