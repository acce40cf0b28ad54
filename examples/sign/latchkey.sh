#!/usr/bin/env bash
# A signed call, with curl and OpenSSL. How to run it: README.md.
set -euo pipefail

# latchkey METHOD PATH?QUERY [FILE]: a signed call; the file holds its body.
latchkey() {
  local method=$1 target=$2 file=${3:-/dev/null} timestamp nonce digest signature answer
  timestamp=$(date +%s)000
  nonce=$(openssl rand -hex 16)
  digest=$(openssl dgst -sha256 -r <"$file" | cut -d ' ' -f 1)
  # Not `openssl dgst -hmac` or `openssl mac`: they take the key as an argument only, and arguments are what `ps` shows.
  # HKDF-Extract(salt, key) is HMAC(salt, key), and `pkeyutl` takes the salt from the environment. So the secret is the
  # salt, and what is signed is the key.
  signature=$(openssl pkeyutl -kdf HKDF -kdflen 32 -pkeyopt md:SHA256 -pkeyopt mode:EXTRACT_ONLY \
    -pkeyopt_passin salt:env:LATCHKEY_TENANT_SECRET -pkeyopt "key:$timestamp.$method.$target.$nonce.$digest" |
    od -An -v -tx1 | tr -d ' \n')
  # The headers come from standard input, so that the signature is no argument either.
  answer=$(curl -sS --max-time 10 --globoff --path-as-is --request "$method" ${3:+--data-binary "@$file"} --header @- \
    --write-out '\n%{http_code}' "$LATCHKEY_URL$target" <<END
Content-Type: application/json
X-Latchkey-Tenant-Id: $LATCHKEY_TENANT_ID
X-Latchkey-Timestamp: $timestamp
X-Latchkey-Nonce: $nonce
X-Latchkey-Signature: v2=$signature
END
  )
  printf '%s\n' "${answer%$'\n'*}"
  [[ ${answer##*$'\n'} == 2?? ]]
}

latchkey "${1:-GET}" "${2:-/api/v1/relay/whoami}" ${3:+"$3"}
