// What readers of OAuth metadata make of that of Latchkey. ISSUER says whose. Prints a line of JSON for each.

import { OAuthMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js';
import { allowInsecureRequests, discovery } from 'openid-client';
import { installed } from './installed.mjs';

const { ISSUER: issuer } = process.env;
const READERS = [
  {
    reader: installed('openid-client'),
    finds: 'the key set and the endpoints, by `discovery` with `algorithm: \'oauth2\'`',
    read: async () => {
      const options = { algorithm: 'oauth2', execute: [allowInsecureRequests] };
      const found = (await discovery(new URL(issuer), 'latchkey', undefined, undefined, options)).serverMetadata();
      for (const name of ['jwks_uri', 'introspection_endpoint', 'revocation_endpoint']) new URL(found[name]);
    },
  },
  {
    reader: `${installed('@modelcontextprotocol/sdk')}, \`OAuthMetadataSchema\``,
    finds: '**nothing**: it requires `authorization_endpoint` and `token_endpoint`',
    cannot: true,
    because: 'authorization_endpoint[^]*token_endpoint',
    read: async () => {
      const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
      OAuthMetadataSchema.parse(await answer.json());
    },
  },
];

for (const { reader, read, ...row } of READERS) {
  const refusal = await read().then(
    () => null,
    (error) => String(error.message),
  );
  console.log(JSON.stringify({ verifier: reader, ...row, refusal }));
}
