#!/usr/bin/env bash
# What njs makes of `await` within the arguments of a call, where a verifier of signatures easily has one.
# Needs njs 0.7 of Debian. Works in a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
try() {
  local name=$1 status=0
  echo "const verify = () => Promise.resolve('verified'); (async () => { $2 })();" >script.js
  njs script.js >output.txt 2>&1 || status=$?
  echo "$name: $(grep -o 'verified\|SyntaxError: .* supported' output.txt || echo nothing), status $status"
}
{
  try 'in a statement of its own' 'const said = await verify(); console.log(said);'
  try 'within arguments' 'console.log(await verify());'
} >seen.txt
cat >expected.txt <<'TXT'
in a statement of its own: verified, status 0
within arguments: SyntaxError: await in arguments not supported, status 1
TXT

echo "version: njs $(dpkg-query --show --showformat '${Version}' njs)"
echo "behaviour: await within the arguments of a call is a syntax error, which other engines do not have."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
