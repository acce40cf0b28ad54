// Fetches a Latchkey token for whoever Clerk says is signed in, and hands it to the page that embeds the application.
//
// LATCHKEY_URL is the address of the service and LATCHKEY_API_KEY a key of the kind `embed`. Neither they nor the token
// leave the server by this file: the page decides what the browser gets.

import { type ClerkMiddlewareAuth, clerkMiddleware } from '@clerk/nextjs/server';
import { type NextRequest, NextResponse } from 'next/server';

/** The request header in which the page finds the token. */
const TOKEN_HEADER = 'x-latchkey-token';

interface Login {
  userId: string;
  organizationId: string;
  organizationName: string;
}

/** Registers the organization under its Clerk id, or finds it again, and returns a token for the user. */
async function fetchToken({ userId, organizationId, organizationName }: Login): Promise<string> {
  const { LATCHKEY_URL, LATCHKEY_API_KEY } = process.env;
  const answer = await fetch(`${LATCHKEY_URL}/v1/api/tenant/register-tenant`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${LATCHKEY_API_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      key: organizationId,
      displayName: organizationName,
      user: userId,
      // What the embedded application may show. It comes from the session and never from the request.
      prefilters: { organization_id: organizationId },
      expiration: '1h',
    }),
    cache: 'no-store',
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`register-tenant: ${answer.status}, request ${answer.headers.get('x-request-id')}`);
  return (await answer.json()).data.token;
}

async function withToken(auth: ClerkMiddlewareAuth, request: NextRequest): Promise<NextResponse> {
  const headers = new Headers(request.headers);
  headers.set(TOKEN_HEADER, ''); // the browser may have sent one
  const { userId, orgId, orgSlug } = await auth();
  if (userId && orgId) {
    try {
      const login = { userId, organizationId: orgId, organizationName: orgSlug ?? orgId };
      headers.set(TOKEN_HEADER, await fetchToken(login));
    } catch (error) {
      // The rest of the page works without the embedded application, so this is no reason to refuse the request.
      console.error(error instanceof Error ? error.message : 'register-tenant failed');
    }
  }
  return NextResponse.next({ request: { headers } });
}

export default clerkMiddleware(withToken, { jwtKey: process.env.CLERK_JWT_KEY });

// Only pages that embed the application: each request that matches costs one call.
export const config = { matcher: ['/dashboard/:path*'] };
