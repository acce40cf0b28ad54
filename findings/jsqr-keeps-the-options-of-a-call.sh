#!/usr/bin/env bash
# Whether a call of jsQR without options is one with the default options, also after a call that had others.
# Needs Node with npm. Works in a temporary folder.
set -euo pipefail

packages=(jsqr@1.4.0 qrcode@1.5.4)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "${packages[@]}" >install.txt 2>&1 ||
  { cat install.txt >&2; exit 1; }
cat >calls.js <<'JS'
const jsQR = require('jsqr');
const { modules } = require('qrcode').create('https://example.com/', { errorCorrectionLevel: 'M' });

// Light on dark, six pixels a module, with a margin of four.
const [SCALE, MARGIN] = [6, 4];
const width = SCALE * (modules.size + 2 * MARGIN);
const pixels = new Uint8ClampedArray(4 * width * width);
for (let y = 0; y < width; y += 1) {
  for (let x = 0; x < width; x += 1) {
    const [row, column] = [y, x].map((at) => Math.floor(at / SCALE) - MARGIN);
    const isInside = Math.min(row, column) >= 0 && Math.max(row, column) < modules.size;
    pixels.fill(isInside && modules.get(row, column) ? 255 : 0, 4 * (y * width + x), 4 * (y * width + x) + 3);
    pixels[4 * (y * width + x) + 3] = 255;
  }
}
const reads = (...options) => jsQR(pixels, width, width, ...options)?.data ?? 'nothing';
console.log(`without options: ${reads()}`);
console.log(`with dontInvert: ${reads({ inversionAttempts: 'dontInvert' })}`);
console.log(`without options again: ${reads()}`);
JS
node calls.js >seen.txt
cat >expected.txt <<'TXT'
without options: https://example.com/
with dontInvert: nothing
without options again: nothing
TXT

echo "version: ${packages[*]} of npm, Node $(node --version)"
echo "behaviour: jsQR writes the options of a call into its defaults: a later call without options is made with those of the"
echo "  earlier one. Whether a picture is read depends on what was read before, so every call has to name its options."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
