#!/usr/bin/env python3
"""The digest under which the log lines name a person.

    digest.py TENANT_ID KIND ID

KIND is one of: end_user (ID is the id that the tenant gave), user and organization (ID is the UUID that Latchkey gave),
registered_tenant (ID is the `sub` of its tokens, such as `key:7`). The deployment's trace key is asked for, or taken
from the environment variable TRACE_KEY, so that it ends up in no shell history.
"""

import getpass
import hashlib
import hmac
import os
import sys

KINDS = ("end_user", "user", "organization", "registered_tenant")


def main():
    if len(sys.argv) != 4 or sys.argv[2] not in KINDS:
        sys.exit(__doc__.strip())
    tenant, kind, person = sys.argv[1:]
    if kind in ("user", "organization"):
        # A UUID has one digest, however it is written.
        person = person.lower()
    key = (os.environ.get("TRACE_KEY") or getpass.getpass("trace key: ")).strip()
    mac = hmac.new(key.encode(), f"{tenant}\n{kind}\n{person}".encode(), hashlib.sha256)
    print(mac.hexdigest()[:32])


if __name__ == "__main__":
    main()
