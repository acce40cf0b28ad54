"""What `webauthn` of PyPI says of browsers' answers: one a line on standard input, as JSON, and one verdict a line."""

import base64
import json
import sys

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier

ALGORITHMS = [COSEAlgorithmIdentifier(number) for number in (-7, -8, -257)]


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def verdict(asked):
    expected = {
        "credential": asked["credential"],
        "expected_challenge": decoded(asked["challenge"]),
        "expected_rp_id": asked["rp_id"],
        "expected_origin": asked["origin"],
        "require_user_verification": True,
    }
    if asked["kind"] == "create":
        made = verify_registration_response(**expected, supported_pub_key_algs=ALGORITHMS)
        return {"key": encoded(made.credential_public_key), "counter": made.sign_count}
    used = verify_authentication_response(
        **expected,
        credential_public_key=decoded(asked["stored"]["key"]),
        credential_current_sign_count=asked["stored"]["counter"],
    )
    return {"counter": used.new_sign_count}


for line in sys.stdin:
    try:
        answer = verdict(json.loads(line))
    except Exception as error:  # whatever a response makes it raise is a refusal
        answer = {"refused": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
