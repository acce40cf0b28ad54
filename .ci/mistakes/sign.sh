#!/usr/bin/env bash
# The same as sign.py, with curl and OpenSSL.
set -euo pipefail

mistake=$1 tenant=$TENANT_ID secret=$TENANT_SECRET
method=GET target='/api/v1/relay/fetch/callbacks?limit=5' body=''
timestamp=$(date +%s%3N) nonce=$(openssl rand -hex 16) prefix='v2='

# shellcheck disable=SC2153 # NONCE is of the environment
case $mistake in
  seconds) timestamp=$(date +%s) ;;
  microseconds) timestamp=$(date +%s%6N) ;;
  fraction) timestamp=$timestamp.5 ;;
  behind) timestamp=$((timestamp - 31000)) ;;
  ahead) timestamp=$((timestamp + 300000)) ;;
  no_prefix) prefix='' ;;
  short_nonce) nonce=123 ;;
  used_nonce) nonce=$NONCE ;;
  uuid) tenant=$PROJECT_ID ;;
  bare_secret) secret=${secret#sk_} ;;
  other_secret) secret=sk_$(printf '0%.0s' {1..64}) ;;
esac

signed_method=$method signed_target=$target signed_body=$body
case $mistake in
  no_query) signed_target=${target%%\?*} ;;
  no_api) signed_target=${target#/api/v1} ;;
  lower_method) signed_method='get' ;;
  reserialized | newline)
    method=POST target=/api/v1/relay/test/callbacks
    signed_method=$method signed_target=$target signed_body='{"note":1}'
    if [[ $mistake == newline ]]; then body=$signed_body$'\n'; else body='{"note": 1}'; fi
    ;;
esac

digest=$(printf '%s' "$signed_body" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
text=$timestamp.$signed_method.$signed_target.$nonce.$digest
mac=$(printf '%s' "$text" | openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)
case $mistake in
  base64) mac=$(printf '%s' "$text" | openssl dgst -sha256 -hmac "$secret" -binary | base64 -w 0) ;;
  upper_case) mac=${mac^^} ;;
esac

headers=(-H "X-Latchkey-Tenant-Id: $tenant" -H "X-Latchkey-Signature: $prefix$mac" -H 'Content-Type: application/json')
[[ $mistake == no_timestamp ]] || headers+=(-H "X-Latchkey-Timestamp: $timestamp")
[[ $mistake == no_nonce ]] || headers+=(-H "X-Latchkey-Nonce: $nonce")
[[ $mistake != both_names ]] || headers+=(-H "X-Bloonio-Tenant-Id: $tenant")
[[ -z $body ]] || headers+=(--data-binary "$body")
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
answer=$(curl -sS --max-time 30 -X "$method" "${headers[@]}" -D "$shown" -w '\n%{http_code}' "$LATCHKEY_URL$target")
to_sign=$(sed -n 's/^x-latchkey-dev-signed-text: //Ip' "$shown" | tr -d '\r')
[[ -z $to_sign ]] && to_sign=null || to_sign="\"$to_sign\""
printf '{"status":%s,"body":%s,"signed":"%s","to_sign":%s}\n' \
  "${answer##*$'\n'}" "${answer%$'\n'*}" "$text" "$to_sign"
