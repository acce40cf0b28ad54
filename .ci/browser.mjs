// A chat page in a browser, of another origin than the service, with a scoped token. LATCHKEY_URL and ADMIN_KEY say
// where the service is, SERVICE_LOG where its lines go, CHROMIUM what to run.

import { readFileSync } from 'node:fs';
import { call, expect, operator, provision, scopedToken, url } from './foreign/service.mjs';
import { chromium, end, listen, until } from './running.mjs';

const { SERVICE_LOG } = process.env;
const [ada, bob] = ['adá@example.com', 'bob@example.com'];

const PAGE = `<!doctype html><meta charset="utf-8"><title>Chat</title><script>
  let token;
  // What a tracing library adds to each request.
  const trace = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1', baggage: 'b=2',
    'sentry-trace': '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1',
  };
  async function signIn() {
    token = await (await fetch('/token', { method: 'POST' })).text();
  }
  async function call(method, path, body, credential = { Authorization: 'Bearer ' + token }) {
    const headers = { ...trace, ...credential, ...(body && { 'Content-Type': 'application/json' }) };
    const answer = await fetch('${url}/api/v1/' + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, requestId: answer.headers.get('x-request-id'), body: await answer.json() };
  }
  async function keys(tenant) {
    const answer = await fetch('${url}/t/' + tenant + '/.well-known/jwks.json?v=1', { headers: trace });
    return (await answer.json()).keys.length;
  }
</script>`;

/** The service's lines so far, one a request. */
function printed() {
  const lines = readFileSync(SERVICE_LOG, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line));
}

/** What the service was asked since it had printed that many lines, until that request. */
function seen(since, requestId) {
  return until(10, () => {
    const lines = printed().slice(since);
    expect(
      lines.some((line) => line.request_id === requestId),
      `no line of request ${requestId}`,
    );
    return lines.map(({ operation, status }) => `${operation} ${status}`);
  });
}

async function chat() {
  const first = printed().length;
  const tenant = await provision('Chat');
  const backend = (path, body) => call(`/api/v1/${path}`, body, { 'x-api-key': tenant.account });
  const begun = async (owner) => {
    const { status, body } = await backend('agent-sessions', {
      external_user_id: owner,
      title: `By the backend, for ${owner}`,
    });
    expect(status === 201, `a session of the backend: ${status}`);
    return body;
  };
  const sessions = [await begun(ada), await begun(bob)];

  const site = await listen(async (request, response) => {
    if (request.url === '/token') return response.end(await scopedToken(tenant, { external_user_id: ada }));
    return response.setHeader('content-type', 'text/html').end(PAGE);
  });
  const tab = await (await chromium()).newPage();
  const [problems, complaints] = [[], []];
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('console', (message) => complaints.push(message.text()));
  await tab.goto(site);
  await tab.evaluate('signIn()');
  const page = async (expected, ...request) => {
    const answer = await tab.evaluate((request) => call(...request), request);
    expect(answer.status === expected, `${request.slice(0, 2)}: ${answer.status} ${JSON.stringify(answer.body)}`);
    expect(/^[0-9a-f-]{36}$/.test(answer.requestId), `${request.slice(0, 2)}: no request id`);
    return answer;
  };
  const listed = async () => {
    const { requestId, body } = await page(200, 'GET', 'agent-sessions');
    expect(body.total === body.items.length, `${body.items.length} of ${body.total} sessions`);
    return { requestId, titles: body.items.map(({ title }) => title) };
  };

  // Its own, with every method. A browser asks before each path: the headers are not those of a form.
  const { body: session } = await page(201, 'POST', 'agent-sessions', { title: 'By the page' });
  expect(session.external_user_id === ada, `a session of ${session.external_user_id}`);
  const own = `agent-sessions/${session.id}`;
  const message = { role: 'user', content: 'Wo ist meine Bestellung? 📦' };
  await page(201, 'POST', `${own}/messages`, message);
  const { body: messages } = await page(200, 'GET', `${own}/messages`);
  expect(messages.total === 1 && messages.items[0].content === message.content, 'another message');
  await page(200, 'PATCH', own, { title: 'Bestellung' });
  const before = await listed();
  expect(`${before.titles}` === `Bestellung,${sessions[0].title}`, `the list of the page: ${before.titles}`);
  const asked = await seen(first, before.requestId);
  for (const path of ['agent-sessions', 'agent-session', 'agent-session-messages']) {
    expect(asked.includes(`${path} 200`), `no preflight of ${path}`);
  }

  // The one that signs, and the one that stands by.
  expect((await tab.evaluate((tenant) => keys(tenant), tenant.id)) === 2, 'the key set, as a page reads it');

  // Another end user's.
  const foreign = `agent-sessions/${sessions[1].id}`;
  const requests = [
    ['GET', foreign],
    ['PATCH', foreign, { title: 'Mine' }],
    ['DELETE', foreign],
    ['GET', `${foreign}/messages`],
    ['POST', `${foreign}/messages`, message],
  ];
  for (const request of requests) {
    expect((await page(404, ...request)).body.code === 'not_found', 'a page cannot read why there is nothing');
  }
  const { body: still } = await backend(foreign);
  expect(JSON.stringify(still) === JSON.stringify(sessions[1]), "a page has changed another end user's session");
  await page(403, 'POST', 'auth/token', { external_user_id: ada });

  // The key that no page may have: the browser asks, and does not send it. Nor is it taken as what a page may send.
  expect(
    complaints.every((text) => /status of 40[34]/.test(text)),
    `the browser: ${complaints}`,
  );
  const start = first + (await seen(first, (await listed()).requestId)).length;
  const key = { 'X-API-KEY': tenant.account };
  const rejected = (request) =>
    call(...request).then(
      () => 'answered',
      (error) => error.name,
    );
  const how = await tab.evaluate(rejected, ['POST', 'agent-sessions', { title: 'With the key' }, key]);
  expect(how === 'TypeError', `a call with the key: ${how}`);
  const stopped = /request header field x-api-key is not allowed by Access-Control-Allow-Headers in preflight/i;
  await until(5, () =>
    expect(
      complaints.some((text) => stopped.test(text)),
      `the browser: ${complaints}`,
    ),
  );
  // A preflight, and another of the list: what was refused takes with it what the browser knew of the path.
  const came = await seen(start, (await listed()).requestId);
  const isKept = came.includes('agent-sessions 200') && !came.some((line) => line.startsWith('create-agent-session'));
  expect(isKept, `the service: ${came}`);
  expect((await backend('agent-sessions')).body.total === 3, 'a session that the key made');
  await page(401, 'POST', 'agent-sessions', { title: 'With the key' }, { Authorization: `Bearer ${tenant.account}` });

  // Revoked: the page can read that it has to ask its backend for another token.
  await operator(`revoke/tokens?tenant_id=${tenant.id}`, { external_user_id: ada });
  for (const request of [
    ['GET', 'agent-sessions'],
    ['POST', `${own}/messages`, message],
  ]) {
    expect((await page(401, ...request)).body.code === 'unauthenticated', 'a page cannot read why it is refused');
  }
  await tab.evaluate('signIn()');
  await page(200, 'DELETE', own);
  expect(`${(await listed()).titles}` === sessions[0].title, 'another list after the second token');
  expect(problems.length === 0, `the page: ${problems}`);
  console.log(
    'chat page: sees its own across origins, is told when its token is revoked; the browser keeps an API key back',
  );
}

try {
  await chat();
} finally {
  await end();
}
