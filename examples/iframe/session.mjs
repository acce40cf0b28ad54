// Stands in for your own login: replace this file. Whoever sends DEMO_SESSION as the cookie `session` is signed in,
// as the user DEMO_USER_ID of the organization DEMO_ORGANIZATION_ID. Without DEMO_SESSION nobody is.

const { DEMO_SESSION, DEMO_USER_ID, DEMO_ORGANIZATION_ID } = process.env;

/** Who sent the request, by the ids that are registered with Latchkey; null if nobody is signed in. */
export async function signedIn(request) {
  const cookies = (request.headers.cookie ?? '').split(/; */);
  const isSignedIn = Boolean(DEMO_SESSION) && cookies.includes(`session=${DEMO_SESSION}`);
  return isSignedIn ? { userId: DEMO_USER_ID, organizationId: DEMO_ORGANIZATION_ID } : null;
}
