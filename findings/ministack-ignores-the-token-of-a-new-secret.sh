#!/usr/bin/env bash
# Whether the ClientRequestToken of CreateSecret becomes the id of the version, in MiniStack.
# Needs Python with pip. Works in a temporary folder, on a port of its own.
set -euo pipefail

packages=(ministack==1.5.33 boto3==1.43.106)
folder=$(mktemp -d)
server=''
trap '[[ -z $server ]] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${packages[@]}" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL="http://127.0.0.1:$port" AWS_EC2_METADATA_DISABLED=true
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 venv/bin/ministack >server.txt 2>&1 &
server=$!
for _ in {1..300}; do
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  sleep 0.1
done
cat >ask.py <<'PY'
import boto3

secrets = boto3.client("secretsmanager")
token = "0123456789abcdef0123456789abcdef"
made = secrets.create_secret(Name="sample", SecretString="one", ClientRequestToken=token)
print("created:", "with the token as its version" if made["VersionId"] == token else "with another version")
put = secrets.put_secret_value(SecretId="sample", SecretString="two", ClientRequestToken=token)
print("put:", "with the token as its version" if put["VersionId"] == token else "with another version")
PY
venv/bin/python ask.py >seen.txt
cat >expected.txt <<'TXT'
created: with another version
put: with the token as its version
TXT

echo "version: ${packages[*]} of PyPI, Python $(python3 -c 'import platform; print(platform.python_version())')"
echo "behaviour: PutSecretValue makes the token the version's id, CreateSecret does not. In AWS both do, so that a repeated call is"
echo "  known and the version can be read by the id that its maker chose."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
