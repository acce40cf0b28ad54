// The picture of the console in the README.

import { join } from 'node:path';
import { operator } from '../foreign/service.mjs';
import { Person, link } from './screens.mjs';

export async function picture() {
  const { tenant_id: id } = await operator('provision/tenant', { tenant_name: 'Acme GmbH', rate_limit_per_min: 120 });
  for (const [name, kind] of [
    ['Old backend', 'embed'],
    ['Sessions and documents', 'account'],
    ['Sign-in service', 'embed'],
    ['Backend', 'admin'],
  ]) {
    const { key_id: key } = await operator(`provision/api-key?tenant_id=${id}`, {
      name,
      kind,
      expires_in: name === 'Backend' ? null : 7_776_000,
    });
    if (name === 'Old backend') await operator(`revoke/api-key?tenant_id=${id}&key_id=${key}`, {});
    if (name === 'Sign-in service')
      await operator(`rotate/api-key?tenant_id=${id}&key_id=${key}`, { overlap_seconds: 86_400 });
  }
  const person = await Person.start();
  await person.open(await link('Ada Lovelace'));
  await person.page.goto(`${person.page.url().split('#')[0]}#/t/${id}/keys`);
  await person.page.getByText('Sign-in service', { exact: true }).waitFor();
  await person.page.setViewportSize({ width: 1280, height: 720 });
  await person.page.screenshot({ path: join(process.env.SHOTS, 'console.png') });
  await person.close();
}
