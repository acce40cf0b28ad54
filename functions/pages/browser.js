// What this browser is, and whether it can keep a key.

import { all } from './store.js';
import { texts } from './texts.js';

// Browsers inside of other apps. Their storage goes with the app, or with the page, and nobody finds it again.
const IN_APP = [
  /\b(FBAN|FBAV|FB_IAB|Instagram|MicroMessenger|Snapchat|Twitter|LinkedInApp|Pinterest|musical_ly|BytedanceWebview)\b/,
  /\b(Line|GSA|TikTok|WhatsApp|Teams)\//,
  // Android's WebView says so.
  /; wv\)/,
  // Of the browsers on iOS, all but those that an app embeds name Safari.
  /\((iPhone|iPad|iPod)\b(?!.*Safari\/)/,
];

export function isInApp(userAgent = navigator.userAgent) {
  return IN_APP.some((pattern) => pattern.test(userAgent));
}

/** What keeps this browser from having a key at all, or nothing. */
export async function obstacle() {
  // Outside of a secure context there is no `crypto.subtle`.
  if (!isSecureContext || !crypto.subtle) return texts.insecure;
  try {
    await all();
  } catch {
    return texts.noStorage;
  }
  return undefined;
}

const first = (known, userAgent) => known.find(([pattern]) => pattern.test(userAgent))?.[1];

const SYSTEMS = [
  [/iPhone|iPod/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

// In this order: each names those below it as well.
const BROWSERS = [
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Edg(A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/(Firefox|FxiOS)\//, 'Firefox'],
  [/(Chrome|CriOS)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

function platform(userAgent = navigator.userAgent) {
  return first(SYSTEMS, userAgent);
}

/** The platform as the service names it. */
export function platformCode(userAgent = navigator.userAgent) {
  return { iPhone: 'ios', iPad: 'ios', Android: 'android' }[platform(userAgent)] ?? 'other';
}

/** A name to begin with; people see it in lists, and may write another. */
export function deviceName(userAgent = navigator.userAgent) {
  return texts.deviceName(first(BROWSERS, userAgent), platform(userAgent));
}
