// Takes the secret of a link out of the address before anything else is loaded, since addresses are photographed and
// sent on. The rest comes after the first paint, which waits for nothing but a style sheet.

// What begins with a slash is a screen: see console-app.js.
const isLink = (hash) => hash.length > 1 && !hash.startsWith('#/');

const { hash, pathname } = location;
if (isLink(hash)) history.replaceState(null, '', pathname);
// Another link to the page that is open would change the address and load nothing.
addEventListener('hashchange', () => isLink(location.hash) && location.reload());

// A page that is prerendered waits until somebody sees it: nobody has opened the link yet.
if (document.prerendering) {
  await new Promise((seen) => document.addEventListener('prerenderingchange', seen, { once: true }));
}
// A tab in the background paints nothing, and goes on all the same.
await new Promise((painted) => {
  new PerformanceObserver(painted).observe({ type: 'paint', buffered: true });
  setTimeout(painted, 500);
});
const app = import('./console-app.js');
// It may be out of reach, or of another version since a deployment, and its texts with it.
app.catch(() => (document.getElementById('opening').textContent = 'Load this page again.'));
const { start } = await app;
await start(isLink(hash) ? hash.slice(1) : undefined);
