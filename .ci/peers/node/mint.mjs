// Mints a token by client credentials: oidc-provider with one client, its store in memory, a signed token (ES256).

import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const resource = "https://api.example.com";
const server = { scope: "api", accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } } };
const provider = new Provider("http://127.0.0.1", {
  clients: [
    {
      client_id: "bench",
      client_secret: "bench-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      // Of the only key; an id token is never made.
      id_token_signed_response_alg: "ES256",
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, defaultResource: () => resource, getResourceServerInfo: () => server },
  },
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "bench" }] },
  scopes: ["api"],
});
const listening = provider.listen(0, "127.0.0.1", () => console.log(`port ${listening.address().port}`));
