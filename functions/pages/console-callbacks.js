// Callbacks: how the receivers do, what was delivered, and what is delivered once more.

import { call, has } from './console-api.js';
import { ask, show } from './console-forms.js';
import { TYPES } from './console-rules.js';
import { t } from './console-texts.js';
import { badge, button, code, details, lines, list, notice, paragraph, reason, row, section, table, text, time } from './console-ui.js';
import { element } from './element.js';

const BREAKERS = { closed: 'good', open: 'warn', disabled: 'bad' };
const STATES = { pending: 'warn', delivered: 'good', failed: 'bad', discarded: 'quiet' };
// How long a test is waited for, and how often it is looked at, in milliseconds.
const WAIT = 10_000;
const LOOK = 1000;

const stateOf = (state) => badge(STATES[state] ?? 'quiet', t.callbacks.states[state] ?? state);
const options = (values) => [['', t.any], ...values];

function receivers(at) {
  const c = t.callbacks;
  const rows = Object.entries(at.tenant.callbacks ?? {}).map(([flow, receiver]) => ({ flow, ...receiver }));
  const reactivate = async (flow) => {
    const { resumed } = await call('reactivateCallbacks', { tenant_id: at.id, body: { flow } });
    await at.render();
    notice(c.resumed(resumed));
  };
  const columns = [
    { title: c.flow, isName: true, cell: ({ flow }) => flow },
    { title: c.breaker, cell: ({ state }) => badge(BREAKERS[state] ?? 'quiet', c.breakers[state] ?? state) },
    { title: c.pending, cell: ({ pending, oldest_pending_at: oldest }) => [`${pending} `, pending > 0 && time(oldest)] },
    { title: c.success, cell: (of) => time(of.last_success_at) },
    {
      title: c.failure,
      cell: ({ last_failure: failed, flow, state }) => [
        failed ? [time(failed.at), ' ', code(failed.outcome)] : null,
        state === 'disabled' && has('reactivateCallbacks') && button(c.reactivate, 'small', () => reactivate(flow), flow),
      ].flat(),
    },
  ];
  return section(c.receivers, table(c.receivers, columns, rows).made);
}

async function open(at, id) {
  const c = t.callbacks;
  const one = await call('fetchCallback', { tenant_id: at.id, event_id: id });
  const attempts = [
    { title: c.when, isName: true, cell: (attempt) => time(attempt.at) },
    { title: c.outcome, cell: ({ outcome }) => code(outcome) },
  ];
  const attempt = {};
  const again = button(c.again, '', async () => {
    const answer = await call('replayCallbacks', { tenant_id: at.id, body: { event_ids: [id] }, attempt });
    await at.render();
    notice(c.queued(answer.replayed, answer.skipped.length));
  });
  show(
    one.type,
    details([
      [t.tenants.id, code(one.event_id)],
      [c.state, stateOf(one.state)],
      [c.attempts, `${one.attempts}`],
      [c.created, time(one.created_at)],
      [c.next, time(one.next_attempt_at)],
    ]),
    section(c.body, lines(JSON.stringify(JSON.parse(one.body), null, 2), c.body)),
    ...(one.last_attempts.length > 0 ? [section(c.lastAttempts, table(c.lastAttempts, attempts, one.last_attempts).made)] : []),
    row(again),
  );
}

/** Sends a ping, and looks a while for what comes of it. */
async function test(at) {
  const c = t.callbacks;
  const { event_id: id } = await call('testCallback', { tenant_id: at.id });
  const until = Date.now() + WAIT;
  let one;
  do {
    await new Promise((done) => setTimeout(done, LOOK));
    one = await call('fetchCallback', { tenant_id: at.id, event_id: id });
  } while (one.attempts === 0 && Date.now() < until);
  await at.render();
  const came = one.state === 'delivered' ? '' : `, ${one.last_outcome ?? ''}`;
  notice(`${c.came(c.states[one.state])}${came}`, one.state === 'delivered' ? '' : 'bad');
}

function replay(at) {
  const c = t.callbacks;
  const states = Object.entries(c.states);
  ask({
    title: c.replay,
    says: [c.replaySays],
    fields: [
      { name: 'state', label: c.state, type: 'select', options: states, value: 'failed' },
      { name: 'since', label: c.replaySince, type: 'date', required: true },
    ],
    submit: c.again,
    act: async ({ state, since }) => {
      let [replayed, skipped, cursor] = [0, 0];
      do {
        const body = { state, since: `${since}T00:00:00.000Z`, ...(cursor && { cursor }) };
        const answer = await call('replayCallbacks', { tenant_id: at.id, body });
        replayed += answer.replayed;
        skipped += answer.skipped.length;
        cursor = answer.next_cursor;
      } while (cursor);
      return async () => {
        await at.render();
        notice(c.queued(replayed, skipped));
      };
    },
  });
}

export async function callbacks(at) {
  const c = t.callbacks;
  const wanted = {};
  const results = element('div', { 'aria-live': 'polite' });
  const columns = [
    { title: c.type, isName: true, cell: ({ type }) => type },
    { title: c.state, cell: ({ state }) => stateOf(state) },
    { title: c.attempts, cell: ({ attempts }) => `${attempts}` },
    { title: c.outcome, cell: ({ last_outcome: outcome }) => outcome && code(outcome) },
    { title: c.created, cell: (of) => time(of.created_at) },
    { title: c.next, cell: (of) => time(of.next_attempt_at) },
    { title: t.actions, cell: (of) => button(c.open, 'small', () => open(at, of.event_id), `${of.type} ${of.created_at}`) },
  ];
  const load = async (cursor) => {
    const page = await call('fetchCallbacks', { tenant_id: at.id, ...wanted, cursor });
    return { rows: page.callbacks, next: page.next_cursor };
  };
  let turn = 0;
  const look = async () => {
    const mine = ++turn;
    const made = await list({ label: c.list, columns, load, empty: paragraph(c.none) }).catch((error) =>
      paragraph(reason(error), 'problem'),
    );
    if (mine === turn) results.replaceChildren(made);
  };
  const choose = (name, label, values) => {
    const id = `callbacks-${name}`;
    const select = element(
      'select',
      { id },
      ...options(values).map(([value, shown]) => element('option', { value, textContent: shown })),
    );
    select.onchange = () => {
      wanted[name] = select.value;
      return look();
    };
    return element('div', { className: 'field' }, element('label', { htmlFor: id, textContent: label }), select);
  };
  await look();
  const filters = element(
    'div',
    { className: 'filters' },
    choose('state', c.state, Object.entries(c.states)),
    choose('type', c.type, TYPES.map((type) => [type, type])),
  );
  return {
    actions: [button(c.replay, '', () => replay(at)), button(c.test, 'main', () => test(at))],
    shown: [receivers(at), section(c.list, filters, results)],
  };
}
