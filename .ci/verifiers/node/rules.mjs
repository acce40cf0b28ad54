// What the caller of a library checks, where the library does not. 5 seconds are what Latchkey's own clocks may differ.

const now = () => Date.now() / 1000;

const RULES = {
  typ: ({ typ }) => typ === 'at+jwt',
  iss: (_, { iss }, { issuer }) => iss === issuer,
  aud: (_, { aud }, { audience }) => aud === audience,
  exp: (_, { exp }) => Number.isSafeInteger(exp) && exp > now() - 5,
  iat: (_, { iat }) => Number.isSafeInteger(iat) && iat <= now() + 5,
  sub: (_, { sub }) => typeof sub === 'string' && sub !== '',
  scope: (_, { scope }) => scope === 'project_user',
};

/** The first rule among these that a verified token does not keep. */
export function broken(names, header, claims, expected) {
  return names.find((name) => !RULES[name](header, claims, expected));
}
