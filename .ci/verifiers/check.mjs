// Other people's verifiers, set up as docs/verifiers.md says, and what they make of good and bad tokens. Arguments:
// which of its tables. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is, VERIFIERS where the libraries are with
// their packages, PYTHON what to run, CERTIFICATE a certificate and key for 127.0.0.1; ENVOY and EXAMPLES are for
// recipes.mjs, BUILT for programs.mjs.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { end } from '../running.mjs';
import { crates, debian } from './programs.mjs';
import { secureFront } from './front.mjs';
import { recipes } from './recipes.mjs';
import { compare, judge } from './table.mjs';
import { GOOD, presented } from './tokens.mjs';

const { VERIFIERS, PYTHON, CERTIFICATE } = process.env;
const TABLES = {
  recipes,
  npm: (at) => run([process.execPath, 'node/run.mjs'], at),
  PyPI: (at) => run([PYTHON, 'python/run.py'], at),
  readers,
  Debian: debian,
  crates,
};

/** What the libraries of one language say of the tokens: a row for each. */
async function run([command, ...args], { tenant, kid, tokens, front }) {
  const env = {
    ...process.env,
    ISSUER: tenant.issuer,
    AUDIENCE: tenant.id,
    KID: kid,
    KEY_SET: `${front}/t/${tenant.id}/.well-known/jwks.json`,
    NODE_EXTRA_CA_CERTS: CERTIFICATE,
  };
  // Not spawnSync: this process serves the front.
  const running = promisify(execFile)(command, args, { cwd: VERIFIERS, env, timeout: 60_000 });
  running.child.stdin.end(JSON.stringify(tokens));
  const { stdout } = await running;
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
}

/** What readers of the metadata make of it: a row for each. */
async function readers(at) {
  const node = await run([process.execPath, 'node/readers.mjs'], at);
  const rows = [...node, ...(await run([PYTHON, 'python/readers.py'], at))];
  return rows.map(({ refusal, ...row }) => ({ ...row, refusals: { [GOOD]: refusal } }));
}

try {
  const at = { ...(await presented()), front: await secureFront() };
  const count = Object.keys(at.tokens).length - 1;
  const tables = {};
  for (const name of process.argv.slice(2)) {
    const rows = await TABLES[name](at);
    for (const row of rows) judge(row);
    tables[name] = rows;
    const what = name === 'readers' ? 'programs' : `verifiers, ${count} tokens that all of them refuse`;
    console.log(`${name}: ${rows.length} ${what}`);
  }
  compare(tables);
} finally {
  await end();
}
