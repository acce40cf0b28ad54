// Passkeys in Chromium, with its virtual authenticators. LATCHKEY_URL and ADMIN_KEY say where the service is, EXAMPLES
// where the example is, PYTHON has the second judge, CHROMIUM what to run, SHOTS where pictures go.

import { chromium, end } from '../running.mjs';
import { example } from './example.mjs';

try {
  const browser = await chromium();
  await example(browser);
} finally {
  await end();
}
