// Receives Latchkey's callbacks with Express. How to run it: README.md.

import express from 'express';
import { Webhook } from 'standardwebhooks';

const { LATCHKEY_WEBHOOK_SECRET, PORT = '8080' } = process.env;
const webhook = new Webhook(LATCHKEY_WEBHOOK_SECRET);
const KNOWN = ['ping', 'tenant.suspended', 'tenant.reactivated', 'tenant.secret_rotated'];
// Stands in for a table where the id is unique: insert id and event together, answer, and act on the event afterwards.
const seen = new Set();

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

const app = express();
// Raw, whatever the type: the bytes are signed, and `express.json()` on the way here would leave none of them.
app.post('/relay-callbacks/:flow', express.raw({ type: () => true }), (request, response) => {
  const event = verified(request.body ?? Buffer.alloc(0), request.headers);
  if (!event) return response.sendStatus(400);
  if (KNOWN.includes(event.type) && !seen.has(event.event_id)) {
    seen.add(event.event_id);
    console.log(`handled ${event.type} ${event.event_id}`);
  }
  // Also for a type that is not known: any other status is a failure, and the event would come again for three days.
  return response.sendStatus(204);
});
app.listen(Number(PORT), '127.0.0.1');
