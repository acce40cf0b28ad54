// The tables of docs/verifiers.md, which are made of what ran.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '../foreign/service.mjs';
import { GOOD } from './tokens.mjs';

const PAGE = 'docs/verifiers.md';
// What a distribution has.
const OF_DEBIAN = ['recipes', 'Debian'];
const quoted = (names) => names.map((name) => `\`${name}\``).join(', ');

/** Whether a verifier does what its row says. */
export function judge({ verifier, cannot, because, refusals }) {
  const accepted = Object.keys(refusals).filter((name) => !refusals[name]);
  if (cannot) {
    expect(accepted.length === 0, `${verifier} accepts ${accepted}`);
    expect(new RegExp(because).test(refusals[GOOD]), `${verifier} refuses because of: ${refusals[GOOD]}`);
  } else {
    const isSo = accepted.length === 1 && accepted[0] === GOOD;
    expect(isSo, `${verifier} accepts: ${accepted.join(', ') || `nothing, because of: ${refusals[GOOD]}`}`);
  }
}

function written({ verifier, keys, set, byHand, remark, recipe, finds, cannot }) {
  if (finds) return `| ${verifier} | ${finds} |`;
  if (recipe) return `| ${verifier} | ${keys} | [recipe](#${recipe}) |`;
  if (cannot) return `| ${verifier} | **no** | ${cannot} | |`;
  const settings = remark ? `${set}. ${remark[0].toUpperCase()}${remark.slice(1)}` : set;
  return `| ${verifier} | ${keys ?? 'key set'} | ${settings} | ${byHand?.length ? quoted(byHand) : '–'} |`;
}

/** Fails if the page has other rows than those that were seen, by the mark of their table; and leaves one that has them. */
export function compare(tables) {
  const page = readFileSync(PAGE, 'utf8');
  let seen = page;
  for (const [name, rows] of Object.entries(tables)) {
    if (OF_DEBIAN.includes(name) && !/^VERSION_ID="12"$/m.test(readFileSync('/etc/os-release', 'utf8'))) {
      console.log(`${name}: versions NOT compared, this is no Debian 12`);
      continue;
    }
    const [before, after] = seen.split(`<!-- ${name} -->\n`);
    expect(after, `${PAGE} has no table ${name}`);
    const [head, ruler] = after.split('\n');
    const table = [head, ruler, ...rows.map(written)].join('\n');
    seen = `${before}<!-- ${name} -->\n${table}${after.slice(after.indexOf('\n\n'))}`;
  }
  const made = `${process.env.VERIFIERS}/verifiers.md`;
  writeFileSync(made, seen);
  expect(seen === page, `${PAGE} has other rows than what was seen: ${made} has them`);
}
