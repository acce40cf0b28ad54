// Writes the calls of calls.json as a program of TypeScript, for the client of one generator: the compiler then judges
// each body and each field that is read by the types that were generated. Argument: the generator. DOCUMENT says what
// the operations are.

import { readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const generator = process.argv[2];
const operations = new Map(
  Object.entries(read(process.env.DOCUMENT).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [operation.operationId, { path, method, ...operation }]),
  ),
);

const camelCase = (name) => name.replace(/[^a-zA-Z0-9]+(.)/g, (_, first) => first.toUpperCase());
const lowerFirst = (name) => name.charAt(0).toLowerCase() + name.slice(1);
const upperFirst = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** A value as source text, with `${name}` as what was kept under that name. */
function source(value, rename = (name) => name) {
  if (typeof value === 'string') {
    const whole = /^\$\{(\w+)\}$/.exec(value);
    return whole ? `kept(${JSON.stringify(whole[1])})` : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((one) => source(one)).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).map(([name, one]) => `${JSON.stringify(rename(name))}: ${source(one)}`);
  return `{ ${members.join(', ')} }`;
}

const headers = { 'X-Latchkey-Tenant-Id': '${tenant}', 'X-Latchkey-Timestamp': '0' };
const isForm = ({ requestBody }) => 'application/x-www-form-urlencoded' in (requestBody?.content ?? {});
const isText = ({ tags }) => tags.includes('pages');
const schemaOf = ({ requestBody }) => Object.values(requestBody.content)[0].schema.$ref.split('/').at(-1);

const generators = {
  'openapi-fetch': {
    head: `import createClient from 'openapi-fetch';
import type { paths } from './client.js';
const client = (role: string) => createClient<paths>({ baseUrl: url, headers: credential(role) });`,
    call(operation, { as, path, query, header, body }) {
      const params = { path, query, header: as === 'signer' ? { ...headers, ...header } : undefined };
      const given = Object.entries(params).filter(([, value]) => value !== undefined);
      const init = [`params: ${source(Object.fromEntries(given))}`];
      if (body !== undefined) init.push(`body: ${source(body)}`);
      if (isForm(operation)) init.push(`headers: { 'content-type': 'application/x-www-form-urlencoded' }`);
      if (isText(operation)) init.push(`parseAs: 'text'`);
      const method = operation.method.toUpperCase();
      return `good(await client('${as}').${method}('${operation.path}', { ${init.join(', ')} }))`;
    },
    member: (name) => name,
  },
  'hey-api': {
    head: `import * as sdk from './client/sdk.gen.js';
import { createClient } from './client/client/index.js';
const client = (role: string) => createClient({
  baseUrl: url,
  auth: (scheme) => (role === 'page' && scheme.scheme !== 'bearer' ? undefined : key(role)),
});`,
    call(operation, { as, path, query, header, body }) {
      const given = { path, query, headers: as === 'signer' ? { ...headers, ...header } : undefined, body };
      const options = Object.entries(given).filter(([, value]) => value !== undefined);
      const texts = options.map(([name, value]) => `${name}: ${source(value)}`);
      const id = operation.operationId;
      return `good(await sdk.${id}({ client: client('${as}'), ${texts.join(', ')} }))`;
    },
    member: (name) => name,
  },
  'typescript-fetch': {
    head: `import * as client from './client/index.js';
const configuration = (role: string) => new client.Configuration({ basePath: url, headers: credential(role) });`,
    call(operation, { as, path, query, header, body }) {
      const signed = as === 'signer' ? { ...headers, ...header } : {};
      const parameters = { ...path, ...query, ...signed, ...(isForm(operation) ? body : {}) };
      const texts = Object.entries(parameters).map(([name, value]) => {
        const { schema } = operation.parameters.find((parameter) => parameter.name === name) ?? {};
        const isTime = schema?.$ref?.endsWith('/Timestamp');
        return `${lowerFirst(camelCase(name))}: ${isTime ? `new Date(${source(value)})` : source(value)}`;
      });
      if (body !== undefined && !isForm(operation)) {
        const schema = schemaOf(operation);
        const isObject = Object.keys(body).length > 0;
        const model = isObject ? `client.${schema}FromJSON(${source(body)})` : '{}';
        texts.push(isObject ? `${lowerFirst(schema)}: ${model}` : `requestBody: ${model}`);
      }
      const api = `new client.${upperFirst(operation.tags[0])}Api(configuration('${as}'))`;
      return `await ${api}.${operation.operationId}(${texts.length > 0 ? `{ ${texts.join(', ')} }` : ''})`;
    },
    member: camelCase,
  },
};

const { head, call, member } = generators[generator];
const lines = read(process.env.CALLS).flatMap((one, number) => {
  const operation = operations.get(one.call);
  const answer = `answer${number}`;
  const keep = Object.entries(one.keep ?? {}).map(([name, path]) => {
    const members = path.split('.').map((part) => `.${member(part)}`).join('');
    return `keep(${JSON.stringify(name)}, ${answer}${members});`;
  });
  return [`const ${answer} = ${call(operation, one)};`, ...(keep.length > 0 ? keep : [`void ${answer};`])];
});

console.log(`${head}

const { LATCHKEY_URL: url = '', ADMIN_KEY = '' } = process.env;
const values: Record<string, string> = { operator: ADMIN_KEY };

function kept(name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(\`nothing is kept as \${name}\`);
  return value;
}

/** Keeps a value of a type that the generator knows. */
function keep<T>(name: string, value: 0 extends 1 & T ? never : T): void {
  if (value === undefined || value === null) throw new Error(\`nothing to keep as \${name}\`);
  values[name] = String(value);
}

function key(role: string): string | undefined {
  return values[role === 'page' ? 'scoped' : role];
}

function credential(role: string): Record<string, string> {
  const value = key(role) ?? '';
  if (role === 'operator') return { 'X-Admin-Key': value };
  if (role === 'account') return { 'X-API-KEY': value };
  return value === '' ? {} : { Authorization: \`Bearer \${value}\` };
}

function good<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

${lines.join('\n')}
`);
