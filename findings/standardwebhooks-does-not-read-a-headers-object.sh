#!/usr/bin/env bash
# Whether the Node library of Standard Webhooks finds the headers of a webhook in each form that Node programs have them.
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

version=1.1.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true,"type":"module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "standardwebhooks@$version" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >forms.js <<'JS'
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(`whsec_${Buffer.alloc(32, 7).toString('base64')}`);
const [id, at, body] = ['msg_1', new Date(), '{"a":1}'];
const plain = {
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at / 1000)),
  'webhook-signature': webhook.sign(id, at, body),
};
const inCapitals = Object.fromEntries(Object.entries(plain).map(([name, value]) => [name.toUpperCase(), value]));
const forms = { 'a plain object': plain, 'one in capitals': inCapitals, 'a Headers object': new Headers(plain) };
forms['Object.fromEntries of it'] = Object.fromEntries(new Headers(plain));
for (const [form, headers] of Object.entries(forms)) {
  let outcome = 'verified';
  try {
    webhook.verify(body, headers);
  } catch (error) {
    outcome = error.message;
  }
  console.log(`${form}: ${outcome}`);
}
JS
node forms.js >seen.txt
cat >expected.txt <<'TXT'
a plain object: verified
one in capitals: verified
a Headers object: Missing required headers
Object.fromEntries of it: verified
TXT

echo "version: standardwebhooks $version of npm, Node $(node --version)"
echo "behaviour: verify() reads the headers as members of a plain object, in any case. A Headers object, as fetch handlers"
echo "  (Hono, Next.js) get it, has no members of its own: a webhook that is right is refused as one without headers."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
