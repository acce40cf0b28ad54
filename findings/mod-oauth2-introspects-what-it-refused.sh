#!/usr/bin/env bash
# Whether mod_oauth2 asks introspection about a token with an unknown key, by whether it was given the key set or the
# metadata of RFC 8414.
# Needs Apache with mod_oauth2 3.3 of Debian, Python and curl. Works in a temporary folder, on free ports of 127.0.0.1; what
# it starts, it ends.
set -euo pipefail

folder=$(mktemp -d)
end() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  rm -rf "$folder"
}
trap end EXIT
cd "$folder"
cat >issuer.py <<'PY'
import http.server
import json


class Issuer(http.server.BaseHTTPRequestHandler):
    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        issuer = f"http://127.0.0.1:{self.server.server_port}"
        key = {
            "kty": "EC",
            "crv": "P-256",
            "kid": "known",
            "alg": "ES256",
            "use": "sig",
            # The example of RFC 7515, appendix A.3.
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
        metadata = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/keys",
            "introspection_endpoint": f"{issuer}/introspect",
            "response_types_supported": [],
        }
        self.answer({"keys": [key]} if self.path == "/keys" else metadata)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("asked", "a") as file:
            file.write("with " if "Authorization" in self.headers else "without ")
        self.answer({"active": False})

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PY
python3 issuer.py &
for _ in {1..50}; do [[ -s port ]] && break; sleep 0.1; done
token=$(python3 - "$(cat port)" <<'PY'
import base64
import json
import sys
import time


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


head = {"alg": "ES256", "typ": "at+jwt", "kid": "unknown"}
now = int(time.time())
claims = {"iss": f"http://127.0.0.1:{sys.argv[1]}", "sub": "ada", "iat": now, "exp": now + 600}
print(".".join([encoded(json.dumps(head).encode()), encoded(json.dumps(claims).encode()), encoded(bytes(64))]))
PY
)

modules=/usr/lib/apache2/modules
mkdir site
# behind WORD PATH: three requests; what introspection was asked.
behind() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >apache.conf <<CONF
ServerName 127.0.0.1
Listen 127.0.0.1:$port
DefaultRuntimeDir $folder
PidFile $folder/apache.pid
ErrorLog $folder/errors
Mutex file:$folder default
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule oauth2_module $modules/mod_oauth2.so
User www-data
Group www-data
DocumentRoot $folder/site
<Location />
  AuthType oauth2
  OAuth2TokenVerify $1 http://127.0.0.1:$(cat port)/$2
  Require valid-user
</Location>
CONF
  : >asked
  apache2 -X -f "$folder/apache.conf" >apache.txt 2>&1 &
  local process=$!
  for _ in {1..50}; do curl --silent --output answer.txt "http://127.0.0.1:$port/" && break; sleep 0.1; done
  for _ in 1 2 3; do
    curl --silent --output answer.txt --write-out '%{http_code} ' --header "Authorization: Bearer $token" \
      "http://127.0.0.1:$port/"
  done >statuses.txt
  kill "$process"
  wait "$process" || true
  echo "$1: $(cat statuses.txt)asked $(wc -w <asked | tr -d ' ') times $(tr ' ' '\n' <asked | sort -u | tr -d '\n')"
}
chmod 755 "$folder" site
{ behind jwks_uri keys; behind metadata .well-known/oauth-authorization-server; } >seen.txt
cat >expected.txt <<'TXT'
jwks_uri: 401 401 401 asked 0 times 
metadata: 401 401 401 asked 3 times without
TXT

echo "version: mod_oauth2 $(dpkg-query --show --showformat '${Version}' libapache2-mod-oauth2), Apache" \
  "$(dpkg-query --show --showformat '${Version}' apache2)"
echo "behaviour: with metadata, a token that fails the check by the key set is sent to the introspection endpoint, without a"
echo "  credential unless one is set."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
