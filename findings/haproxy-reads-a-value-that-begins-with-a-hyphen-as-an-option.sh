#!/usr/bin/env bash
# Whether HAProxy takes a rule that compares with a `kid`, which is base64url and begins with a hyphen once in 64 times.
# Needs HAProxy 2.6 of Debian. Works in a temporary folder; nothing listens.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for pattern in AbcdEfgh -bcdEfgh '-- -bcdEfgh'; do
  cat >haproxy.cfg <<CFG
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend api
    bind 127.0.0.1:1
    http-request set-var(txn.kid) http_auth_bearer,jwt_header_query('\$.kid')
    http-request deny deny_status 401 unless { var(txn.kid) -m str $pattern }
CFG
  if haproxy -c -f haproxy.cfg >output.txt 2>&1; then
    echo "-m str $pattern: valid"
  else
    echo "-m str $pattern:$(grep -o " '[^']*' is not a valid ACL option" output.txt)"
  fi
done >seen.txt
cat >expected.txt <<'TXT'
-m str AbcdEfgh: valid
-m str -bcdEfgh: '-bcdEfgh' is not a valid ACL option
-m str -- -bcdEfgh: valid
TXT

echo "version: $(haproxy -v | head -n 1)"
echo "behaviour: what stands where a pattern would and begins with a hyphen is read as an option, so a configuration that is"
echo "  written for each new key fails for one key in 64, unless the pattern is behind --."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
