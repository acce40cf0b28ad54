// The examples of the README. Argument of the program: the file with them.

import { readFileSync } from 'node:fs';
import { expect } from './foreign/service.mjs';

export const readme = readFileSync(process.argv[2], 'utf8');

/** Cuts an example out. */
export function example(name) {
  const [, code] = readme.match(new RegExp(`<!-- example: ${name} -->\n\`\`\`\\w+\n(.*?)\`\`\`\n`, 's')) ?? [];
  expect(code, `no example ${name}`);
  return code;
}
