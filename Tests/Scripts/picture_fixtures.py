"""Prints Tests/ScoreDataTests/JPEGFixture.swift, or with "png" the interlaced images of Tests/ScoreDataTests/PNGFixture.swift.

JPEG files are Pillow's (13.0, libjpeg-turbo 3), and so are the pixels that they are expected to give, which are kept as PNG. The
files of two samples down, or four across, for one are others whose sampling factors were changed in the header, which makes
other pictures of as many blocks.

    venv/bin/pip install pillow==13.0.0 numpy
    venv/bin/python Tests/Scripts/picture_fixtures.py > Tests/ScoreDataTests/JPEGFixture.swift
    venv/bin/python Tests/Scripts/picture_fixtures.py png
"""

import base64
import io
import struct
import sys
import zlib

import numpy as np
from PIL import Image


def picture(width, height, noise=0):
    """Smooth colours, a disc and a diagonal."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    rgb = np.stack([255 * x / width, 255 * y / height, 127 + 120 * np.sin(0.5 * x) * np.cos(0.4 * y)], -1)
    rgb[(x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2] = [240, 30, 60]
    rgb[np.abs(x - 1.4 * y) < 1] = [20, 220, 40]
    rgb += noise * np.random.default_rng(1).standard_normal(rgb.shape)
    return Image.fromarray(rgb.clip(0, 255).round().astype(np.uint8))


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def resampled(data, factors):
    """The file with other sampling factors of the first component."""
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] in (0x21, 0x22)
    return data[: frame + 11] + bytes([factors]) + data[frame + 12 :]


def files():
    small, odd, noisy = picture(16, 16), picture(21, 13), picture(24, 16, noise=60)
    yield "grey", "One component, quality 90.", jpeg(odd.convert("L"), quality=90)
    yield "whole", "Three components of the same size, quality 90.", jpeg(odd, quality=90, subsampling=0)
    yield "halved", "Chroma at half the width.", jpeg(odd, quality=85, subsampling=1)
    yield "quartered", "Chroma at half the width and height.", jpeg(odd, quality=85, subsampling=2)
    yield "narrow", "Five pixels wide, chroma at half the width and height.", jpeg(picture(3, 20), quality=85, subsampling=2)
    yield "noisy", "Noise at quality 100.", jpeg(noisy, quality=100, subsampling=0)
    yield "coarse", "Noise at quality 5, with chroma at half the width and height.", jpeg(noisy, quality=5, subsampling=2)
    yield "restarts", "A restart after each two units, of which there are eighteen.", jpeg(
        picture(41, 17), quality=60, subsampling=1, restart_marker_blocks=2)
    yield "rgb", "RGB by Adobe's marker.", jpeg(odd, quality=80, keep_rgb=True)
    yield "progressive", "Progressive, chroma at half the width and height.", jpeg(odd, quality=85, subsampling=2, progressive=True)
    yield "progressiveNoise", "Progressive, noise at quality 95, restarts.", jpeg(
        noisy, quality=95, subsampling=0, progressive=True, restart_marker_blocks=3)
    yield "progressiveGrey", "Progressive, one component.", jpeg(odd.convert("L"), quality=85, progressive=True)
    tall = resampled(jpeg(picture(32, 32), quality=40, subsampling=1), 0x12)
    yield "tall", "Chroma at half the height.", tall
    yield "strip", "Chroma at a quarter of the width.", resampled(jpeg(picture(32, 32), quality=40, subsampling=2), 0x41)
    yield "cmyk", "CMYK.", jpeg(small.convert("CMYK"), quality=50)


def text(data):
    code = base64.b64encode(data).decode()
    lines = [code[i : i + 115] for i in range(0, len(code), 115)]
    return '"""\n    ' + "\\\n    ".join(lines) + '\n    """'


def swift_jpeg():
    print("/// Small JPEG files, and the pixels that Pillow 13 reads in them, as PNG: by `Tests/Scripts/picture_fixtures.py`.")
    print("enum JPEGFixture {")
    for name, says, data in files():
        print(f"  /// {says}\n  static let {name} = {text(data)}\n")
        if name == "cmyk":
            continue
        image = Image.open(io.BytesIO(data))
        file = io.BytesIO()
        image.save(file, "PNG", optimize=True)
        print(f"  static let {name}Pixels = {text(file.getvalue())}\n")
    print("  /// The places of a picture of three columns and two rows, row by row, under each Exif orientation from 1 on, by Pillow.")
    print("  static let orientations: [(width: Int, places: [UInt8])] = [")
    for orientation in range(1, 9):
        plain = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
        exif = Image.Exif()
        exif[0x0112] = orientation
        plain.info["exif"] = exif.tobytes()
        from PIL import ImageOps
        turned = ImageOps.exif_transpose(plain)
        print(f"    ({turned.width}, {list(turned.tobytes())}),")
    print("  ]\n}")


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def filtered(lines, step):
    """Rows of bytes, each by another filter."""
    result, above = b"", bytes(len(lines[0]))
    for y, line in enumerate(lines):
        kind = (y + 1) % 5
        row = bytearray()
        for i, value in enumerate(line):
            left, up = (line[i - step] if i >= step else 0), above[i]
            corner = above[i - step] if i >= step else 0
            p = left + up - corner
            nearest = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
            row.append((value - [0, left, up, (left + up) // 2, nearest][kind]) % 256)
        result += bytes([kind]) + bytes(row)
        above = line
    return result


def interlaced(samples, depth, color):
    """An interlaced PNG of samples [height, width, channels]."""
    height, width, channels = samples.shape
    data = b""
    for x0, y0, dx, dy in ADAM7:
        part = samples[y0::dy, x0::dx]
        if part.size == 0:
            continue
        lines = []
        for row in part.reshape(len(part), -1):
            bits = "".join(f"{value:0{depth}b}" for value in row)
            bits += "0" * (-len(bits) % 8)
            lines.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
        data += filtered(lines, max(1, channels * depth // 8))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def swift_png():
    y, x = np.mgrid[0:9, 0:7]
    gray = ((31 * x + 17 * y) % 256)[..., None]
    rgb = np.stack([(30 * x + y) % 256, (x + 25 * y) % 256, 5 * x * y % 256], -1)
    wide = np.stack([9000 * x + 700 * y, 65535 - 8000 * y], -1)
    for name, says, samples, depth, color in [
        ("interlaced", "The RGB image, interlaced.", rgb, 8, 2),
        ("interlacedOne", "The grey image modulo 2, one bit a pixel, interlaced.", gray % 2, 1, 0),
        ("interlacedPixel", "A grey pixel of level 77, interlaced.", np.full((1, 1, 1), 77), 8, 0),
        ("sixteenAndOpacity", "Sixteen bits: `9000 x + 700 y` and opacity `65535 − 8000 y`, interlaced.", wide, 16, 4),
    ]:
        data = interlaced(samples, depth, color)
        if depth < 16:
            read = np.array(Image.open(io.BytesIO(data))).astype(int).reshape(samples.shape)
            assert (read == samples).all(), name
        print(f"  /// {says}\n  static let {name} = {text(data)}\n")


if __name__ == "__main__":
    swift_png() if "png" in sys.argv else swift_jpeg()
