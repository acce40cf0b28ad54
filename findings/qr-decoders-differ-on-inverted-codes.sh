#!/usr/bin/env bash
# Which decoders read a QR code on a dark page: dark on a white ground of its own, light on dark, and dark on white with
# nothing between the code and the page.
# Needs Node with npm, and Python with venv and pip. Works in a temporary folder.
set -euo pipefail

python=(segno==1.6.6 zxing-cpp==2.3.0 opencv-python-headless==5.0.0.93 numpy==2.4.6)
node=(jsqr@1.4.0)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${python[@]}" >install.txt 2>&1 || { cat install.txt >&2; exit 1; }
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "${node[@]}" >install.txt 2>&1 || { cat install.txt >&2; exit 1; }
cat >jsqr.js <<'JS'
// Arguments: width and height. The pixels are on the standard input.
const [width, height] = process.argv.slice(2).map(Number);
const found = require('jsqr')(new Uint8ClampedArray(require('fs').readFileSync(0)), width, height);
process.stdout.write(found ? found.data : '');
JS
cat >decode.py <<'PY'
import subprocess

import cv2
import numpy
import segno
import zxingcpp

TEXT = "https://auth.example.com/q/4f1c9a5e7b2d4860a1b2c3d4e5f607#3.Zm9vYmFyYmF6cXV4"
BLACK, WHITE = 0, 255
code = numpy.array([list(row) for row in segno.make(TEXT, error="m", micro=False, boost_error=False).matrix])


def drawn(dark, light, margin):
    """The code with six pixels a module, on a black page."""
    modules = numpy.pad(code, margin)
    pixels = numpy.where(modules, dark, light).astype(numpy.uint8).repeat(6, 0).repeat(6, 1)
    return numpy.dstack([numpy.pad(pixels, 40, constant_values=BLACK)] * 3)


def by_jsqr(picture):
    height, width = picture.shape[:2]
    pixels = numpy.dstack([picture, numpy.full((height, width), 255, numpy.uint8)])
    command = ["node", "jsqr.js", str(width), str(height)]
    return subprocess.run(command, input=pixels.tobytes(), capture_output=True, check=True).stdout.decode()


decoders = {
    "zxing-cpp": lambda picture: "".join(found.text for found in zxingcpp.read_barcodes(picture)),
    "OpenCV": lambda picture: cv2.QRCodeDetector().detectAndDecode(picture)[0],
    "jsQR": by_jsqr,
}
pictures = {
    "dark on white, margin 4": drawn(BLACK, WHITE, 4),
    "light on dark, margin 4": drawn(WHITE, BLACK, 4),
    "dark on white, no margin": drawn(BLACK, WHITE, 0),
}
for name, picture in pictures.items():
    read = [decoder for decoder, decode in decoders.items() if decode(picture) == TEXT]
    print(f"{name}: {', '.join(read) or 'none'}")
PY
venv/bin/python decode.py >seen.txt
cat >expected.txt <<'TXT'
dark on white, margin 4: zxing-cpp, OpenCV, jsQR
light on dark, margin 4: zxing-cpp, jsQR
dark on white, no margin: none
TXT

echo "version: ${python[*]} of PyPI, ${node[*]} of npm"
echo "behaviour: a code that is light on dark, as a dark theme makes it, is read by zxing-cpp and jsQR and not by OpenCV:"
echo "  a test with one decoder says nothing of the others. Without a margin of its own on a dark page none reads it."
echo "seen:"
sed 's/^/  /' seen.txt
diff expected.txt seen.txt >difference.txt || { echo "this has changed:" >&2; cat difference.txt >&2; exit 1; }
