// The set-up of a tenant as the service has seen it: what works, what does not, and what to change.

import { call } from './console-api.js';
import { t } from './console-texts.js';
import { badge, button, element, lines, row, text, time } from './console-ui.js';

const KINDS = { works: 'good', fails: 'bad', unseen: 'warn', off: 'quiet' };
// What has to be seen to comes first.
const ORDER = ['fails', 'unseen', 'works', 'off'];

const rank = ({ state }) => ORDER.indexOf(state);

function shown({ check, state, says, last_seen: seen, mend, curl }) {
  const s = t.setup;
  const title = check.replaceAll('_', ' ').replace(/^(api|qr|.)/, (part) => part.toUpperCase());
  return element(
    'li',
    { className: `check-of ${state}` },
    row(element('h2', { textContent: title }), badge(KINDS[state] ?? 'quiet', s.states[state] ?? state)),
    element('p', {}, text(says)),
    seen ? element('p', { className: 'quiet' }, `${s.seen}: `, time(seen)) : '',
    mend ? element('p', { className: 'note' }, element('strong', { textContent: `${s.mend}: ` }), text(mend)) : '',
    element('details', {}, element('summary', { textContent: s.prove }), lines(curl, `${s.prove}: ${title}`)),
  );
}

export async function setup(at) {
  const s = t.setup;
  const { checks, checked_at: checked } = await call('fetch/setup', { tenant_id: at.id });
  const counted = ORDER.map((state) => [state, checks.filter((check) => check.state === state).length]);
  const some = counted.filter(([, count]) => count > 0);
  const sums = some.map(([state, count]) => badge(KINDS[state], `${s.states[state]}: ${count}`));
  const sorted = [...checks].sort((a, b) => rank(a) - rank(b));
  return {
    actions: [button(s.again, '', at.render)],
    shown: [
      row(...sums, element('span', { className: 'quiet' }, `${s.checked} `, time(checked))),
      element('ul', { className: 'checks' }, ...sorted.map(shown)),
    ],
  };
}
