#!/usr/bin/env python3
"""Follows a leaked API key or token through the log lines of the functions.

    follow.py < lines.jsonl

The credential is asked for, or taken from the environment variable LEAKED, so that it ends up in no shell history. The
lines are the log lines as they were written, one JSON object a line; everything else is passed over. Nothing is sent
anywhere. Answers JSON: whose the credential is, what was minted with a key and for whom, and each call that was made
with the credential or with what it minted. People are digests: digest.py says which is a certain person's.
"""

import base64
import getpass
import json
import os
import sys
from operator import itemgetter

MINTING = {"user-token", "auth-token", "register-tenant"}


def of_key(text):
    """Key id and tenant id that a key's text names: 8 bytes and 16, at the beginning of its base32."""
    digits = text.rsplit("_", 1)[1].upper()
    data = base64.b32decode(digits + "=" * (-len(digits) % 8))
    return {"key_id": f"key_{data[:8].hex()}", "tenant_id": f"tnt_{data[8:24].hex()}"}


def of_token(text):
    """What a token says of itself. The signature is not asked: this is for reading logs, not for letting in."""
    part = text.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return {name: claims[name] for name in ("jti", "key_id", "tenant_id", "scope")}


def read(stream):
    for text in stream:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "operation" in line and "request_id" in line:
            yield line


def shown(line):
    names = ("operation", "resource", "status", "cause", "source_ip", "secret", "scope", "jti", "subject", "end_user")
    return {"at": line["timestamp"], **{name: line.get(name) for name in (*names, "view", "request_id")}}


def people(lines):
    """Whom these lines are about, each once."""
    return sorted({line[name] for line in lines for name in ("subject", "end_user") if line.get(name)})


def main():
    leaked = (os.environ.get("LEAKED") or getpass.getpass("leaked key or token: ")).strip()
    is_token = leaked.count(".") == 2
    try:
        credential = of_token(leaked) if is_token else of_key(leaked)
    except (ValueError, KeyError, IndexError):
        sys.exit("this is neither an API key nor a token of Latchkey")
    lines = list(read(sys.stdin))
    name = "jti" if is_token else "key_id"
    concerned = sorted((line for line in lines if line.get(name) == credential[name]), key=itemgetter("timestamp"))
    minted = [line for line in concerned if line["operation"] in MINTING and line["status"] == 200]
    calls = [line for line in concerned if line not in minted]
    json.dump(
        {
            **credential,
            "minted": [shown(line) for line in minted],
            "minted_for": people(minted),
            "calls": [shown(line) for line in calls],
            "called_about": people(calls),
            "addresses": sorted({line["source_ip"] for line in concerned if line["source_ip"]}),
        },
        sys.stdout,
        indent=2,
    )
    print()


if __name__ == "__main__":
    main()
