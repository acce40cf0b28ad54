from django.conf import settings

PACKAGES = ["djangorestframework-simplejwt", "Django"]
SET = "`ALGORITHM: \"ES256\"`, `JWK_URL`, `ISSUER`, `AUDIENCE`, `LEEWAY: 5`, `TOKEN_TYPE_CLAIM: None` (without it each token is refused), `USER_ID_CLAIM: \"sub\"`, and `JWTStatelessUserAuthentication`"
BY_HAND = ["typ", "iat"]


def set_up(setting):
    settings.configure(
        SECRET_KEY="that of Django itself",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        SIMPLE_JWT={
            "ALGORITHM": "ES256",
            "JWK_URL": setting.key_set,
            "ISSUER": setting.issuer,
            "AUDIENCE": setting.audience,
            "LEEWAY": 5,
            "TOKEN_TYPE_CLAIM": None,
            "USER_ID_CLAIM": "sub",
        },
    )
    import django

    django.setup()
    from rest_framework.test import APIRequestFactory
    from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication

    def verify(token):
        request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")
        _, validated = JWTStatelessUserAuthentication().authenticate(request)
        return validated.payload

    return verify
