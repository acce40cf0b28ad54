import { once } from 'node:events';
import { createServer } from 'node:http';

/** A verifier that is a server and answers with the claims. */
export async function served(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${server.address().port}/`;
  return async (token) => {
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    if (answer.status !== 200) throw new Error(`${answer.status}`);
    return answer.json();
  };
}
