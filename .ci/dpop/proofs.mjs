// DPoP proofs of other people's libraries, judged by our code: npm's `dpop`, `oauth4webapi` and `jose`, and
// `requests-oauth2client` of Python. JUDGE is our code as a program, PYTHON has the library of Python.

import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import * as dpop from 'dpop';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { expect } from '../foreign/service.mjs';

const BASE = 'https://auth.example.com';
const PATH = '/api/v1/device/refresh-token';
const TOKEN = 'ds_an-opaque-token';
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/** A program that answers each line with a line. */
function asking(command, ...args) {
  const program = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      program.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await lines.next();
      expect(!done, `${command} has ended`);
      return value;
    },
    end: () => program.stdin.end(),
  };
}

const judge = asking(process.env.JUDGE);
const python = asking(process.env.PYTHON, new URL('proof.py', import.meta.url).pathname);
const nonceOf = (time) => judge.ask({ nonce: time });
const right = { method: 'POST', base_url: BASE, path: PATH, token: TOKEN };
const judged = (proof, other = {}) => judge.ask({ proof, ...right, now: Date.now(), ...other });

// --- the libraries -----------------------------------------------------------------------------------------------------

// Each makes proofs with one key: of a method, an address, a token and a nonce.

async function npmDpop() {
  const pair = await dpop.generateKeyPair('ES256');
  return {
    thumbprint: await dpop.calculateThumbprint(pair.publicKey),
    prove: ({ method, url, token, nonce }) => dpop.generateProof(pair, url, method, nonce, token),
  };
}

/** With the client's own handling of nonces: it calls without one, is answered `use_dpop_nonce`, and calls again. */
async function oauth4webapi() {
  const pair = await oauth.generateKeyPair('ES256');
  return {
    thumbprint: await calculateJwkThumbprint(await exportJWK(pair.publicKey)),
    async prove({ method, url, token, nonce }) {
      const proofs = [];
      const challenge = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce };
      const answers = [new Response(null, { status: 401, headers: challenge }), new Response()];
      const options = {
        DPoP: oauth.DPoP({ client_id: 'none' }, pair),
        [oauth.allowInsecureRequests]: true,
        async [oauth.customFetch](address, { headers }) {
          proofs.push(new Headers(headers).get('dpop'));
          return answers[proofs.length - 1];
        },
      };
      const call = () => oauth.protectedResourceRequest(token, method, new URL(url), undefined, undefined, options);
      await call().then(
        () => expect(false, 'oauth4webapi: no nonce was asked for'),
        (error) => expect(oauth.isDPoPNonceError(error), `oauth4webapi: ${error}`),
      );
      const { origin, pathname } = new URL(url);
      const first = await judged(proofs[0], { method, base_url: origin, path: pathname });
      expect(first === 'dpop_nonce_missing', `oauth4webapi, without a nonce: ${first}`);
      await call();
      return proofs[1];
    },
  };
}

/** A page that puts the key into the header as WebCrypto exports it, with `ext` and `key_ops`. */
async function webCrypto() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
  expect('key_ops' in jwk && 'ext' in jwk, 'WebCrypto exports other members');
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: ({ method, url, token, nonce }) =>
      new SignJWT({ htm: method, htu: url, ath: createHash('sha256').update(token).digest('base64url'), nonce })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .setJti(randomUUID())
        .setIssuedAt()
        .sign(pair.privateKey),
  };
}

async function requestsOauth2client() {
  const made = async (asked) => JSON.parse(await python.ask(asked));
  const { thumbprint } = await made({ method: 'GET', url: BASE, token: TOKEN, nonce: 'x' });
  return { thumbprint, prove: async (asked) => (await made(asked)).proof };
}

const LIBRARIES = { dpop: npmDpop, oauth4webapi, WebCrypto: webCrypto, 'requests-oauth2client': requestsOauth2client };

// --- the checks ------------------------------------------------------------------------------------------------------

for (const [name, library] of Object.entries(LIBRARIES)) {
  const { thumbprint, prove } = await library();
  const says = (said, expected, when) => expect(said === expected, `${name}, ${when}: ${said}, not ${expected}`);
  const now = Date.now();
  const asked = { method: 'POST', url: BASE + PATH, token: TOKEN, nonce: await nonceOf(now) };
  const proof = await prove(asked);
  expect(THUMBPRINT.test(thumbprint), `${name}: ${thumbprint}`);

  // Nothing that is refused uses the proof up.
  says(await judged(proof, { method: 'GET' }), 'dpop_htm_wrong', 'another method');
  says(await judged(proof, { path: '/api/v1/device/unpair' }), 'dpop_htu_wrong', 'another path');
  says(await judged(proof, { base_url: 'https://other.example.com' }), 'dpop_htu_wrong', 'another address');
  says(await judged(proof, { token: `${TOKEN}x` }), 'dpop_ath_wrong', 'another token');
  says(await judged(proof, { token: null }), 'dpop_ath_unexpected', 'no token');
  says(await judged(proof, { now: now + 300_001 }), 'dpop_nonce_stale', 'later');
  const [header, , signature] = proof.split('.');
  const [, claims] = (await prove({ ...asked, nonce: await nonceOf(now) })).split('.');
  says(await judged([header, claims, signature].join('.')), 'dpop_signature_wrong', 'the claims of the next');
  says(await judged(proof), thumbprint, 'the proof itself');
  says(await judged(proof), 'dpop_jti_seen', 'the proof again');

  // Another proof of the same key, and one with a query, which an address in a proof does not have.
  says(await judged(await prove(asked)), thumbprint, 'the next proof');
  const listed = await prove({ ...asked, method: 'GET', url: `${BASE}/api/v1/device/pairings?limit=5` });
  says(await judged(listed, { method: 'GET', path: '/api/v1/device/pairings' }), thumbprint, 'a query');
  const local = await prove({ ...asked, url: `http://127.0.0.1:9000${PATH}` });
  says(await judged(local, { base_url: 'http://127.0.0.1:9000' }), thumbprint, 'a local address');
  const stale = await prove({ ...asked, nonce: await nonceOf(now - 301_000) });
  says(await judged(stale), 'dpop_nonce_stale', 'a stale nonce');
  const foreign = await prove({ ...asked, nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' });
  says(await judged(foreign), 'dpop_nonce_unknown', 'a nonce of another server');
  console.log(`${name}: accepted 4, refused 10`);
}
judge.end();
python.end();
