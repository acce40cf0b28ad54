// Passkeys in Chromium, with its virtual authenticators. LATCHKEY_URL and ADMIN_KEY say where the service is, EXAMPLES
// where the example is, PYTHON has the second judge, CHROMIUM what to run, SHOTS where pictures go.

import { chromium, end } from '../running.mjs';
import { combinations } from './combinations.mjs';
import { example } from './example.mjs';
import { setups } from './setups.mjs';

try {
  const browser = await chromium();
  await example(browser);
  await combinations(browser);
  await setups(browser);
} finally {
  await end();
}
