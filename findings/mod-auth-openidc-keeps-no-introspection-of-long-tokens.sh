#!/usr/bin/env bash
# How often mod_auth_openidc asks about a token that it has asked about, by the length of the token, without and with
# OIDCCacheEncrypt.
# Needs Apache with mod_auth_openidc 2.4 of Debian, Python, OpenSSL and curl. Works in a temporary folder, on free ports of
# 127.0.0.1; what it starts, it ends.
set -euo pipefail

folder=$(mktemp -d)
end() {
  # shellcheck disable=SC2046
  kill $(jobs -p) 2>/dev/null || true
  rm -rf "$folder"
}
trap end EXIT
cd "$folder"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
  -keyout key.pem -out certificate.pem 2>openssl.txt || { cat openssl.txt >&2; exit 1; }
# Says of each token that it is active, and counts.
cat >introspection.py <<'PY'
import http.server
import json
import ssl
import time


class Introspection(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with open("asked", "a") as file:
            file.write("x")
        body = json.dumps({"active": True, "sub": "ada", "exp": int(time.time()) + 600}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Introspection)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PY
python3 introspection.py &
for _ in {1..50}; do [[ -s port ]] && break; sleep 0.1; done

modules=/usr/lib/apache2/modules
mkdir site
echo ok >site/index
# behind SETTINGS LENGTH: three requests with one token; how often introspection was asked.
behind() {
  local port token
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  token=$(printf 'a%.0s' $(seq "$2"))
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
LoadModule auth_openidc_module $modules/mod_auth_openidc.so
User www-data
Group www-data
DocumentRoot $folder/site
OIDCOAuthIntrospectionEndpoint https://127.0.0.1:$(cat port)/
OIDCOAuthSSLValidateServer Off
OIDCOAuthClientID id
OIDCOAuthClientSecret secret
OIDCOAuthRemoteUserClaim sub
OIDCCacheEncrypt $1
OIDCCryptoPassphrase passphrase
<Location />
  AuthType oauth20
  Require valid-user
</Location>
CONF
  : >asked
  apache2 -X -f "$folder/apache.conf" >apache.txt 2>&1 &
  local process=$!
  for _ in {1..50}; do curl --silent --output answer.txt "http://127.0.0.1:$port/" && break; sleep 0.1; done
  for _ in 1 2 3; do
    curl --silent --output answer.txt --write-out '%{http_code} ' --header "Authorization: Bearer $token" \
      "http://127.0.0.1:$port/index"
  done >statuses.txt
  kill "$process"
  wait "$process" || true
  echo "OIDCCacheEncrypt $1, $2 characters: $(cat statuses.txt)asked $(wc -c <asked | tr -d ' ') times"
}
chmod 755 "$folder" site
{ behind Off 509; behind Off 510; behind On 510; } >seen.txt
cat >expected.txt <<'TXT'
OIDCCacheEncrypt Off, 509 characters: 200 200 200 asked 1 times
OIDCCacheEncrypt Off, 510 characters: 200 200 200 asked 3 times
OIDCCacheEncrypt On, 510 characters: 200 200 200 asked 1 times
TXT

echo "version: mod_auth_openidc $(dpkg-query --show --showformat '${Version}' libapache2-mod-auth-openidc), Apache" \
  "$(dpkg-query --show --showformat '${Version}' apache2)"
echo "behaviour: the token is the key of the cache, and one of 510 characters is too long for that. It is asked about at each"
echo "  request. With OIDCCacheEncrypt the key is a digest."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
