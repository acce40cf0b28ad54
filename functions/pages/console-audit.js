// Audit events: of a tenant, and the operator's own; filtered, and exported as JSON lines.

import { call } from './console-api.js';
import { form } from './console-forms.js';
import { t } from './console-texts.js';
import { button, code, details, list, notice, paragraph, reason, text, time } from './console-ui.js';
import { element } from './element.js';

// How many events are searched through before a page is shown, at most.
const SEARCHED = 2000;
const ENOUGH = 20;

export const events = (at) => audit({ tenant_id: at.id });
export const own = () => audit({});

const contains = (part, whole) => !part || whole.toLowerCase().includes(part.toLowerCase());
const actorOf = ({ actor, label }) => (label ? `${actor}: ${label}` : actor);
const shown = (value) => (typeof value === 'string' ? text(value) : code(JSON.stringify(value)));

/** What an event has to say beside what it is: what is null or empty says nothing. */
function rest({ fields, details: more, key_id: key, principal, request_id: request }) {
  const pairs = Object.entries(more ?? {}).map(([name, value]) => [name, shown(value)]);
  const isListed = fields?.length > 0 && fields.some((field) => !(field in (more ?? {})));
  const made = details([
    ...(isListed ? [['fields', fields.join(', ')]] : []),
    ...pairs,
    ...(key ? [['key_id', code(key)]] : []),
    ...(principal ? [['principal', code(principal)]] : []),
    ['request_id', code(request)],
  ]);
  return element('details', {}, element('summary', { textContent: t.events.details }), made);
}

async function audit(of) {
  const e = t.events;
  const wanted = {};
  const matches = (event) => contains(wanted.action, event.action) && contains(wanted.actor, actorOf(event));
  const page = async (cursor) => {
    const since = wanted.since && `${wanted.since}T00:00:00.000Z`;
    const { events: found, next_cursor: next } = await call('fetchAuditEvents', { ...of, since, limit: 100, cursor });
    return { found, next };
  };
  const load = async (cursor) => {
    const rows = [];
    let [next, searched] = [cursor, 0];
    do {
      const part = await page(next);
      rows.push(...part.found.filter(matches));
      next = part.next;
      searched += part.found.length;
    } while (next && rows.length < ENOUGH && searched < SEARCHED);
    return { rows, next };
  };
  const save = async () => {
    const rows = [];
    let next;
    do {
      const part = await page(next);
      rows.push(...part.found.filter(matches));
      next = part.next;
    } while (next);
    const blob = new Blob(
      rows.map((event) => `${JSON.stringify(event)}\n`),
      { type: 'application/jsonl' },
    );
    const href = URL.createObjectURL(blob);
    element('a', { href, download: `audit-events-${of.tenant_id ?? 'operator'}.jsonl` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    notice(e.exported(rows.length));
  };
  const columns = [
    { title: e.what, isName: true, cell: ({ action }) => code(action) },
    { title: e.time, cell: ({ at }) => time(at) },
    { title: e.who, cell: ({ actor, label }) => [actor, label && element('br'), label && text(label)] },
    { title: e.about, cell: ({ subject }) => subject && code(subject) },
    { title: e.details, cell: rest },
  ];
  const results = element('div', { 'aria-live': 'polite' });
  const look = async () => results.replaceChildren(await list({ label: t.screens.events, columns, load, empty: paragraph(e.none) }));
  await look().catch((error) => results.replaceChildren(paragraph(reason(error), 'problem')));
  const filter = form({
    fields: [
      { name: 'action', label: e.action },
      { name: 'actor', label: e.actor },
      { name: 'since', label: e.since, type: 'date' },
    ],
    submit: e.filter,
    kind: '',
    act: async (values) => {
      Object.assign(wanted, values);
      await look();
    },
  });
  filter.className = 'inline';
  return { actions: [button(e.export, '', save)], shown: [paragraph(e.says, 'quiet'), filter, results] };
}
