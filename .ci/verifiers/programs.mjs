// The libraries of Debian and of the crate registry: programs that get the tokens on standard input, one a line. BUILT
// says where those are that have to be compiled.

import { execFile, execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from '../foreign/service.mjs';
import { headerOf } from './node/header.mjs';
import { broken } from './node/rules.mjs';
import { GOOD } from './tokens.mjs';

const { VERIFIERS, BUILT } = process.env;
const of = (file) => `${VERIFIERS}/debian/${file}`;
const perl = (file, ...rest) => ['perl', of(file), ...rest];
/** What is left to the caller where the signature is all that is checked. */
const ALL = ['typ', 'iss', 'aud', 'exp', 'iat', 'sub'];

const DEBIAN = [
  {
    name: 'ruby-jwt',
    from: 'ruby-jwt',
    set: '`algorithms: [\'ES256\']`, `jwks`, `iss`, `verify_iss`, `aud`, `verify_aud`, `required_claims: %w[exp iat sub]`, `exp_leeway: 5`',
    byHand: ['typ', 'iat'],
    remark: '`verify_iat` has no leeway',
    command: ['ruby', of('ruby_jwt.rb')],
  },
  {
    name: 'json-jwt for Ruby',
    from: 'ruby-json-jwt',
    set: 'a set and `:ES256`: it checks the signature and no claim',
    byHand: ALL,
    command: ['ruby', of('json_jwt.rb')],
  },
  {
    name: 'Crypt::JWT for Perl',
    from: 'libcrypt-jwt-perl',
    set: '`kid_keys`, `accepted_alg`, `verify_iss`, `verify_aud`, `verify_exp => 1`, `verify_iat => 1`, `leeway => 5`. It has no `verify_typ` yet, and says nothing if it is given',
    byHand: ['typ', 'sub'],
    command: perl('crypt_jwt.pl'),
  },
  {
    name: 'JSON::WebToken for Perl',
    from: 'libjson-webtoken-perl',
    cannot: 'it has no ES256',
    because: 'ES256|algorithm|Unsupported',
    command: perl('perl_cannot.pl', 'JSON::WebToken'),
  },
  {
    name: 'Mojo::JWT for Perl',
    from: 'libmojo-jwt-perl',
    cannot: 'it has no ES256',
    because: 'ES256|algorithm|Unsupported',
    command: perl('perl_cannot.pl', 'Mojo::JWT'),
  },
  {
    name: 'erlang-jose',
    from: 'erlang-jose',
    keys: 'JWK by `kid`',
    set: '`verify_strict` with `[<<"ES256">>]` and one key: it checks the signature and no claim, and takes no set. Needs a JSON module, such as jiffy',
    byHand: ALL,
    command: ['escript', of('jose.escript')],
  },
  {
    name: 'golang-jwt',
    from: 'golang-github-golang-jwt-jwt-dev',
    keys: 'PEM by `kid`',
    set: '`ValidMethods: []string{"ES256"}`',
    byHand: ALL,
    remark: 'no leeway: clocks must agree to the second. Version 5 has one',
    command: [`${BUILT}/golang_jwt`],
  },
  {
    name: 'go-jose',
    from: 'golang-gopkg-square-go-jose.v2-dev',
    set: '`Expected{Issuer, Audience, Time}`, `ValidateWithLeeway(…, 5*time.Second)`',
    byHand: ['typ', 'exp', 'iat', 'sub'],
    command: [`${BUILT}/go_jose`],
  },
  {
    name: 'libcjose',
    from: 'libcjose-dev',
    keys: 'JWK by `kid`',
    set: 'it checks the signature and no claim; compare `alg` of the header, too',
    byHand: ALL,
    command: [`${BUILT}/cjose`],
  },
  {
    name: 'José',
    from: 'jose',
    keys: 'JWK by `kid`',
    set: '`jose jws ver` with that key, because of a set it tries each: it checks the signature and no claim. It prints the claims of a bad token, too: go by its exit status',
    byHand: ALL,
    command: ['sh', of('jose.sh')],
  },
  {
    name: 'rnbyc',
    from: 'rnbyc',
    set: '`--parse-token`, and `--public-key` with the whole set: it checks the signature and no claim. It prints the claims of a bad token, too: go by its exit status and the line `Token signature verified`',
    byHand: ALL,
    command: ['sh', of('rnbyc.sh')],
  },
  {
    name: 'njs for nginx',
    from: 'njs',
    keys: 'PEM by `kid`',
    set: '`crypto.subtle.verify` with a key that is imported as `spki`, because it takes no JWK: it checks the signature and nothing else. Compare `alg` of the header, too. Put `await` into statements of its own ([run](../findings/njs-takes-no-await-within-arguments.sh))',
    byHand: ALL,
    // It gets the tokens as arguments.
    command: ['xargs', 'njs', of('njs.js')],
  },
  {
    name: 'libjwt',
    from: 'libjwt-dev',
    cannot: 'it refuses a `typ` other than `JWT`. Slurm uses it',
    because: 'Invalid argument',
    command: [`${BUILT}/libjwt`],
  },
  {
    name: 'cpp-jwt',
    from: 'libcpp-jwt-dev',
    cannot: 'it refuses a `typ` other than `JWT`',
    because: 'type mismatch',
    command: [`${BUILT}/cpp_jwt`],
  },
];

const CRATES = [
  ...['10', '12'].map((major) => ({
    crate: 'jsonwebtoken',
    major,
    set: '`Validation::new(Algorithm::ES256)` with `set_issuer`, `set_audience`, `set_required_spec_claims(&["iss", "aud", "exp", "sub"])`, `leeway = 5`; `JwkSet::find`',
    byHand: ['typ', 'iat'],
    command: [`${BUILT}/latchkey-verifiers`, `jsonwebtoken-${major}`],
  })),
  {
    crate: 'jwt-simple',
    major: '0',
    keys: 'PEM by `kid`',
    set: '`required_key_id`, `allowed_issuers`, `allowed_audiences`, `time_tolerance` 5 s: the default is 15 minutes',
    byHand: ['typ', 'exp', 'iat', 'sub'],
    command: [`${BUILT}/latchkey-verifiers`, 'jwt-simple'],
  },
];

/** The version of an installed package of Debian, without what Debian adds. */
export const installed = (name) =>
  execFileSync('dpkg-query', ['--show', '--showformat', '${Version}', name], { encoding: 'utf8' })
    .replace(/^\d+:/, '')
    .replace(/\+ds|-[^-]*$/g, '');

/** What a program says of the tokens. */
async function run({ command: [program, ...args], byHand = [], cannot }, { tenant, kid, tokens: all, keys }) {
  const tokens = cannot ? { [GOOD]: all[GOOD] } : all;
  const jwk = keys.find((key) => key.kid === kid);
  const [set, pem] = [`${VERIFIERS}/keys.json`, `${VERIFIERS}/key.pem`];
  writeFileSync(set, JSON.stringify({ keys }));
  writeFileSync(pem, createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
  const expected = { issuer: tenant.issuer, audience: tenant.id };
  const about = [tenant.issuer, tenant.id, set, pem, kid, JSON.stringify(jwk)];
  const running = promisify(execFile)(program, [...args, ...about], { timeout: 30_000 });
  running.child.stdin.end(`${Object.values(tokens).join('\n')}\n`);
  const lines = (await running).stdout.trimEnd().split('\n');
  return Object.fromEntries(
    Object.entries(tokens).map(([name, token], place) => {
      const line = lines[place];
      expect(line, `${[program, ...args].join(' ')} says nothing of ${name}`);
      if (line.startsWith('refused: ')) return [name, line];
      const rule = broken([...byHand, 'scope'], headerOf(token), JSON.parse(line), expected);
      return [name, rule ? `by hand: ${rule}` : null];
    }),
  );
}

/** The version in the lock file. */
function locked(crate, major) {
  const lock = readFileSync(`${VERIFIERS}/rust/Cargo.lock`, 'utf8');
  return new RegExp(`name = "${crate}"\nversion = "(${major}\\.[^"]+)"`).exec(lock)[1];
}

/** A row for each, with what it says of the tokens. */
async function rows(list, at) {
  const { keys } = await (await fetch(`${at.tenant.issuer}/.well-known/jwks.json`)).json();
  const made = [];
  for (const { name, from, crate, major, ...row } of list) {
    const verifier = crate ? `${crate} ${locked(crate, major)}` : `${name} ${installed(from)}`;
    made.push({ verifier, ...row, refusals: await run(row, { ...at, keys }) });
  }
  return made;
}

export const debian = (at) => rows(DEBIAN, at);
export const crates = (at) => rows(CRATES, at);
