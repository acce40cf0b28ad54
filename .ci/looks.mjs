// What a page looks like. SHOTS says where the pictures go.

import { mkdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from './foreign/service.mjs';

const { SHOTS } = process.env;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Those of an earlier run are of other views.
await rm(SHOTS, { recursive: true, force: true });
await mkdir(SHOTS, { recursive: true });

/** Takes pictures of a page in light and dark, and expects axe to find nothing in it. How many pictures. */
export async function looks(page, name) {
  const schemes = ['light', 'dark'];
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    const found = violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target)}`);
    expect(found.length === 0, `${name}, ${colorScheme}: ${found}`);
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}.png`), fullPage: true });
  }
  return schemes.length;
}
