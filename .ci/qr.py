"""Draws our QR codes with resvg and reads them with ZXing, as a camera would find them on a page: in several sizes, and
on a dark ground. The argument is our code as a program."""

import io
import json
import subprocess
import sys

import resvg_py
import zxingcpp
from PIL import Image

TEXTS = [
    "https://auth.example.com/p#AAAAAAAAAAAAAAAAAAAAAA",
    "http://127.0.0.1:9000/p#zZ09-_zZ09-_zZ09-_zZ09",
    "https://" + "a" * 63 + ".example.com/p#" + "_" * 22,
    "https://auth.example.com/q/" + "s" * 40 + "#12." + "m" * 22,
    "x" * 120,
]

asked = "".join(json.dumps({"qr": text}) + "\n" for text in TEXTS)
drawn = subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, check=True, timeout=60)
codes = drawn.stdout.splitlines()
assert len(codes) == len(TEXTS), drawn.stdout

for text, svg in zip(TEXTS, codes, strict=True):
    own = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg))))
    assert own.size[0] == own.size[1], own.size
    for width in (own.size[0], 2 * own.size[0], 3 * own.size[0] + 1):
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=width))
        code = Image.open(io.BytesIO(png)).convert("RGBA")
        # On the ground of a page in dark mode, where only a margin of its own keeps the code apart.
        for ground in ((255, 255, 255, 255), (18, 18, 18, 255), (0, 0, 0, 255)):
            page = Image.new("RGBA", (width + 80, width + 80), ground)
            page.alpha_composite(code, (40, 40))
            read = zxingcpp.read_barcodes(page.convert("L"), try_invert=False, try_rotate=False)
            assert [barcode.text for barcode in read] == [text], (text, width, ground, read)
            assert read[0].ec_level == "M", read[0].ec_level
    colours = {colour for _, colour in own.convert("RGBA").getcolors()}
    assert colours == {(0, 0, 0, 255), (255, 255, 255, 255)}, colours
print(f"{len(TEXTS)} codes read, each in 3 sizes on 3 grounds")
