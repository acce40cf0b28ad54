// The table of what Latchkey refuses, given to the verifiers of examples/. REFUSED is the file that the unit tests write.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '../foreign/service.mjs';
import { listen, start, until } from '../running.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const PROGRAMS = {
  node: [process.execPath, '--import', here('at.mjs'), 'node.mjs'],
  python: [process.env.PYTHON, here('at.py'), 'python.py'],
};

// What every verifier of signatures can refuse for a reason of the table, whatever the claims are.
const ALWAYS = ['another algorithm', 'signature of another length', 'wrong signature', 'unknown key', 'not valid yet'];

const DAY = 86_400;

/** What a part of a token says, if it can be read. */
function said(token, part) {
  try {
    return JSON.parse(Buffer.from(token.split('.')[part], 'base64url'));
  } catch {
    return undefined;
  }
}

/** Whether claims say that they are a user's of this tenant, valid now. Of `nbf`, which no token has, some take texts. */
function isUsers(claims, { issuer, tenant_id: audience, now }) {
  const { iss, aud, sub, exp, iat, nbf = 0, scope } = Object(claims);
  const isNow = exp > now - 5 && iat <= now + 5 && Number(nbf) <= now + 5;
  const isTime = typeof exp === 'number' && typeof iat === 'number' && exp > iat && exp - iat <= DAY;
  const isParty = iss === issuer && aud === audience && typeof sub === 'string' && sub !== '';
  return isNow && isTime && isParty && scope === 'project_user';
}

/** Whether a row is for every verifier. The others are of claims that are Latchkey's own, of what it remembers, and of
 * another spelling of a valid token in base64url, JSON or media types. */
function isForAll([because, label, token], table) {
  // A header of HTTP has no other characters, and not as many.
  if (!/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(token) || token.length > 10_000) return false;
  if (ALWAYS.includes(because) || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return true;
  if (because === 'another type') return !/"(application\/)?at\+jwt"$/i.test(label);
  if (because === 'header has other members' && /^header (without|with the key|(alg|typ|kid) =)/.test(label)) return true;
  const [header, claims] = [said(token, 0), said(token, 1)];
  const isObject = typeof header === 'object' && header !== null && !Array.isArray(header);
  if (isObject && Object.keys(header).sort().join() !== 'alg,kid,typ') return true;
  return claims !== undefined && !isUsers(claims, table);
}

export async function refuseTheTable(examples) {
  const table = JSON.parse(readFileSync(process.env.REFUSED, 'utf8'));
  const rows = table.refused.filter((row) => isForAll(row, table));
  expect(rows.length >= 430, `${rows.length} rows`);
  const issuer = await listen((request, response) => {
    const isSet = request.url === `${new URL(table.issuer).pathname}/.well-known/jwks.json`;
    response.writeHead(isSet ? 200 : 404).end(JSON.stringify({ keys: table.keys }));
  });
  for (const [language, [command, ...args]] of Object.entries(PROGRAMS)) {
    const printed = start(`${examples}/verify`, command, args, {
      LATCHKEY_URL: 'https://latchkey.example.com',
      LATCHKEY_TENANT_ID: table.tenant_id,
      PORT: '0',
      NOW: `${table.now}`,
      ISSUER_AT: issuer,
    });
    const address = await until(20, () => {
      const found = /^listening on (\S+)$/.exec(printed[0])?.[1];
      expect(found, `${language}: ${printed.join('\n')}`);
      return found;
    });
    const ask = async (token) => {
      const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
      await answer.body?.cancel();
      return answer.status;
    };
    expect((await ask(table.valid)) === 200, `${language} refuses the valid token of the table`);
    const wrong = [];
    for (const [because, label, token] of rows) {
      const status = await ask(token);
      if (status !== 401) wrong.push(`${because}, ${label}: ${status}`);
    }
    expect(wrong.length === 0, `${language}:\n${wrong.join('\n')}`);
    expect((await ask(table.valid)) === 200, `${language} refuses the valid token after the others`);
    console.log(`verify, ${language}: ${rows.length} of the ${table.refused.length} rows of the table refused`);
  }
}
