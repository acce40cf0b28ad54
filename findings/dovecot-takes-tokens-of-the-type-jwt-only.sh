#!/usr/bin/env bash
# What Dovecot's local validation says of an access token of RFC 9068, and of the same with another type.
# Needs Dovecot 2.3 of Debian and Python with `cryptography`, which it installs. Works in a temporary folder; it listens on
# no address, and what it starts, it ends.
set -euo pipefail

cryptography=50.0.2
folder=$(mktemp -d)
end() {
  if [[ -e $folder/run/master.pid ]]; then
    kill "$(cat "$folder/run/master.pid")" || true
    sleep 0.5
  fi
  rm -rf "$folder"
}
trap end EXIT
cd "$folder"
chmod 755 .
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check "cryptography==$cryptography" >pip.txt 2>&1 ||
  { cat pip.txt >&2; exit 1; }
cat >tokens.py <<'PY'
import base64
import json
import pathlib
import time

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


key = ec.generate_private_key(ec.SECP256R1())
place = pathlib.Path("keys/default/ES256")
place.mkdir(parents=True)
public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
(place / "1").write_bytes(public)
now = int(time.time())
for kind in ("JWT", "at+jwt"):
    head = encoded(json.dumps({"alg": "ES256", "typ": kind, "kid": "1"}).encode())
    claims = encoded(json.dumps({"iss": "https://example.com", "sub": "ada", "iat": now, "exp": now + 600}).encode())
    text = f"{head}.{claims}"
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    print(kind, f"{text}.{encoded(r.to_bytes(32) + s.to_bytes(32))}")
PY
python/bin/python tokens.py >tokens.txt
chmod -R a+rX keys
cat >oauth2.conf <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$folder/keys/
username_attribute = sub
CONF
cat >dovecot.conf <<CONF
base_dir = $folder/run
state_dir = $folder/run
log_path = $folder/log
auth_debug = yes
protocols =
auth_mechanisms = plain
passdb {
  driver = oauth2
  args = $folder/oauth2.conf
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
CONF
mkdir run
dovecot -F -c "$folder/dovecot.conf" >dovecot.txt 2>&1 &
for _ in {1..50}; do [[ -S run/auth-client ]] && break; sleep 0.1; done
while read -r kind token; do
  : >log
  if doveadm -c "$folder/dovecot.conf" auth test ada "$token" >answer.txt 2>&1; then
    echo "$kind: authenticated"
  else
    echo "$kind: $(grep -o 'Local validation failed: .*' log | head -n 1)"
  fi
done <tokens.txt >seen.txt
cat >expected.txt <<'TXT'
JWT: authenticated
at+jwt: Local validation failed: Cannot find 'typ' field
TXT

echo "version: Dovecot $(dpkg-query --show --showformat '${Version}' dovecot-core), cryptography $cryptography of PyPI"
echo "behaviour: local validation takes a token only if its typ is JWT, and says of another that there is none."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
