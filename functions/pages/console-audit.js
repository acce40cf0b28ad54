// Audit events: of a tenant, and the operator's own; filtered, and exported as JSON lines.

import { pages } from './console-api.js';
import { form } from './console-forms.js';
import { t } from './console-texts.js';
import { button, code, details, element, list, notice, paragraph, place, text, time } from './console-ui.js';

// How many events are looked for at a time, and how many are searched through for each.
const ENOUGH = 20;
const SEARCHED = 100;

export const events = (at) => audit({ tenant_id: at.id });
export const own = () => audit({});

const contains = (part, whole) => !part || whole.toLowerCase().includes(part.toLowerCase());
const actorOf = ({ actor, label }) => (label ? `${actor}: ${label}` : actor);
const shown = (value) => (typeof value === 'string' ? text(value) : code(JSON.stringify(value)));

/** What an event has to say beside what it is. */
function rest({ fields, details: more, key_id: key, principal, request_id: request }) {
  const made = details([
    ['fields', fields?.length > 0 ? fields.join(', ') : undefined],
    ...Object.entries(more ?? {}).map(([name, value]) => [name, shown(value)]),
    ['key_id', key ? code(key) : undefined],
    ['principal', principal ? code(principal) : undefined],
    ['request_id', code(request)],
  ]);
  return element('details', {}, element('summary', { textContent: t.events.details }), made);
}

async function audit(of) {
  const e = t.events;
  const wanted = { query: { ...of, limit: 100 } };
  const matches = (event) => contains(wanted.action, event.action) && contains(wanted.actor, actorOf(event));
  const page = pages('fetch/audit-events', 'events', wanted.query);
  const gather = async (cursor, most) => {
    const rows = [];
    let searched = 0;
    do {
      const part = await page(cursor);
      rows.push(...part.rows.filter(matches));
      searched += part.rows.length;
      cursor = part.next;
    } while (cursor && rows.length < most && searched < most * SEARCHED);
    return { rows, next: cursor };
  };
  const load = (cursor) => gather(cursor, ENOUGH);
  const save = async () => {
    const { rows } = await gather(undefined, Infinity);
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
    [e.what, ({ action }) => code(action)],
    [t.when, ({ at }) => time(at)],
    [e.who, ({ actor, label }) => (label ? [actor, element('br'), text(label)] : actor)],
    [e.about, ({ subject }) => subject && code(subject)],
    [e.details, rest],
  ];
  const { made, look } = place(() => list({ label: t.screens.events, columns, load, empty: paragraph(e.none) }));
  await look();
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
      wanted.query.since = values.since && `${values.since}T00:00:00.000Z`;
      await look();
    },
  });
  filter.className = 'inline';
  return { actions: [button(e.export, '', save)], shown: [filter, made] };
}
