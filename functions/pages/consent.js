// The consent page: shows who asks for a QR login, and approves or denies it.

import * as api from './api.js';
import { renewed } from './device.js';
import { button, busy, card, details, element, paragraph, party, show, showNote } from './dom.js';
import { fragment } from './fragment.js';
import { showEnded, showFailure } from './refusals.js';
import * as store from './store.js';
import { texts } from './texts.js';

const sessionId = location.pathname.split('/')[2];

/** Begins with what this phone knows by itself. Who is not paired asks nothing, and so learns nothing. */
export async function consent() {
  const tenantId = api.tenantIdOf(sessionId);
  const pairing = tenantId && (await store.find(tenantId));
  if (!pairing) return showNote(texts.notPaired);
  const frame = api.frameOf(fragment);
  if (!frame) return showNote(texts.codeGone);
  const { title, paragraphs, go, stop } = texts.consent.start;
  showNote(
    { title, paragraphs },
    button(stop, '', () => showNote(texts.stopped)),
    button(go, 'main', () => scan(pairing, frame)),
  );
}

async function scan(pairing, frame) {
  try {
    const current = await renewed(pairing.tenant.id);
    showRequest(current, await api.scan(current, sessionId, frame));
  } catch (error) {
    refused(error, pairing, () => scan(pairing, frame));
  }
}

function refused(error, pairing, again) {
  if (error.status === 401) return showEnded(pairing, () => showNote(texts.notPaired));
  if (error.code === 'qr_login_taken') return showNote(texts.takenByAnother);
  if (error.code === 'qr_login_distant') return showNote(texts.tooDistant);
  if (error.code === 'origin_not_allowed') return showNote(texts.notAllowed);
  if (isGone(error)) return showNote(texts.codeGone);
  showFailure(error, again);
}

/** Denying comes first, and weighs as much for the eye: whoever hurries should not sign a stranger in. */
function showRequest(pairing, scanned) {
  const says = texts.consent;
  const system = says.on(scanned.browser, scanned.system) || says.unknownBrowser;
  const problem = element('p', { id: 'problem', className: 'problem', role: 'alert' });
  const number = element('input', {
    id: 'number',
    className: 'number',
    inputMode: 'numeric',
    autocomplete: 'off',
    maxLength: 2,
    'aria-describedby': 'hint problem',
  });
  const approve = element('button', { type: 'submit', className: 'main', textContent: says.approve });
  const form = element(
    'form',
    { noValidate: true },
    ...(scanned.asksNumber
      ? [
          element('label', { htmlFor: 'number', textContent: says.number }),
          element('p', { id: 'hint', className: 'quiet', textContent: says.numberHint }),
          number,
          problem,
        ]
      : []),
    approve,
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const typed = scanned.asksNumber ? number.value.trim() : null;
    if (typed !== null && !/^\d\d$/.test(typed)) {
      problem.textContent = says.numberMissing;
      number.setAttribute('aria-invalid', 'true');
      number.focus();
      return;
    }
    const decided = () => decide(pairing, scanned, 'approve', typed);
    busy(scanned.asksTwice ? () => showDistant(pairing, scanned, typed) : decided, approve);
  };
  show(
    says.title(scanned.tenant.name),
    card(
      party(scanned.tenant),
      paragraph(says.only),
      element('p', {}, element('strong', { className: 'origin', textContent: scanned.origin })),
      details([
        [says.account, pairing.person],
        [says.browser, system],
        [says.time, says.at(scanned.initiatedAt)],
      ]),
    ),
    element('p', { className: 'note', textContent: says.warning }),
    button(says.deny, 'main bad', () => decide(pairing, scanned, 'deny', null)),
    form,
  );
}

function showDistant(pairing, scanned, typed) {
  const { title, paragraphs, deny, approve } = texts.distant;
  showNote(
    { title, paragraphs },
    button(deny, 'main bad', () => decide(pairing, scanned, 'deny', typed)),
    button(approve, 'main', () => decide(pairing, scanned, 'approve', typed)),
  );
}

async function decide(pairing, scanned, decision, number) {
  // Signed once: after an answer that was lost, it is the same decision that is sent again.
  const statement = await api.statement(pairing, sessionId, scanned, decision, number);
  await send(pairing, statement, decision);
}

async function send(pairing, statement, decision) {
  try {
    const phase = await api.decide(pairing, sessionId, statement);
    if (phase === 'approved') return showNote(texts.approved);
    showNote(decision === 'deny' ? texts.denied : texts.wrongNumber);
  } catch (error) {
    // Another code would not help here: the other screen says how it ended.
    if (isGone(error)) return showNote(texts.over);
    refused(error, pairing, () => send(pairing, statement, decision));
  }
}

function isGone(error) {
  return error.status === 404 || error.status === 410;
}
