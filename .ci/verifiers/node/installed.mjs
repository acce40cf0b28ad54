import { readFileSync } from 'node:fs';

/** A package with its version. */
export const installed = (name) => {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`;
};
