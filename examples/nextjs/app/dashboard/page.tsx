import { headers } from 'next/headers';

// The token is in the frame's address, so the page sends no `Referer`.
export const metadata = { title: 'Dashboard', referrer: 'no-referrer' as const };

export default async function Dashboard() {
  const token = (await headers()).get('x-latchkey-token');
  if (!token) return <p>Sign in, or try again.</p>;
  return <iframe title="Dashboard" src={`${process.env.EMBED_URL}?jwt=${token}`} />;
}
