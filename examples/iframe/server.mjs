// A backend with a page that embeds an application. How to run it: README.md.

import { createServer } from 'node:http';
import { signedIn } from './session.mjs';

const { LATCHKEY_URL, LATCHKEY_API_KEY, EMBED_URL, TOKEN_SECONDS = '900', PORT = '8080' } = process.env;

/** The address of the frame, with a new token for the user. */
async function frameAddress({ userId, organizationId }) {
  const answer = await fetch(`${LATCHKEY_URL}/v1/api/projects/user-token`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${LATCHKEY_API_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ userId, organizationId, expiration: Number(TOKEN_SECONDS) }),
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`user-token: ${answer.status}, request ${answer.headers.get('x-request-id')}`);
  return `${EMBED_URL}?jwt=${(await answer.json()).data.token}`;
}

const PAGE = `<!doctype html>
<title>Dashboard</title>
<iframe id="frame"></iframe>
<script>
  let due = 0;
  async function refresh() {
    if (Date.now() < due) return;
    due = Date.now() + 5000; // the next attempt, if this one fails
    const answer = await fetch('/session-token', { method: 'POST' });
    if (answer.status === 401) return location.reload(); // which leads to your login
    if (!answer.ok) return;
    const address = new URL(await answer.text());
    const claims = address.searchParams.get('jwt').split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const { iat, exp } = JSON.parse(atob(claims));
    // Not \`src\`: each new address would be an entry in the history.
    document.getElementById('frame').contentWindow.location.replace(address);
    due = Date.now() + (exp - iat) * 800; // milliseconds: after four fifths of the token's life
  }
  refresh();
  // Not one timer for the whole time: after a computer was asleep, that would be late by as long as it slept.
  setInterval(refresh, 1000);
</script>`;

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Type': 'text/html; charset=utf-8',
  'Referrer-Policy': 'no-referrer', // the frame's address has the token in it
};

createServer(async (request, response) => {
  const send = (status, body) => response.writeHead(status, HEADERS).end(body);
  // Whose token it is depends on the session alone, and on nothing else in the request.
  const user = await signedIn(request).catch(() => null);
  if (!user) return send(401, 'Sign in first.');
  if (`${request.method} ${request.url}` !== 'POST /session-token') return send(200, PAGE);
  try {
    return send(200, await frameAddress(user));
  } catch (error) {
    console.error(error.message); // a status and a request id, and no token
    return send(502, 'Try again.');
  }
}).listen(Number(PORT), '127.0.0.1');
