/** The header of a token, which says nothing before the token is verified. */
export const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
