"""What ZXing reads in pictures of screens: a line of JSON for each, the texts of all codes in it."""

import json
import sys

import zxingcpp
from PIL import Image

for path in sys.argv[1:]:
    picture = Image.open(path).convert("L")
    # Neither turned nor inverted: what is shown upright and dark on white needs no such help.
    read = zxingcpp.read_barcodes(picture, try_invert=False, try_rotate=False, try_downscale=False)
    print(json.dumps([barcode.text for barcode in read]))
