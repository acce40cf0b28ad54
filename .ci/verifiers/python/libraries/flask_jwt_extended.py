from flask import Flask
from flask_jwt_extended import JWTManager, get_jwt, jwt_required

PACKAGES = ["Flask-JWT-Extended"]
KEYS = "one PEM: no rotation"
SET = "`JWT_ALGORITHM = \"ES256\"`, `JWT_PUBLIC_KEY`, `JWT_DECODE_ISSUER`, `JWT_DECODE_AUDIENCE`, `JWT_DECODE_LEEWAY = 5`"
BY_HAND = ["typ", "exp", "iat", "kid"]
REMARK = "some refusals are a 422"


def set_up(setting):
    app = Flask(__name__)
    app.config.update(
        JWT_ALGORITHM="ES256",
        JWT_PUBLIC_KEY=setting.key_of(setting.current).pem,
        JWT_DECODE_ISSUER=setting.issuer,
        JWT_DECODE_AUDIENCE=setting.audience,
        JWT_DECODE_LEEWAY=5,
    )
    JWTManager(app)

    @app.get("/")
    @jwt_required()
    def claims():
        return get_jwt()

    def verify(token):
        answer = app.test_client().get("/", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200:
            raise PermissionError(answer.status)
        return answer.json

    return verify
