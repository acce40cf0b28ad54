// Which page it is. A page that is prerendered waits until somebody sees it: nobody has opened the link yet.

import { obstacle } from './browser.js';
import { consent } from './consent.js';
import { busy, showNote } from './dom.js';
import { phone } from './phone.js';

if (document.prerendering) {
  await new Promise((seen) => document.addEventListener('prerenderingchange', seen, { once: true }));
}
await busy(async () => {
  const missing = await obstacle();
  if (missing) return showNote(missing);
  return location.pathname === '/p' ? phone() : consent();
});
