// QR logins. LATCHKEY_URL, AWS_URL and ADMIN_KEY say where the service is, EXAMPLES where the examples are, PYTHON has
// the packages of one, DECODER those that read codes; CHROMIUM is what to run, SHOTS where pictures of each view go.
//
// Time is not waited for: what has a time of its own, in the table, gets one that is past.

import { chromium, end } from '../running.mjs';
import { looked } from '../pages/phone.mjs';
import { backend } from './backends.mjs';
import { documented } from './document.mjs';
import { refusals } from './refusals.mjs';

try {
  const browser = await chromium();
  await documented(browser);
  await backend('Node', browser, true);
  await backend('Python', browser, false);
  await refusals();
  console.log(`qr login: ${looked()} of phones`);
} finally {
  await end();
}
