// Callbacks: how the receivers do, what was delivered, and what is delivered once more.

import { call, has, pages } from './console-api.js';
import { ask, show } from './console-forms.js';
import { TYPES } from './console-rules.js';
import { renewed } from './console-tenants.js';
import { t } from './console-texts.js';
import {
  badge,
  button,
  chooser,
  code,
  details,
  element,
  lines,
  list,
  paragraph,
  place,
  row,
  section,
  table,
  time,
} from './console-ui.js';

const BREAKERS = { closed: 'good', open: 'warn', disabled: 'bad' };
const STATES = { pending: 'warn', delivered: 'good', failed: 'bad', discarded: 'quiet' };
// For how long a test is waited for, looked at how often; how long a callback is kept. In milliseconds.
const WAIT = 10_000;
const LOOK = 1000;
const KEPT = 30 * 86_400_000;

const stateOf = (state) => badge(STATES[state] ?? 'quiet', t.callbacks.states[state] ?? state);

function receivers(at) {
  const c = t.callbacks;
  const rows = Object.entries(at.tenant.callbacks ?? {}).map(([flow, receiver]) => ({ flow, ...receiver }));
  const mayReactivate = has('reactivate/callbacks');
  const reactivate = async (flow) => {
    const { resumed } = await call('reactivate/callbacks', { tenant_id: at.id, body: { flow } });
    await renewed(at, c.resumed(resumed));
  };
  const columns = [
    [c.flow, ({ flow }) => flow],
    [t.state, ({ state }) => badge(BREAKERS[state] ?? 'quiet', c.breakers[state] ?? state)],
    [c.pending, ({ pending, oldest_pending_at: oldest }) => [`${pending} `, pending > 0 && time(oldest)]],
    [c.success, (of) => time(of.last_success_at)],
    [
      c.failure,
      ({ last_failure: failed, flow, state }) => [
        ...(failed ? [time(failed.at), ' ', code(failed.outcome)] : [null]),
        state === 'disabled' && mayReactivate && button(c.reactivate, 'small', () => reactivate(flow), flow),
      ],
    ],
  ];
  return section(c.receivers, table(c.receivers, columns, rows).made);
}

async function open(at, id) {
  const c = t.callbacks;
  const one = await call('fetch/callback', { tenant_id: at.id, event_id: id });
  const attempts = [
    [t.when, (attempt) => time(attempt.at)],
    [c.outcome, ({ outcome }) => code(outcome)],
  ];
  const attempt = {};
  const again = button(c.again, '', async () => {
    const answer = await call('replay/callbacks', { tenant_id: at.id, body: { event_ids: [id] }, attempt });
    await renewed(at, c.queued(answer.replayed, answer.skipped.length));
  });
  show(
    one.type,
    details([
      [t.id, code(one.event_id)],
      [t.state, stateOf(one.state)],
      [c.attempts, `${one.attempts}`],
      [c.created, time(one.created_at)],
      [c.next, time(one.next_attempt_at)],
    ]),
    section(c.body, lines(JSON.stringify(JSON.parse(one.body), null, 2), c.body)),
    section(c.lastAttempts, table(c.lastAttempts, attempts, one.last_attempts).made),
    row(again),
  );
}

async function test(at, attempt) {
  const c = t.callbacks;
  const { event_id: id } = await call('test/callback', { tenant_id: at.id, attempt });
  const until = Date.now() + WAIT;
  let one;
  do {
    await new Promise((done) => setTimeout(done, LOOK));
    one = await call('fetch/callback', { tenant_id: at.id, event_id: id });
  } while (one.attempts === 0 && Date.now() < until);
  const isThere = one.state === 'delivered';
  await renewed(at, c.came(c.states[one.state], isThere ? '' : one.last_outcome), isThere ? '' : 'bad');
}

function replay(at) {
  const c = t.callbacks;
  const since = new Date(Date.now() - KEPT).toISOString();
  ask({
    title: c.replay,
    says: [c.replaySays],
    submit: c.again,
    act: async (_, attempt) => {
      let [replayed, skipped, cursor] = [0, 0];
      do {
        const body = { state: 'failed', since, cursor };
        const answer = await call('replay/callbacks', { tenant_id: at.id, body, attempt });
        replayed += answer.replayed;
        skipped += answer.skipped.length;
        cursor = answer.next_cursor;
      } while (cursor);
      return () => renewed(at, c.queued(replayed, skipped));
    },
  });
}

export async function callbacks(at) {
  const c = t.callbacks;
  const wanted = { tenant_id: at.id };
  const attempt = {};
  const columns = [
    [c.type, ({ type }) => type],
    [t.state, ({ state }) => stateOf(state)],
    [c.attempts, ({ attempts }) => `${attempts}`],
    [c.outcome, ({ last_outcome: outcome }) => outcome && code(outcome)],
    [c.created, (of) => time(of.created_at)],
    [c.next, (of) => time(of.next_attempt_at)],
    [t.actions, (of) => button(c.open, 'small', () => open(at, of.event_id), `${of.type} ${of.created_at}`)],
  ];
  const load = pages('fetch/callbacks', 'callbacks', wanted);
  const { made, look } = place(() => list({ label: c.list, columns, load, empty: paragraph(c.none) }));
  const choose = (name, label, values) =>
    chooser(`with-${name}`, label, [['', t.any], ...values], '', (chosen) => {
      wanted[name] = chosen;
      return look();
    });
  await look();
  const filters = element(
    'div',
    { className: 'filters' },
    choose('state', t.state, Object.entries(c.states)),
    choose(
      'type',
      c.type,
      TYPES.map((type) => [type, type]),
    ),
  );
  return {
    actions: [button(c.replay, '', () => replay(at)), button(c.test, 'main', () => test(at, attempt))],
    shown: [at.tenant.callback_url_base ? receivers(at) : '', section(c.list, filters, made)],
  };
}
