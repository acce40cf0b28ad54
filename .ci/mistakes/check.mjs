// The mistakes of those who sign for the first time, each made by a signer in Bash and one in Python: what can be seen
// without the secret is named by the refusal, all else is one and the same answer, and `cargo dev` shows the text that
// was to be signed. Then the same of API keys and the operator's key. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { adminKey, call, expect, operator, provision, url } from '../foreign/service.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const SIGNERS = { bash: ['bash', here('sign.sh')], python: ['python3', '-I', '-S', here('sign.py')] };

// The reason that the refusal gives; null for what takes the secret to see.
const MISTAKES = {
  seconds: 'timestamp_not_milliseconds',
  microseconds: 'timestamp_not_milliseconds',
  fraction: 'timestamp_not_milliseconds',
  behind: 'timestamp_out_of_window',
  ahead: 'timestamp_out_of_window',
  base64: 'signature_not_lower_hex',
  upper_case: 'signature_not_lower_hex',
  no_prefix: 'version_prefix_missing',
  short_nonce: 'nonce_malformed',
  no_nonce: 'nonce_malformed',
  uuid: 'tenant_id_malformed',
  no_timestamp: 'credential_missing',
  both_names: 'several_credentials',
  used_nonce: null,
  bare_secret: null,
  other_secret: null,
  no_query: null,
  no_api: null,
  lower_method: null,
  reserialized: null,
  newline: null,
};
// Signed over the right text, with another secret or for the second time.
const RIGHT_TEXT = ['used_nonce', 'bare_secret', 'other_secret'];

function sign([command, ...args], mistake, environment) {
  const { stdout, stderr, status } = spawnSync(command, [...args, mistake], {
    env: { PATH: process.env.PATH, LATCHKEY_URL: url, ...environment },
    encoding: 'utf8',
  });
  expect(status === 0 && stderr === '', `${command} ${mistake}: ${stderr}`);
  return JSON.parse(stdout);
}

async function signatures() {
  const made = await operator('provision/tenant', { tenant_name: 'Mistakes', rate_limit_per_min: 1000 });
  const environment = { TENANT_ID: made.tenant_id, TENANT_SECRET: made.tenant_secret, PROJECT_ID: made.project_id };
  const plain = new Set();
  for (const [name, signer] of Object.entries(SIGNERS)) {
    const NONCE = randomUUID();
    // With that nonce, once.
    const first = sign(signer, 'used_nonce', { ...environment, NONCE });
    expect(first.status === 200, `${name}, no mistake: ${JSON.stringify(first)}`);
    expect(first.to_sign === null, `${name}: what is accepted is not explained`);
    for (const [mistake, reason] of Object.entries(MISTAKES)) {
      const { status, body, signed, to_sign } = sign(signer, mistake, { ...environment, NONCE });
      const said = `${name}, ${mistake}: ${status} ${JSON.stringify(body)}`;
      expect(status === 401 && body.error.code === 'unauthenticated', said);
      expect((body.error.reason ?? null) === reason, `${said}, and not ${reason}`);
      const time = body.error.server_time_ms;
      const isTimed = reason === 'timestamp_out_of_window';
      expect(isTimed ? Math.abs(time - Date.now()) < 10_000 : time === undefined, said);
      if (reason === null) {
        plain.add(JSON.stringify(body));
        expect((signed === to_sign) === RIGHT_TEXT.includes(mistake), `${said}: ${signed} and to sign ${to_sign}`);
      }
    }
  }
  expect(plain.size === 1, `what takes the secret to see has ${plain.size} answers: ${[...plain].join(' ')}`);
}

async function keys() {
  const tenant = await provision('Mistaken keys');
  const reasonOf = (body) => body.error?.reason ?? body.reason ?? null;
  const bearer = (key) => ({ authorization: `Bearer ${key}` });
  const cut = (key) => key.slice(0, -1);
  const [registry, projects, account, tokens] = [
    ['/api/v1/fetch/tenants', undefined],
    ['/v1/api/projects/user-token', { userId: 'ada' }],
    ['/api/v1/agent-sessions', undefined],
    ['/api/v1/auth/introspect', { token: 'x' }],
  ];
  const misplaced = 'key_on_the_wrong_header';
  for (const [[path, body], headers, reason] of [
    [registry, {}, 'credential_missing'],
    [registry, { 'x-admin-key': tenant.admin }, misplaced],
    [registry, { 'x-admin-key': cut(adminKey) }, 'key_malformed'],
    [registry, bearer(adminKey), misplaced],
    [registry, { 'x-api-key': adminKey }, misplaced],
    [registry, { 'x-admin-key': 'W'.repeat(48) }, null],
    [projects, {}, 'credential_missing'],
    [projects, bearer(adminKey), misplaced],
    [projects, bearer(cut(tenant.admin)), 'key_checksum_wrong'],
    [projects, { authorization: tenant.admin }, 'key_malformed'],
    [projects, { ...bearer(tenant.admin), 'x-api-key': tenant.embed }, 'several_credentials'],
    [account, {}, 'credential_missing'],
    [account, bearer(tenant.account), misplaced],
    [account, { 'x-api-key': cut(tenant.account) }, 'key_checksum_wrong'],
    [account, bearer('garbage'), 'token_malformed'],
    [tokens, bearer(cut(tenant.account)), 'key_checksum_wrong'],
    [tokens, {}, 'credential_missing'],
  ]) {
    const answer = await call(path, body, headers);
    const said = `${path}: ${answer.status} ${JSON.stringify(answer.body)}`;
    expect(answer.status === 401 && reasonOf(answer.body) === reason, `${said}, and not ${reason}`);
  }
  // Unknown, revoked, expired: one answer, without a reason.
  await operator(`revoke/api-key?tenant_id=${tenant.id}&key_id=${tenant.accountId}`, {});
  const revoked = await call(...account, { 'x-api-key': tenant.account });
  expect(revoked.status === 401 && reasonOf(revoked.body) === null, `revoked: ${JSON.stringify(revoked.body)}`);
}

await signatures();
await keys();
const count = Object.keys(MISTAKES).length;
console.log(`mistakes: ${count} of signers in ${Object.keys(SIGNERS).join(' and ')}, and those of keys, are told or uniform`);
