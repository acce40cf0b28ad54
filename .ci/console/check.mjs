// The console with the functions as they are: what operators and tenants do, by keyboard alone, and what must not happen.
// LATCHKEY_URL and ADMIN_KEY say where the service is, CHROMIUM what to run, PYTHON what runs lines of Python, SHOTS where
// pictures go.

import { end } from '../running.mjs';
import { callbacks } from './callbacks.mjs';
import { hostile } from './hostile.mjs';
import { many, slow, weight } from './limits.mjs';
import { firstToken, tenant } from './operator.mjs';
import { mistakes } from './mistakes.mjs';
import { picture } from './picture.mjs';
import { looked } from './screens.mjs';
import { own, stolen } from './tenant.mjs';

try {
  const { person, actions } = await firstToken();
  console.log(`console: from the link to a verified token in ${actions} actions`);
  const address = await tenant(person);
  await person.close();
  await own(address);
  await stolen();
  await callbacks();
  console.log('console: a link and a session open what is theirs, once and here');
  console.log(`console: ${await weight()}`);
  await slow();
  await picture();
  console.log(`console: ${await mistakes()} mistakes of a set-up are named with their mend`);
  console.log(`console: ${await hostile()} payloads, none runs`);
  console.log(`console: ${await many()}, ${looked()}`);
} finally {
  await end();
}
