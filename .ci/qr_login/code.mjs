// The code in a picture of a screen: what two decoders read that have nothing in common, and whether a camera could.
// DECODER is the Python that has the one of them, ZXing; the other is jsQR.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';
import { expect } from '../foreign/service.mjs';

const { DECODER } = process.env;
const MARGIN = 4;

/** The text of the one code in a picture, in CSS pixels of the given size a module at least. */
export function decoded(path, module = 4) {
  const picture = PNG.sync.read(readFileSync(path));
  const { data, width, height } = picture;
  // As it is: read inverted as well, a code would pass that most cameras can't read.
  const found = jsQR(new Uint8ClampedArray(data), width, height, { inversionAttempts: 'dontInvert' });
  expect(found, `${path}: jsQR reads nothing`);
  const { stdout, stderr } = spawnSync(DECODER, [fileURLToPath(new URL('decode.py', import.meta.url)), path], {
    encoding: 'utf8',
  });
  expect(stderr === '', stderr);
  expect(stdout.trim() === JSON.stringify([found.data]), `${path}: ZXing reads ${stdout.trim()}, jsQR ${found.data}`);
  lookedAt(path, picture, found, module);
  return found.data;
}

/** The luminance of a pixel (WCAG 2.2, relative luminance). */
function luminance({ data, width }, x, y) {
  const at = 4 * (Math.round(y) * width + Math.round(x));
  const [red, green, blue] = [...data.subarray(at, at + 3)].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Light and dark modules keep apart, and so do code and page: the margin is as light as the light modules. */
function lookedAt(path, picture, { version, location }, smallest) {
  const count = 17 + 4 * version;
  const { topLeftCorner: start, bottomRightCorner: end } = location;
  const module = (end.x - start.x) / count;
  expect(module >= smallest, `${path}: ${module} px a module`);
  const [light, dark] = [[], []];
  for (let row = -MARGIN; row < count + MARGIN; row += 1) {
    for (let column = -MARGIN; column < count + MARGIN; column += 1) {
      const value = luminance(picture, start.x + (column + 0.5) * module, start.y + (row + 0.5) * module);
      const isMargin = Math.min(row, column) < 0 || Math.max(row, column) >= count;
      (isMargin || value > 0.5 ? light : dark).push(value);
    }
  }
  const contrast = (Math.min(...light) + 0.05) / (Math.max(...dark) + 0.05);
  expect(dark.length > 0 && contrast >= 15, `${path}: a contrast of ${contrast} to 1`);
}
