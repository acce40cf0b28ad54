// What the checks with other people's libraries need of a running service: tenants, tokens, and tokens that it would
// never issue. Its address is in LATCHKEY_URL, that of its local AWS in AWS_URL, the operator's key in ADMIN_KEY.

import { SignJWT, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';

export const { LATCHKEY_URL: url, AWS_URL: aws, ADMIN_KEY: adminKey } = process.env;

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

/** A request; its status and its JSON. */
export async function call(path, body, headers, method = body === undefined ? 'GET' : 'POST') {
  const json = { 'content-type': 'application/json', ...headers };
  const options = { method, headers: json, body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) };
  const answer = await fetch(url + path, options);
  return { status: answer.status, body: await answer.json(), requestId: answer.headers.get('x-request-id') };
}

/** What a change of the registry answers. */
export async function operator(path, body) {
  const answer = await call(`/api/v1/${path}`, body, { 'x-admin-key': adminKey });
  expect(answer.body.success, `${path}: ${answer.status}`);
  return answer.body.data;
}

/** A tenant with an API key of each kind, an organization and a user, whose backend signs its calls too. */
export async function provision(name) {
  const made = await operator('provision/tenant', { tenant_name: name, signing_version: 'v2' });
  const { tenant_id: id, project_id: projectId } = made;
  const key = async (kind) => operator(`provision/api-key?tenant_id=${id}`, { name: kind, kind });
  const [{ api_key: admin }, { api_key: embed, key_id: embedId }] = [await key('admin'), await key('embed')];
  const { api_key: account, key_id: accountId } = await key('account');
  const keys = { admin, embed, embedId, account, accountId };
  const tenant = { id, projectId, issuer: `${url}/t/${id}`, secret: made.tenant_secret, ...keys };
  const registered = async (path, body) => {
    const answer = await projects(tenant, path, { name, projectId, properties: {}, ...body });
    expect(answer.status === 200, `${path}: ${answer.status}`);
    return answer.body.data;
  };
  const organization = await registered('projects/register-organization', { externalId: 'acme' });
  const user = await registered('projects/register-user', {
    externalId: 'ada',
    projectOrganizationId: 'acme',
    userRoleId: '00000000-0000-4000-8000-000000000003',
  });
  return { ...tenant, userId: user.userId, organizationId: organization.projectOrganizationId };
}

export function projects(tenant, path, body, key = tenant.admin) {
  return call(`/v1/api/${path}`, body, { authorization: `Bearer ${key}` });
}

/** A token of the tenant's user. */
export async function userToken(tenant, expiration = 3600) {
  const { userId, organizationId } = tenant;
  const answer = await projects(tenant, 'projects/user-token', { userId, organizationId, expiration }, tenant.embed);
  expect(answer.status === 200, `user-token: ${answer.status}`);
  return answer.body.data.token;
}

/** A token of the older kind. */
export async function legacyToken(tenant) {
  const body = { displayName: 'Globex', key: 'globex', user: 'hank', prefilters: { org_id: 7 } };
  const answer = await projects(tenant, 'tenant/register-tenant', body, tenant.embed);
  expect(answer.status === 200, `register-tenant: ${answer.status}`);
  return answer.body.data.token;
}

/** A scoped token: of the end user in the body, or of the whole account. */
export async function scopedToken(tenant, body = {}) {
  const { status, body: answer } = await call('/api/v1/auth/token', body, { 'x-api-key': tenant.account });
  const { access_token: token, token_type: type, expires_in: seconds, scope } = answer;
  expect(status === 200 && /^bearer$/i.test(type) && Object.keys(answer).length === 4, `auth/token: ${status}`);
  const { iat, exp, scope: claimed } = decodeJwt(token);
  expect(scope === claimed, `a token of scope ${claimed} that is said to be of ${scope}`);
  expect(seconds === (body.expires_in_minutes ?? 60) * 60 && seconds === exp - iat, `a token for ${seconds} s`);
  return token;
}

/** What the service says about a token. */
export async function introspect(tenant, token) {
  const answer = await call('/api/v1/auth/introspect', { token }, { authorization: `Bearer ${tenant.embed}` });
  expect(answer.status === 200, `introspect: ${answer.status}`);
  return answer.body;
}

/** Whether the service says that a token is valid now. */
export async function isActive(tenant, token) {
  return (await introspect(tenant, token)).active;
}

async function privateKey(tenant) {
  return (await secret(`signing-keys/${tenant.id}`)).signing_key;
}

/** What the local AWS answers. */
async function askAws(service, target, contentType, body) {
  const credential = `Credential=local/20260101/us-east-1/${service}/aws4_request`;
  const headers = {
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
    'content-type': contentType,
    'x-amz-date': '20260101T000000Z',
    'x-amz-target': target,
  };
  const options = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(30_000) };
  const answer = await fetch(aws, options);
  expect(answer.ok, `${target}: ${answer.status}`);
  return answer.json();
}

/** What a secret of the local deployment holds. */
export async function secret(name) {
  const body = { SecretId: `latchkey/dev/${name}` };
  const answer = await askAws('secretsmanager', 'secretsmanager.GetSecretValue', 'application/x-amz-json-1.1', body);
  return JSON.parse(answer.SecretString);
}

/** An operation on the table of the local deployment. */
export function dynamodb(operation, request) {
  const body = { TableName: 'latchkey-Table', ...request };
  return askAws('dynamodb', `DynamoDB_20120810.${operation}`, 'application/x-amz-json-1.0', body);
}

/** Makes a time in an item of the table past by so many seconds. */
export function pastIn({ pk, sk }, name, seconds = 1) {
  return dynamodb('UpdateItem', {
    Key: { pk: { S: pk }, sk: { S: sk } },
    UpdateExpression: 'SET #name = :past',
    ConditionExpression: 'attribute_exists(#name)',
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: { ':past': { N: `${Date.now() - seconds * 1000}` } },
  });
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The token with other claims, under the signature of those that it had. */
export function tampered(token, changed) {
  const [head, , signature] = token.split('.');
  return [head, encode({ ...decodeJwt(token), ...changed }), signature].join('.');
}

/** Tokens that nobody may accept, each by what is wrong with it. Most are signed with the tenant's own key, so that
 * nothing but that is wrong: they are made of a good one. */
export async function forgeries(tenant, other, token) {
  const good = token ?? (await userToken(tenant));
  const [header, claims] = [decodeProtectedHeader(good), decodeJwt(good)];
  const key = await importJWK(await privateKey(tenant), 'ES256');
  const published = new TextEncoder().encode(
    JSON.stringify(await (await fetch(`${tenant.issuer}/.well-known/jwks.json`)).json()),
  );
  const signed = (changed, headerChanged = {}, by = key) =>
    new SignJWT({ ...claims, ...changed }).setProtectedHeader({ ...header, ...headerChanged }).sign(by);
  const [head, body, signature] = good.split('.');
  const now = Math.floor(Date.now() / 1000);
  expect(await isActive(tenant, await signed({})), 'a token signed by hand with the right key is no token');
  return {
    garbage: 'garbage',
    'three parts of nothing': 'a.b.c',
    expired: await signed({ iat: now - 100, exp: now - 10 }),
    'issued ten minutes ahead': await signed({ iat: now + 600, exp: now + 4200 }),
    'no expiry': await signed({ exp: undefined }),
    'no time of issue': await signed({ iat: undefined }),
    'no issuer': await signed({ iss: undefined }),
    'no audience': await signed({ aud: undefined }),
    'no subject': await signed({ sub: undefined }),
    'another issuer': await signed({ iss: other.issuer }),
    'another audience': await signed({ aud: other.id }),
    'another type': await signed({}, { typ: 'JWT' }),
    'no type': await signed({}, { typ: undefined }),
    'an unknown key': await signed({}, { kid: 'unknown' }),
    'another tenant': await userToken(other),
    'signed by another tenant': await signed({}, {}, await importJWK(await privateKey(other), 'ES256')),
    'no signature': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'no signature, with one': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'the key set as a password': await signed({}, { alg: 'HS256' }, published),
    'changed claims': tampered(good, { sub: other.userId }),
    'changed signature': `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
    // Without its last characters alone, it would now and then be the same signature to those who put zeros there.
    'cut off': good.slice(0, -signature.length / 2),
  };
}
