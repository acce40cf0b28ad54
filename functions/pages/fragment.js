// What stands behind the # of a link, which is a secret that is good once. It leaves the address before anything else is
// loaded, since addresses are read aloud, photographed and sent on.

const { hash, pathname } = location;
if (hash) history.replaceState(null, '', pathname);

// Another link to the page that is open would change the address and load nothing.
addEventListener('hashchange', () => location.reload());

export const fragment = hash.slice(1);
