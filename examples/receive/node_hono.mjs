// Receives Latchkey's callbacks with Hono. How to run it: README.md.

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
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

const app = new Hono();
app.post('/relay-callbacks/:flow', bodyLimit({ maxSize: 65536 }), async (c) => {
  // The bytes, since they are signed: `text()` drops a byte order mark. And a record, since the library finds nothing
  // in `Headers`.
  const event = verified(Buffer.from(await c.req.arrayBuffer()), c.req.header());
  if (!event) return c.body(null, 400);
  if (KNOWN.includes(event.type) && !seen.has(event.event_id)) {
    seen.add(event.event_id);
    console.log(`handled ${event.type} ${event.event_id}`);
  }
  // Also for a type that is not known: any other status is a failure, and the event would come again for three days.
  return c.body(null, 204);
});
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT) });
