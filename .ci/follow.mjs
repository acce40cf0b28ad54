// An incident of our own making, whose answer is known, followed with docs/operate/follow.py through the log lines of a
// running service. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is, SERVICE_LOG where its lines are.

import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodeJwt } from 'jose';
import { call, expect, legacyToken, operator, provision, secret, userToken } from './foreign/service.mjs';
import { until } from './running.mjs';

/** What the script says of a leaked credential. */
function follow(leaked) {
  const env = { ...process.env, LEAKED: leaked };
  const options = { input: readFileSync(process.env.SERVICE_LOG), env, encoding: 'utf8', timeout: 60_000 };
  const { status, stdout, stderr } = spawnSync('python3', ['docs/operate/follow.py'], options);
  expect(status === 0, `follow.py: ${stderr}`);
  expect(!stdout.includes(leaked), 'follow.py shows what leaked');
  return JSON.parse(stdout);
}

const { key: traceKey } = await secret('trace-key');

/** The digest of a person, by its definition, which the script for operators has to come to as well. */
function digest(tenant, kind, id) {
  const text = `${tenant.id}\n${kind}\n${id}`;
  const made = createHmac('sha256', traceKey).update(text).digest('hex').slice(0, 32);
  const options = { env: { ...process.env, TRACE_KEY: traceKey }, encoding: 'utf8', timeout: 60_000 };
  const { stdout } = spawnSync('python3', ['docs/operate/digest.py', tenant.id, kind, id], options);
  expect(stdout.trim() === made, `digest.py: ${stdout}`);
  return made;
}

const same = (one, other, message) =>
  expect(JSON.stringify(one) === JSON.stringify(other), `${message}: ${JSON.stringify(one)}`);

const [victim, bystander] = [await provision('victim'), await provision('bystander')];
const legacy = await legacyToken(victim);
const minted = [legacy, await userToken(victim), await userToken(victim)].map((token) => decodeJwt(token).jti);
await userToken(bystander);
const scoped = async (user) => {
  const answer = await call('/api/v1/auth/token', { external_user_id: user }, { 'x-api-key': victim.account });
  return answer.body.access_token;
};
const [leaked, other] = [await scoped('ada'), await scoped('grace')];
const page = (token, path, body, method) => call(`/api/v1/${path}`, body, { authorization: `Bearer ${token}` }, method);
const [{ id: read }, { id: gone }] = [
  (await page(leaked, 'documents', { name: 'a' })).body,
  (await page(leaked, 'documents', { name: 'b' })).body,
];
await page(leaked, 'documents');
await page(other, 'documents');
await page(leaked, `documents/${read}`);
const { id: changed } = (await page(leaked, 'agent-sessions', {})).body;
await page(leaked, `agent-sessions/${changed}`, { title: 'c' }, 'PATCH');
await page(leaked, `documents/${gone}`, undefined, 'DELETE');
await operator(`revoke/api-key?tenant_id=${victim.id}&key_id=${victim.accountId}`, {});
const refused = await page(leaked, 'documents');
expect(refused.status === 401, `after the revocation: ${refused.status}`);
const isWritten = () => readFileSync(process.env.SERVICE_LOG, 'utf8').includes(refused.requestId);
await until(10, async () => expect(isWritten(), 'the last call has no line'));

const embed = follow(victim.embed);
same(embed.minted.map((line) => line.jti), minted, 'what the key minted');
const [user, customer, hank] = [
  digest(victim, 'user', victim.userId),
  digest(victim, 'registered_tenant', decodeJwt(legacy).sub),
  digest(victim, 'end_user', 'hank'),
];
same(embed.minted.map((line) => line.subject), [customer, user, user], 'for whom the key minted');
same(embed.minted.map((line) => line.end_user), [hank, null, null], 'the end user of the older kind');
same(embed.minted_for, [user, customer, hank].sort(), 'all for whom the key minted');
same([embed.tenant_id, embed.calls, embed.addresses], [victim.id, [], ['127.0.0.1']], 'the key');
const token = follow(leaked);
const calls = token.calls.map((line) => [line.operation, line.resource, line.status]);
const expected = [
  ['create-document', read, 201],
  ['create-document', gone, 201],
  ['list-documents', null, 200],
  ['get-document', read, 200],
  ['create-agent-session', changed, 201],
  ['update-agent-session', changed, 200],
  ['delete-document', gone, 200],
  ['list-documents', null, 401],
];
same(calls, expected, 'what was read and changed with the token');
const [ada, grace] = ['ada', 'grace'].map((id) => digest(victim, 'end_user', id));
same([token.minted_for, token.called_about], [[ada], [ada]], 'for whom the token was minted, and of whom it was used');
same(token.calls.map((line) => line.end_user), calls.map(() => ada), 'for whom each call was');
same(token.minted.map((line) => line.jti), [decodeJwt(leaked).jti], 'the minting of the token');
const account = follow(victim.account);
same(account.minted.map((line) => line.jti), [leaked, other].map((text) => decodeJwt(text).jti), 'both tokens');
same(account.minted.map((line) => line.subject), [ada, grace], 'for whom the account key minted');
expect(account.calls.length === 9, `calls with what the key minted: ${account.calls.length}`);
const log = readFileSync(process.env.SERVICE_LOG, 'utf8');
const people = [victim.userId, victim.organizationId, bystander.userId, '"ada"', '"grace"', '"hank"', 'globex'];
for (const text of [...people, traceKey]) {
  expect(!log.includes(text), 'a person, or the key to the digests, is in the log');
}
console.log('follow: a leaked key and a leaked token are followed');
