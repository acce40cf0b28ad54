// Lines from an API key to a token that is introspected, in three languages, made from one description of the calls.

import { apiUrl } from './console-api.js';
import { t } from './console-texts.js';
import { element, lines } from './console-ui.js';

const ROLE = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const INTROSPECT = '/api/v1/auth/introspect';

/** What a kind of key is for: its header, the calls before a token, and the one that mints it. */
function uses(kind, projectId) {
  const projects = '/v1/api/projects/';
  const bearer = ['Authorization', 'Bearer '];
  if (kind === 'account') {
    return { header: ['X-API-KEY', ''], mint: ['/api/v1/auth/token', { external_user_id: 'ada' }, ['access_token']] };
  }
  if (kind === 'embed') {
    const body = { displayName: 'Initech', key: 'initech', prefilters: {} };
    return { header: bearer, mint: ['/v1/api/tenant/register-tenant', body, ['data', 'token']] };
  }
  const organization = { name: 'Globex', externalId: 'globex', properties: {}, projectId };
  const ada = { name: 'Ada', externalId: 'ada', projectOrganizationId: 'globex' };
  const user = { ...ada, userRoleId: ROLE, properties: {}, projectId };
  return {
    header: bearer,
    before: [
      [`${projects}register-organization`, organization],
      [`${projects}register-user`, user],
    ],
    mint: [`${projects}user-token`, { userId: 'ada', organizationId: 'globex', expiration: '30m' }, ['data', 'token']],
  };
}

function curl(url, key, { header: [name, scheme], before = [], mint: [path, body, field] }) {
  const post = (to, sent) => `post ${to} '${JSON.stringify(sent)}'`;
  return [
    `url='${url}' key='${key}'`,
    `auth='${name}: ${scheme}'$key json='Content-Type: application/json'`,
    'post() { curl -sS --fail-with-body "$url$1" -H "$auth" -H "$json" -d "$2"; }',
    ...before.map(([to, sent]) => `${post(to, sent)} && echo`),
    `token=$(${post(path, body)} | sed -n 's/.*"${field.at(-1)}":"\\([^"]*\\)".*/\\1/p')`,
    `post ${INTROSPECT} "{\\"token\\":\\"$token\\"}" && echo`,
  ];
}

function node(url, key, { header: [name, scheme], before = [], mint: [path, body, field] }) {
  const post = (to, sent) => `await post('${to}', ${JSON.stringify(sent)})`;
  return [
    '// token.mjs, for Node 18 or newer',
    `const url = '${url}', key = '${key}';`,
    `const headers = { '${name}': \`${scheme}\${key}\`, 'Content-Type': 'application/json' };`,
    'async function post(path, body) {',
    "  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });",
    '  if (!answer.ok) throw new Error(await answer.text());',
    '  return answer.json();',
    '}',
    ...before.map(([to, sent]) => `${post(to, sent)};`),
    `const token = (${post(path, body)}).${field.join('.')};`,
    `console.log(await post('${INTROSPECT}', { token }));`,
  ];
}

function python(url, key, { header: [name, scheme], before = [], mint: [path, body, field] }) {
  const post = (to, sent) => `post('${to}', ${JSON.stringify(sent)})`;
  return [
    'import json, urllib.request',
    '',
    `url, key = '${url}', '${key}'`,
    `headers = {'${name}': '${scheme}' + key, 'Content-Type': 'application/json'}`,
    '',
    'def post(path, body):',
    '    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)',
    '    with urllib.request.urlopen(request) as answer:',
    '        return json.load(answer)',
    '',
    ...before.map(([to, sent]) => post(to, sent)),
    `token = ${post(path, body)}${field.map((part) => `['${part}']`).join('')}`,
    `print(post('${INTROSPECT}', {'token': token}))`,
  ];
}

/** The lines for a key. One language is open at a time. */
export function snippets(kind, key, projectId) {
  const described = uses(kind, projectId);
  return Object.entries({ curl, Node: node, Python: python }).map(([label, write], index) =>
    element(
      'details',
      { name: 'snippets', open: index === 0 },
      element('summary', { textContent: label }),
      lines(`${write(apiUrl(), key, described).join('\n')}\n`, `${t.secret.use}: ${label}`),
    ),
  );
}
