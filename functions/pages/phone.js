// The phone page: pairs this phone, and shows, renames and ends its pairings. A phone can't be told of anything: what is
// new it shows when it is opened, until the person has said that it is known.

import * as api from './api.js';
import { deviceName, isInApp } from './browser.js';
import { added, pair, remember, rename, renewed, unpair } from './device.js';
import { button, card, details, element, paragraph, party, show, showNote } from './dom.js';
import { fragment } from './fragment.js';
import { showEnded, showFailure } from './refusals.js';
import * as store from './store.js';
import { texts } from './texts.js';

export function phone() {
  if (!fragment) return overview();
  return isInApp() ? elsewhere() : offer();
}

function elsewhere() {
  const result = element('p', { role: 'status' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/p#${fragment}`);
      result.textContent = texts.copied;
    } catch {
      result.textContent = texts.notCopied;
    }
  };
  showNote(texts.inApp, button(texts.copyLink, 'main', copy), result, button(texts.goOnAnyway, '', offer));
}

/** Asking changes nothing; only a tap on the button pairs. */
async function offer() {
  let offered;
  try {
    offered = await api.lookUp(fragment);
  } catch (error) {
    // 422: what stands behind the # is no handle.
    return error.status === 422 || isHandleGone(error) ? showNote(texts.handleGone) : showFailure(error, offer);
  }
  const former = await store.find(offered.tenant.id);
  const name = element('input', { id: 'name', value: deviceName(), maxLength: 64, autocomplete: 'off' });
  show(
    texts.offer.title(offered.tenant.name),
    card(
      party(offered.tenant),
      details([
        [texts.offer.person, offered.person],
        [texts.offer.email, offered.email],
        [texts.offer.phone, offered.phone],
      ]),
    ),
    paragraph(texts.offer.meaning),
    element('p', { className: 'note', textContent: texts.offer.warning }),
    former && element('p', { className: 'note', textContent: texts.offer.replaces(former.person) }),
    button(texts.offer.decline, '', () => showNote(texts.declined)),
    element('label', { htmlFor: 'name', textContent: texts.offer.name }),
    name,
    button(texts.offer.accept, 'main', () => accepted(offered, name.value)),
  );
}

async function accepted(offered, name) {
  try {
    await showPairing(await pair(fragment, offered, name));
  } catch (error) {
    if (isHandleGone(error)) return showNote(texts.handleGone);
    if (error.code === 'quota_exceeded') return showNote(texts.tooManyDevices);
    showFailure(error, () => accepted(offered, name));
  }
}

function isHandleGone(error) {
  return error.code === 'pairing_not_found';
}

async function overview() {
  const pairings = await store.all();
  if (pairings.length === 0) return showNote(texts.none);
  if (pairings.length === 1) return open(pairings[0]);
  const cards = pairings.map((pairing) =>
    card(
      party(pairing.tenant),
      details([[texts.pairing.person, pairing.person]]),
      button(texts.overview.open(pairing.tenant.name), '', () => open(pairing)),
    ),
  );
  show(texts.overview.title, ...cards);
}

async function open(pairing) {
  try {
    await showPairing(await renewed(pairing.tenant.id));
  } catch (error) {
    if (error.status === 401) return showEnded(pairing, overview);
    showFailure(error, () => open(pairing));
  }
}

async function showPairing(pairing) {
  const devices = await api.pairings(pairing);
  const others = (await store.all()).length > 1;
  const news = added(pairing, devices);
  if (!pairing.known) await remember(pairing, devices);
  show(
    texts.pairing.title(pairing.tenant.name),
    news.length > 0 && unknown(pairing, devices, news),
    card(
      party(pairing.tenant),
      details([
        [texts.pairing.person, pairing.person],
        [texts.pairing.name, pairing.name],
        [texts.pairing.until, texts.pairing.day(pairing.expiresAt)],
      ]),
    ),
    card(
      element('h2', { textContent: texts.pairing.devices }),
      element('ul', {}, ...devices.map((device) => row(device, pairing))),
    ),
    others && button(texts.back, '', overview),
    button(texts.pairing.rename, '', () => askName(pairing)),
    button(texts.pairing.unpair, 'bad', () => confirmUnpair(pairing)),
  );
}

/** What is said of devices that were added since the person last saw the list. */
function unknown(pairing, devices, news) {
  const lines = news.map(({ name, createdAt }) => paragraph(texts.added.line(name, createdAt)));
  const known = async () => showPairing(await remember(pairing, devices));
  return card(
    element('h2', { textContent: texts.added.title }),
    ...lines,
    element('p', { className: 'note', textContent: texts.added.warning(pairing.tenant.name) }),
    button(texts.added.known, '', known),
  );
}

function row({ deviceId, name, platform, createdAt, lastUsedAt }, pairing) {
  const quiet = (text) => element('span', { className: 'quiet', textContent: text });
  const isThisOne = deviceId === pairing.deviceId;
  return element(
    'li',
    {},
    element('span', { textContent: name }),
    isThisOne && quiet(texts.pairing.thisOne),
    !isThisOne && texts.platforms[platform] && quiet(texts.platforms[platform]),
    quiet(texts.pairing.since(createdAt)),
    lastUsedAt && quiet(texts.pairing.lastUsed(lastUsedAt)),
  );
}

function askName(pairing) {
  const name = element('input', { id: 'name', value: pairing.name, maxLength: 64, autocomplete: 'off' });
  show(
    texts.rename.title,
    element('label', { htmlFor: 'name', textContent: texts.offer.name }),
    name,
    button(texts.rename.keep, '', () => open(pairing)),
    button(texts.rename.save, 'main', () => renamed(pairing, name.value)),
  );
}

async function renamed(pairing, name) {
  try {
    await showPairing(await rename(pairing, name));
  } catch (error) {
    if (error.status === 401) return showEnded(pairing, overview);
    showFailure(error, () => renamed(pairing, name));
  }
}

function confirmUnpair(pairing) {
  const { title, paragraphs, keep, unpair: label } = texts.confirmUnpair;
  showNote(
    { title: title(pairing.tenant.name), paragraphs },
    button(keep, '', () => open(pairing)),
    button(label, 'bad', () => unpaired(pairing)),
  );
}

async function unpaired(pairing) {
  try {
    await unpair(pairing);
    showNote(texts.unpaired);
  } catch (error) {
    showFailure(error, () => unpaired(pairing));
  }
}
