// Signs in with a paired phone: shows the code, then the number, then who it is. It asks its own backend only.

const $ = (id) => document.getElementById(id);

async function ask(path) {
  const answer = await fetch(path, { method: 'POST', signal: AbortSignal.timeout(15_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** Shows one of the sections. Its heading gets the focus when it is another one: who can't see the page hears it. */
function show({ phase, svg, address, number, name }) {
  if (phase === 'waiting') {
    // In an image, the SVG can neither run nor load anything.
    $('svg').src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    $('here').href = address;
  }
  $('number').textContent = number ?? '';
  $('name').textContent = $('who').textContent = name ?? '';
  $('status').textContent = '';
  // The tenant may have turned the number off.
  const section = $(phase === 'scanned' && !number ? 'scanned-without-number' : phase);
  if (!section.hidden) return;
  for (const other of document.querySelectorAll('section')) other.hidden = other !== section;
  document.title = section.querySelector('h1').textContent;
  section.querySelector('h1').focus();
}

// Which login is on the screen. An answer about an earlier one comes too late.
let current = 0;

/** Begins a login, and follows it to its end. */
async function begin() {
  const mine = ++current;
  const buttons = document.querySelectorAll('.begin');
  buttons.forEach((button) => (button.disabled = true));
  let state = await ask('/login/begin').catch(() => ({ phase: 'unavailable' }));
  buttons.forEach((button) => (button.disabled = false));
  while (mine === current) {
    if (state) show(state);
    else $('status').textContent = 'No connection. Trying again…';
    if (state && !['waiting', 'scanned'].includes(state.phase)) return;
    await new Promise((done) => setTimeout(done, state?.wait ?? 2000));
    state = mine === current ? await ask('/login/state').catch(() => undefined) : undefined;
  }
}

/** Ends what is on the screen, whatever it is. */
async function leave() {
  current += 1;
  await ask('/logout').catch(() => undefined);
  show({ phase: 'start' });
}

async function finish() {
  show({ phase: 'finished', ...(await ask('/login/finish')) });
}

function on(buttons, act) {
  for (const button of document.querySelectorAll(buttons)) {
    button.addEventListener('click', () => act().catch(() => show({ phase: 'unavailable' })));
  }
}

on('.begin', begin);
on('.cancel, .leave', leave);
on('#finish', finish);
show(
  await ask('/me').then(
    ({ name }) => ({ phase: 'finished', name }),
    () => ({ phase: 'start' }),
  ),
);
