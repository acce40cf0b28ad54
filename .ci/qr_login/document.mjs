// Does what examples/qr-login/README.md says, line by line: from nothing to a login that is approved, in two windows of
// a browser and with no phone.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { adminKey, expect, url } from '../foreign/service.mjs';
import { atEnd, freePort, until } from '../running.mjs';

const { EXAMPLES } = process.env;
const FOLDER = `${EXAMPLES}/qr-login`;
const MOST = 12;

/** The numbered actions of a section. */
function actions(title) {
  const [, section] = new RegExp(`^## ${title}\n(.*?)^## `, 'ms').exec(readFileSync(`${FOLDER}/README.md`, 'utf8'));
  const items = [...section.matchAll(/^(\d+)\. (.*?)(?=^\d+\. |^\S|$(?![^]))/gms)];
  expect(
    items.every(([, number], index) => Number(number) === index + 1),
    'the actions are numbered otherwise',
  );
  return {
    items: items.map(([, , text]) => text.trim()),
    outcome: /\nThe first window shows \*\*(.+)\*\*\./.exec(section)[1],
  };
}

/** A shell as somebody has it open: what it prints after each block. */
class Shell {
  printed = '';
  everything = '';

  constructor(environment) {
    const env = { ...process.env, ...environment };
    this.bash = spawn('bash', ['-eu'], { cwd: FOLDER, env, stdio: 'pipe', detached: true });
    atEnd(() => process.kill(-this.bash.pid, 'SIGKILL'));
    for (const stream of [this.bash.stdout, this.bash.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.printed += text;
        this.everything += text;
      });
    }
    this.bash.on('exit', () => (this.hasEnded = true));
  }

  async run(block) {
    this.printed = '';
    this.bash.stdin.write(`${block}\necho done-$?\n`);
    await until(60, () => expect(this.hasEnded || this.printed.includes('done-0'), `${block}\n${this.printed}`));
    expect(!this.hasEnded, `${block}\nends the shell: ${this.printed}`);
  }
}

export async function documented(browser) {
  const { items, outcome } = actions('Try it without a phone');
  expect(items.length <= MOST, `${items.length} actions`);
  const port = await freePort();
  // The packages were fetched before; the registry is not what is checked here.
  const shell = new Shell({ PORT: `${port}`, npm_config_prefer_offline: 'true', npm_config_audit: 'false' });
  // The addresses of the document are those of a machine on which nothing else runs.
  const here = (text) =>
    text.replaceAll('http://127.0.0.1:9000', url).replaceAll('http://127.0.0.1:8080', `http://127.0.0.1:${port}`);
  const windows = {};
  for (const name of ['first', 'second']) windows[name] = await (await browser.newContext()).newPage();
  const { first } = windows;

  const open = async (page, address) => {
    // The backend is installed first.
    await until(60, () => page.goto(address)).catch((error) => {
      throw new Error(`${error.message}\n${shell.everything}`);
    });
  };
  const WAYS = [
    [/^open the printed address$/, (page) => open(page, /http:\S+/.exec(shell.printed)[0])],
    [/^open `(.+)`$/, (page, address) => open(page, here(address))],
    [
      /^open the address of \*\*(.+)\*\* of the first, within ten seconds$/,
      async (page, name) => open(page, await first.getByRole('link', { name }).getAttribute('href')),
    ],
    [/^press \*\*(.+)\*\*$/, (page, name) => page.getByRole('button', { name, exact: true }).click()],
    [
      /^type the number that the first shows$/,
      async (page) => {
        const heading = first.getByRole('heading', { name: /^Type \d\d/ });
        await heading.waitFor({ timeout: 15_000 });
        await page.getByRole('textbox').pressSequentially(/\d\d/.exec(await heading.innerText())[0]);
      },
    ],
  ];
  const act = async (text, index) => {
    const [, block] = /```sh\n(.*)```/s.exec(text) ?? [];
    if (block?.includes('cargo dev')) {
      // It runs already, started by this very line.
      expect(block.trim() === `cargo dev --admin-key ${adminKey}`, `another way to start the service: ${block}`);
    } else if (block) await shell.run(here(block));
    else {
      const [, window, what] = /^In the (first|second) window, (.+)\.$/s.exec(text) ?? [];
      const [pattern, way] = WAYS.find(([pattern]) => pattern.test(what)) ?? [];
      expect(way, `nobody can do this: ${index + 1}. ${text}`);
      await way(windows[window], ...pattern.exec(what).slice(1));
    }
  };
  for (const [index, text] of items.entries()) await act(text, index);
  await first.getByRole('heading', { level: 1, name: outcome }).waitFor({ timeout: 15_000 });
  for (const page of Object.values(windows)) await page.context().close();
  console.log(`README: ${items.length} actions to an approved login`);
}
