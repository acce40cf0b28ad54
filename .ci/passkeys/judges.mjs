// Other people's servers, which judge what browsers answer by the rules that Latchkey has, as far as they have them.

import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../running.mjs';
import { RP_ID } from './party.mjs';

const python = spawn(process.env.PYTHON, [fileURLToPath(new URL('judge.py', import.meta.url))], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
atEnd(() => python.kill());
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

async function webauthn(asked) {
  python.stdin.write(`${JSON.stringify(asked)}\n`);
  return JSON.parse((await lines.next()).value);
}

async function simplewebauthn({ kind, credential, challenge, origin, rp_id: expectedRPID, stored }) {
  const expected = {
    response: credential,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID,
    requireUserVerification: true,
  };
  try {
    if (kind === 'create') {
      const made = await verifyRegistrationResponse({ ...expected, supportedAlgorithmIDs: [-7, -8, -257] });
      if (!made.verified) return { refused: 'not verified' };
      const { publicKey, counter } = made.registrationInfo.credential;
      return { key: Buffer.from(publicKey).toString('base64url'), counter };
    }
    const publicKey = Buffer.from(stored.key, 'base64url');
    const kept = { id: credential.id, publicKey, counter: stored.counter };
    const used = await verifyAuthenticationResponse({ ...expected, credential: kept });
    return used.verified ? { counter: used.authenticationInfo.newCounter } : { refused: 'not verified' };
  } catch (error) {
    return { refused: error.message };
  }
}

const JUDGES = { webauthn, simplewebauthn };

/** What each of them keeps of one passkey, and says of its answers. */
export class Judges {
  #stored = {};

  /** Each one's reason to refuse, or nothing. */
  async judge(kind, credential, { challenge }, origin) {
    const reasons = {};
    for (const [name, judge] of Object.entries(JUDGES)) {
      const asked = { kind, credential, challenge, origin, rp_id: RP_ID, stored: this.#stored[name] };
      // A login with a passkey that it has not taken.
      const answer = kind === 'get' && !asked.stored ? { refused: 'unknown' } : await judge(asked);
      reasons[name] = answer.refused;
      if (!answer.refused) this.#stored[name] = { ...this.#stored[name], ...answer };
    }
    return reasons;
  }
}
