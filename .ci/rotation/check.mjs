// Rotations of a signing key, as other people's verifiers see them at their default settings: each has the key set
// from before a rotation, and verifies the first token of after it. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the
// service is, PYTHON what runs Python.
//
// With ENVOY, a path, Envoy is among them, and the second rotation waits the fifteen minutes that the service asks for:
// the verifiers had the set before the key was published, and have to fetch it by themselves. Without, the table is
// told that they have passed, and the verifiers have fetched the set in between.

import { decodeProtectedHeader } from 'jose';
import { adminKey, expect, operator, pastIn, provision, url, userToken } from '../foreign/service.mjs';
import { end } from '../running.mjs';
import { envoy, everyLibrary, libraries } from './verifiers.mjs';

const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** What every verifier says of a fresh token of the key. */
async function verified(verifiers, tenant, kid) {
  const token = await userToken(tenant);
  expect(decodeProtectedHeader(token).kid === kid, `a token of another key than ${kid}`);
  return Promise.all(verifiers.map(async ({ library, verify }) => [library, await verify(token)]));
}

/** Nobody refuses a fresh token of the key. */
async function accepted(verifiers, tenant, kid) {
  const said = await verified(verifiers, tenant, kid);
  const refusals = said.filter(([, text]) => text.startsWith('refused'));
  expect(refusals.length === 0, `refusals of a fresh token: ${JSON.stringify(refusals)}`);
}

const path = (tenant) => `rotate/signing-key?tenant_id=${tenant.id}`;

/** As if the standby key had been published a quarter of an hour ago. */
function age(tenant) {
  return pastIn({ pk: `TENANT#${tenant.id}`, sk: 'SIGNING' }, 'standby_published_at', 900);
}

/** For how many seconds a rotation has to wait. */
async function tooYoung(tenant) {
  const options = { method: 'POST', headers: { 'x-admin-key': adminKey } };
  const answer = await fetch(`${url}/api/v1/${path(tenant)}`, options);
  const { error } = await answer.json();
  expect(answer.status === 409 && error.code === 'standby_too_young', `a young standby key signs: ${answer.status}`);
  return Number(answer.headers.get('retry-after'));
}

/** A rotation that waited long enough. */
async function rotate(tenant) {
  const rotated = await operator(path(tenant), {});
  expect(rotated.caches_may_refuse_until === null, 'a rotation that verifiers may not be ready for');
  return rotated.kid;
}

async function main() {
  const tenant = await provision('Rotation');
  let { kid } = decodeProtectedHeader(await userToken(tenant));
  let verifiers = await everyLibrary(tenant, await userToken(tenant));
  if (process.env.ENVOY) verifiers.push(await envoy(tenant, await userToken(tenant)));
  await tooYoung(tenant);
  await age(tenant);

  // The key that the tenant began with next to the one that signed.
  kid = await rotate(tenant);
  await accepted(verifiers, tenant, kid);
  console.log(`first rotation: no refusal by ${verifiers.map(({ library }) => library).join(', ')}`);

  // The key that was published by the first rotation.
  const wait = await tooYoung(tenant);
  if (process.env.ENVOY) {
    // joserfc is told the set once and for all.
    verifiers = verifiers.filter(({ library }) => library !== 'joserfc');
    const ready = Date.now() + wait * 1000;
    let tokens = 0;
    for (; Date.now() < ready; tokens++) {
      await accepted(verifiers, tenant, kid);
      await sleep(5);
    }
    console.log(`${wait} s until the second rotation: ${tokens} tokens, no refusal`);
  } else {
    verifiers = await everyLibrary(tenant, await userToken(tenant));
    await age(tenant);
  }
  kid = await rotate(tenant);
  for (let token = 0; token < 5; token++) await accepted(verifiers, tenant, kid);
  console.log('second rotation: no refusal');

  // A leak: the key that signs can be in nobody's set, and the answer says how long that may last. Whoever has to fetch
  // the set first, and may not yet, refuses. Without this, no refusal above would mean nothing.
  verifiers = await everyLibrary(tenant, await userToken(tenant));
  if (process.env.ENVOY) verifiers.push(await envoy(tenant, await userToken(tenant)));
  const dropped = await operator(path(tenant), { drop_previous: true });
  const seconds = (Date.parse(dropped.caches_may_refuse_until) - Date.parse(dropped.rotated_at)) / 1000;
  expect(seconds === 900, `caches may refuse for ${seconds} s`);
  for (const [library, said] of await verified(verifiers, tenant, dropped.kid)) {
    const fetches = libraries[library]?.[1] ?? false;
    expect(said.startsWith('refused') !== fetches, `${library}, a key that it can't know: ${said}`);
    console.log(`keys dropped: ${library} ${fetches ? 'fetches the set at once' : said}`);
  }
}

try {
  await main();
} finally {
  await end();
}
