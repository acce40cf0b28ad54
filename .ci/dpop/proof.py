"""Makes DPoP proofs with requests-oauth2client, one for each line of JSON on standard input: method, url, token, nonce.
Prints the thumbprint of the key and the proof."""

import json
import sys

import requests
from jwskate import Jwk
from requests_oauth2client import DPoPKey, DPoPToken

key = DPoPKey(private_key=Jwk.generate(alg="ES256"))
for line in sys.stdin:
    asked = json.loads(line)
    key.rs_nonce = asked["nonce"]
    token = DPoPToken(asked["token"], _dpop_key=key)
    # As it signs any request that is sent with it.
    request = token(requests.Request(asked["method"], asked["url"]).prepare())
    print(json.dumps({"thumbprint": key.dpop_jkt, "proof": request.headers["DPoP"]}), flush=True)
