// What is said when a request fails, where a page has nothing better to say.

import { Refusal } from './api.js';
import { button, showNote } from './dom.js';
import * as store from './store.js';
import { texts } from './texts.js';

/** Shows what failed, and offers to try again where that may help. */
export function showFailure(error, again) {
  if (!(error instanceof Refusal)) throw error;
  if (error.code === 'tenant_suspended') return showNote(texts.suspended);
  const note = error.status === 0 ? texts.unreachable : texts.unavailable;
  return showNote(note, button(texts.tryAgain, 'main', again));
}

/** Shows that a pairing is over. The record is removed on a tap only, so that nothing is lost by a mistake of ours. */
export function showEnded(pairing, then) {
  const forget = async () => {
    await store.remove(pairing.tenant.id);
    await then();
  };
  showNote(texts.ended, button(texts.forget, 'bad', forget));
}
