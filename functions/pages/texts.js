// Every text that people see, in English.

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat('en', { timeStyle: 'short' });

export const texts = {
  wait: 'One moment…',
  tryAgain: 'Try again',
  back: 'Back',

  insecure: {
    title: 'This address is not secure',
    paragraphs: ['A phone can only be paired over https. Check that the address begins with https://, and try again.'],
  },
  noStorage: {
    title: 'This browser keeps nothing',
    paragraphs: [
      'The key of this phone could not be kept, which is so in some private windows. Open the link in a normal window.',
    ],
  },
  inApp: {
    title: 'Open this in your browser',
    paragraphs: [
      'You are in the browser of another app. It may lose the key of this phone when you close it.',
      'Choose “Open in browser” in the menu of this app, or copy the link and paste it into Safari, Chrome or Firefox.',
    ],
  },
  copyLink: 'Copy the link',
  copied: 'The link is copied. Paste it into your browser.',
  notCopied: 'The link can’t be copied here. Use the menu of this app.',
  goOnAnyway: 'Go on here anyway',

  unreachable: {
    title: 'No connection',
    paragraphs: ['The service can’t be reached. Check your connection, and try again.'],
  },
  unavailable: {
    title: 'That did not work',
    paragraphs: ['The service can’t do this right now. Try again in a moment.'],
  },
  suspended: {
    title: 'Not available right now',
    paragraphs: ['The service is suspended. Nothing on this phone has changed.'],
  },

  platforms: { android: 'Android', ios: 'iPhone or iPad' },
  deviceName: (browser, system) => [browser ?? 'Browser', system].filter(Boolean).join(' on '),

  offer: {
    title: (tenant) => `Pair this phone with ${tenant}?`,
    person: 'Account of',
    email: 'Email',
    phone: 'Phone number',
    meaning: 'Once it is paired, this phone can approve sign-ins to this account.',
    warning: 'Go on only if this is your account, and you have just asked for this code yourself.',
    replaces: (person) => `This phone is paired here already, with the account of ${person}. That pairing will end.`,
    name: 'Name of this phone',
    decline: 'Don’t pair',
    accept: 'Pair this phone',
  },
  declined: { title: 'Nothing was paired', paragraphs: ['You can close this page.'] },
  handleGone: {
    title: 'This code is no longer good',
    paragraphs: ['A code pairs one phone, within five minutes. Ask for a new one, and scan that.'],
  },
  tooManyDevices: {
    title: 'Too many devices',
    paragraphs: ['This account has as many devices as it can have. Unpair one of them first, then ask for a new code.'],
  },

  none: {
    title: 'This phone is not paired',
    paragraphs: [
      'To pair it, ask for a pairing code where you have your account, and scan it with the camera of this phone.',
      'If it was paired before, the browser has deleted its key, which some do after weeks without a visit. Pair it again.',
    ],
  },
  overview: { title: 'Pairings of this phone', open: (tenant) => `Devices at ${tenant}` },
  pairing: {
    title: (tenant) => `Paired with ${tenant}`,
    person: 'Account of',
    name: 'This phone',
    until: 'Paired until',
    day: (at) => day.format(new Date(at)),
    devices: 'Devices of this account',
    thisOne: 'This phone',
    since: (at) => `Paired on ${day.format(new Date(at))}`,
    lastUsed: (at) => `Last used on ${day.format(new Date(at))}`,
    rename: 'Rename this phone',
    unpair: 'Unpair this phone',
  },
  added: {
    title: 'A device was added',
    line: (name, at) => `${name}, paired on ${day.format(new Date(at))}`,
    warning: (tenant) => `It can approve sign-ins to this account. If it is not yours, tell ${tenant} at once.`,
    known: 'I know it',
  },
  rename: { title: 'Another name for this phone', keep: 'Keep the name', save: 'Save' },
  confirmUnpair: {
    title: (tenant) => `Unpair this phone from ${tenant}?`,
    paragraphs: ['It can then no longer approve sign-ins there. To pair it again, you need a new code.'],
    keep: 'Keep the pairing',
    unpair: 'Unpair',
  },
  unpaired: {
    title: 'This phone is unpaired',
    paragraphs: ['Its key is deleted. You can close this page.'],
  },
  ended: {
    title: 'This pairing has ended',
    paragraphs: [
      'It was ended on another device or by the service, it has expired, or the key of this phone is gone.',
      'To pair this phone again, ask for a new code.',
    ],
  },
  forget: 'Remove it from this phone',

  consent: {
    start: {
      title: 'Sign in on another screen?',
      paragraphs: ['You have scanned a code. Go on to see who asks. Nothing happens until you decide.'],
      go: 'See who asks',
      stop: 'Not now',
    },
    title: (tenant) => `Sign in to ${tenant}?`,
    only: 'Only if the address bar of the other screen says',
    account: 'Account of',
    browser: 'Browser',
    on: (browser, system) => [browser, system].filter(Boolean).join(' on '),
    unknownBrowser: 'Unknown',
    time: 'Asked at',
    at: (time) => minute.format(new Date(time)),
    warning: 'Deny it if you have not just opened that page yourself, or if somebody else sent you the code.',
    number: 'Number on the other screen',
    numberHint: 'Type the two digits that the other screen shows.',
    numberMissing: 'That is not two digits.',
    deny: 'Deny',
    approve: 'Approve',
  },
  distant: {
    title: 'Is the other screen in front of you?',
    paragraphs: [
      'It seems to be in another network than this phone, as when one of them is on mobile data.',
      'If somebody else is at that screen, deny: it is they who would be signed in as you.',
    ],
    deny: 'Deny',
    approve: 'Yes, sign me in there',
  },
  approved: { title: 'Approved', paragraphs: ['Look at the other screen. You can close this page.'] },
  denied: { title: 'Denied', paragraphs: ['Nobody was signed in. You can close this page.'] },
  wrongNumber: {
    title: 'Denied: another number',
    paragraphs: [
      'That is not the number of this sign-in, so nobody was signed in.',
      'Start again on the other screen.',
    ],
  },
  stopped: { title: 'Nothing was approved', paragraphs: ['You can close this page.'] },
  codeGone: {
    title: 'This code is no longer good',
    paragraphs: [
      'It has changed or expired. Scan the code that the other screen shows now.',
      'If it shows none, start again there.',
    ],
  },
  over: {
    title: 'This sign-in is over',
    paragraphs: ['It took too long, or is decided already. Look at the other screen.'],
  },
  takenByAnother: {
    title: 'Another phone has scanned this code',
    paragraphs: ['Only the first phone can decide. If that was not you, close the page on the other screen.'],
  },
  tooDistant: {
    title: 'Denied: another network',
    paragraphs: [
      'The service signs in only screens in the network of this phone, so nobody was signed in.',
      'Connect both to the same network, and start again on the other screen.',
    ],
  },
  notAllowed: {
    title: 'Not allowed there',
    paragraphs: ['The service no longer lets that page sign people in. Nobody was signed in.'],
  },
  notPaired: {
    title: 'This phone is not paired here',
    paragraphs: [
      'Only a phone that is paired with the service can approve this. This one is not, or its key is gone.',
      'If you have paired it in another browser, scan the code again and open it there.',
    ],
  },
};
