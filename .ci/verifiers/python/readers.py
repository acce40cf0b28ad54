"""What readers of OAuth metadata make of that of Latchkey. ISSUER says whose. Prints a line of JSON for each."""

import importlib.metadata
import json
import os
import urllib.request

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from mcp.shared.auth import OAuthMetadata

address = f"{os.environ['ISSUER']}/.well-known/oauth-authorization-server"
with urllib.request.urlopen(address, timeout=10) as answer:
    metadata = json.load(answer)

READERS = [
    (
        "mcp",
        "OAuthMetadata",
        {
            "finds": "**nothing**: it requires `authorization_endpoint` and `token_endpoint`",
            "because": r"authorization_endpoint[^]*token_endpoint",
        },
        lambda: OAuthMetadata.model_validate(metadata),
    ),
    (
        "Authlib",
        "AuthorizationServerMetadata",
        {"finds": "**nothing**: it requires `token_endpoint`", "because": '"token_endpoint" is required'},
        lambda: AuthorizationServerMetadata(metadata).validate(),
    ),
]

for package, name, row, read in READERS:
    try:
        read()
        refusal = None
    except ValueError as error:
        refusal = str(error)
    verifier = f"{package} {importlib.metadata.version(package)} for Python, `{name}`"
    print(json.dumps({"verifier": verifier, **row, "cannot": True, "refusal": refusal}))
