// A backend whose people pair their phones. How to run it: README.md.

import { createHash, createHmac, randomUUID } from 'node:crypto';
import express from 'express';
import { Webhook } from 'standardwebhooks';

const { LATCHKEY_URL, LATCHKEY_TENANT_ID, LATCHKEY_TENANT_SECRET, LATCHKEY_WEBHOOK_SECRET } = process.env;
const { DEMO_SESSION, DEMO_USER_ID, DEMO_USER_NAME, DEMO_USER_EMAIL, PORT = '8080' } = process.env;
const webhook = new Webhook(LATCHKEY_WEBHOOK_SECRET);
// Stand in for your database: the pairings that were prepared, and the phones that callbacks told of.
const attempts = new Map();
const phones = new Map();

/** Who sent the request, or nobody. Stands in for your own login, whose cookie should be `SameSite=Lax` at least. */
function signedIn(request) {
  const cookies = (request.headers.cookie ?? '').split(/; */);
  const isSignedIn = Boolean(DEMO_SESSION) && cookies.includes(`session=${DEMO_SESSION}`);
  return isSignedIn ? { id: DEMO_USER_ID, name: DEMO_USER_NAME, email: DEMO_USER_EMAIL } : undefined;
}

/** Prepares a pairing. Its id comes back in the callback. */
async function prepared(id, user) {
  const target = '/api/v1/relay/prepare-pairing';
  const { id: backend_user_id, name: display_name, email: user_email } = user;
  const body = JSON.stringify({ user_socket_hash: id, backend_user_id, display_name, user_email });
  const [timestamp, nonce] = [`${Date.now()}`, randomUUID()];
  const digest = createHash('sha256').update(body).digest('hex');
  const signed = [timestamp, 'POST', target, nonce, digest].join('.');
  const answer = await fetch(LATCHKEY_URL + target, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-Latchkey-Tenant-Id': LATCHKEY_TENANT_ID,
      'X-Latchkey-Timestamp': timestamp,
      'X-Latchkey-Nonce': nonce,
      'X-Latchkey-Signature': `v2=${createHmac('sha256', LATCHKEY_TENANT_SECRET).update(signed).digest('hex')}`,
    },
    body,
    redirect: 'manual', // the signature is for this address alone
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status !== 201) throw new Error(`prepare-pairing: ${answer.status}`);
  return (await answer.json()).data;
}

/** The event in a body, if Latchkey has signed it within five minutes of now, and nothing if not. */
function verified(body, headers) {
  try {
    webhook.verify(body, headers);
    const event = JSON.parse(body);
    // What is signed and has no event in it is somebody's call.
    return event.event_id === headers['webhook-id'] && typeof event.type === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}

function handle({ type, sequence, data }) {
  if (type !== 'pairing.created' && type !== 'pairing.removed') return;
  // Events come in any order, and more than once: only a later one changes what is known of a phone.
  if (sequence <= (phones.get(data.device_id)?.sequence ?? 0)) return;
  const { backend_user_id: userId, name, removed_at } = data;
  phones.set(data.device_id, { sequence, userId, name, isPaired: removed_at === null });
  const attempt = attempts.get(data.user_socket_hash);
  if (type === 'pairing.created' && attempt?.userId === userId) attempt.isDone = true;
  console.log(`${type} ${data.device_id}`);
}

// Whoever has the phone chose its name.
const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const page = (content) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Your phones</title>
<h1>Your phones</h1>${content}</html>`;

const app = express();

// Raw, whatever the type: the bytes are signed, and `express.json()` on the way here would leave none of them.
app.post('/relay-callbacks/:flow', express.raw({ type: () => true }), (request, response) => {
  const event = verified(request.body ?? Buffer.alloc(0), request.headers);
  if (!event) return response.sendStatus(400);
  handle(event);
  // Also for a type that is not known: any other status is a failure, and the event would come again for three days.
  return response.sendStatus(204);
});

app.use((request, response, next) => {
  request.user = signedIn(request);
  // The code in a page pairs a phone, so that no cache may keep it.
  response.set('Cache-Control', 'no-store');
  return request.user ? next() : response.status(401).send('Sign in first.');
});

app.get('/', (request, response) => {
  const own = [...phones.values()].filter(({ userId, isPaired }) => userId === request.user.id && isPaired);
  const list = own.map(({ name }) => `<li>${escaped(name)}</li>`).join('');
  response.send(page(`<ul>${list}</ul><form method="post" action="/pairings"><button>Pair a phone</button></form>`));
});

app.post('/pairings', async (request, response) => {
  const id = randomUUID();
  const { pairing_qr_svg: svg, pairing_url: address } = await prepared(id, request.user);
  attempts.set(id, { userId: request.user.id, isDone: false });
  response.send(
    page(`<p>Scan this code with the camera of your phone.</p>
<img alt="Pairing code" width="260" src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}">
<p>You are on the phone? <a rel="noreferrer" href="${escaped(address)}">Pair this one</a></p>
<script>
  setInterval(async () => {
    const answer = await fetch('/pairings/${id}');
    if (answer.ok && (await answer.json()).isDone) location.replace('/');
  }, 1000);
</script>`),
  );
});

app.get('/pairings/:id', (request, response) => {
  const attempt = attempts.get(request.params.id);
  if (attempt?.userId !== request.user.id) return response.sendStatus(404);
  return response.json({ isDone: attempt.isDone });
});

app.listen(Number(PORT), '127.0.0.1');
