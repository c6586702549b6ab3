#!/usr/bin/env python3
"""Makes pictures.txt: small pictures of every kind, and their pixels as Pillow reads them.

    pip install pillow numpy && tests/truth/make_pictures.py > tests/truth/pictures.txt

(make_jpegs.c, which it compiles, needs libjpeg62-turbo-dev.)

A line is a picture: name, width, height, the bytes of its file, and its pixels, 3 bytes each (red, green, blue), over
white where they are transparent, turned upright. tests/unit/pictures_test.c compares with what mlc reads. PNG files are and
most BMP files are written here, because no library writes all that the formats allow.
"""
import io
import os
import random
import struct
import subprocess
import tempfile
import zlib

import numpy
from PIL import Image, ImageOps

random.seed(14)


def emit(name, data, pixels=None):
    """pixels: given where Pillow does not read what the format says."""
    if pixels is None:
        pixels = read(data)
    height, width = pixels.shape[:2]
    print(name, width, height, data.hex(), pixels.astype(numpy.uint8).tobytes().hex())


def read(data):
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if picture.mode == "I;16":  # whose convert() clips at 255
        return numpy.repeat(numpy.floor(numpy.asarray(picture)[:, :, None] * (255 / 65535) + 0.5), 3, axis=2)
    if picture.mode == "CMYK":
        return numpy.asarray(picture.convert("RGB"))
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return numpy.asarray(paper.convert("RGB"))


# -- PNG --

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
NAMES = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey_alpha", RGBA: "rgba"}
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    """A row of numbers as bytes."""
    if depth == 16:
        return b"".join(struct.pack(">H", s) for s in samples)
    bits = "".join(format(s, f"0{depth}b") for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    estimate = a + b - c
    return min((abs(estimate - a), 0, a), (abs(estimate - b), 1, b), (abs(estimate - c), 2, c))[2]


def filtered(rows, step):
    """Rows of bytes, each with the next of the five filters."""
    above, result = bytes(len(rows[0])), b""
    for number, row in enumerate(rows):
        kind = number % 5
        result += bytes([kind])
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]
            result += bytes([(value - guess) % 256])
        above = row
    return result


def png(kind, depth, width, height, interlaced=False, before=(), trns=None, colours=None, pieces=1, palette_size=None):
    top, count = 2 ** depth - 1, SAMPLES[kind]
    colours = colours or [tuple(random.randrange(256) for _ in range(3)) for _ in range(palette_size or 2 ** depth)]
    if kind == PALETTE:
        top = len(colours) - 1
    picture = [[[random.randint(0, top) for _ in range(count)] for _ in range(width)] for _ in range(height)]
    if trns is not None and kind != PALETTE:
        for x in range(0, width, 3):  # the transparent colour is there
            picture[x % height][x] = list(trns)
    step = max(1, count * depth // 8)

    def rows(y0, x0, dy, dx):
        lines = [[s for pixel in row[x0::dx] for s in pixel] for row in picture[y0::dy]]
        return [packed(line, depth) for line in lines if line]

    parts = [rows(*a) for a in ADAM7] if interlaced else [rows(0, 0, 1, 1)]
    data = zlib.compress(b"".join(filtered(part, step) for part in parts if part))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    chunks = [chunk(b"IHDR", header)] + [chunk(*extra) for extra in before]
    if kind == PALETTE:
        chunks.append(chunk(b"PLTE", bytes(value for colour in colours for value in colour)))
    if trns is not None:
        chunks.append(chunk(b"tRNS", bytes(trns) if kind == PALETTE else b"".join(struct.pack(">H", t) for t in trns)))
    cuts = [len(data) * i // pieces for i in range(pieces + 1)]
    chunks += [chunk(b"IDAT", data[a:b]) for a, b in zip(cuts, cuts[1:])] + [chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks), numpy.array(picture)


def one_transparent(picture, trns, depth):
    """What the format says of a transparent colour. Pillow does not scale that of grey of 2 and 4 bits as it scales the pixels, does
    not read that of 16-bit grey, and compares the upper 8 bits of 16-bit colours."""
    rgb = numpy.floor(picture * 255 / (2 ** depth - 1) + 0.5)
    rgb[(picture == trns).all(axis=2)] = 255
    return numpy.broadcast_to(rgb, picture.shape[:2] + (3,))


def png_files():
    for kind, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                name = f"png/{NAMES[kind]}_{depth}" + ("_interlaced" if interlaced else "")
                emit(name, png(kind, depth, 9, 7, interlaced)[0])
            # transparency
            if kind in (GREY, RGB):
                trns = [random.randrange(2 ** depth) for _ in range(SAMPLES[kind])]
                data, picture = png(kind, depth, 9, 7, trns=trns)
                own = one_transparent(picture, trns, depth) if depth in (2, 4, 16) else None
                emit(f"png/{NAMES[kind]}_{depth}_trns", data, own)
            if kind == PALETTE:
                alphas = [random.randrange(256) for _ in range(max(1, 2 ** depth * 2 // 3))]
                emit(f"png/palette_{depth}_trns", png(kind, depth, 9, 7, trns=alphas)[0])
                emit(f"png/palette_{depth}_trns_interlaced", png(kind, depth, 9, 7, True, trns=alphas)[0])
    emit("png/palette_of_greys", png(PALETTE, 4, 9, 7, colours=[(17 * i, 17 * i, 17 * i) for i in range(16)])[0])
    emit("png/palette_of_5", png(PALETTE, 4, 9, 7, palette_size=5)[0])
    # what is said about colours changes none
    profile = b"a profile\0\0" + zlib.compress(bytes(200))
    about = {
        "gamma_0.35": (b"gAMA", struct.pack(">I", 35000)),
        "gamma_0.45": (b"gAMA", struct.pack(">I", 45455)),
        "gamma_1.0": (b"gAMA", struct.pack(">I", 100000)),
        "gamma_2.5": (b"gAMA", struct.pack(">I", 250000)),
        "chromaticities": (b"cHRM", struct.pack(">8I", 31270, 32900, 70000, 30000, 20000, 75000, 13000, 5000)),
        "srgb": (b"sRGB", b"\0"),
        "profile": (b"iCCP", profile),
        "text": (b"tEXt", b"Comment\0a text"),
        "physical": (b"pHYs", struct.pack(">IIB", 1, 4, 0)),
    }
    for kind, depth in ((GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16), (PALETTE, 4), (GREY_ALPHA, 8), (GREY_ALPHA, 16), (RGBA, 8)):
        for name, extra in about.items():
            if name in ("gamma_1.0", "gamma_2.5") or (kind, depth) in ((GREY, 8), (RGB, 8)):
                emit(f"png/{NAMES[kind]}_{depth}_{name}", png(kind, depth, 5, 4, before=[extra])[0])
        significant = bytes([3] * {GREY: 1, PALETTE: 3}.get(kind, SAMPLES[kind]))
        emit(f"png/{NAMES[kind]}_{depth}_significant", png(kind, depth, 5, 4, before=[(b"sBIT", significant)])[0])
    emit("png/background", png(RGBA, 8, 5, 4, before=[(b"bKGD", bytes(6))])[0])
    # sizes, interlaced ones among them, and many pieces
    for side in range(1, 9):
        emit(f"png/interlaced_{side}x{side}", png(PALETTE, 4, side, side, True)[0])
        emit(f"png/interlaced_{side}x{9 - side}", png(RGB, 8, side, 9 - side, True)[0])
    emit("png/one_row", png(GREY, 1, 33, 1)[0])
    emit("png/one_column", png(GREY, 2, 1, 33)[0])
    emit("png/many_pieces", png(RGB, 8, 9, 7, pieces=40)[0])
    for orientation in range(1, 9):
        exif = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1" + struct.pack(">HHI", orientation, 0, 0)
        emit(f"png/orientation_{orientation}", png(RGB, 8, 5, 3, before=[(b"eXIf", exif)])[0])


def orientation_exif(order, orientation):
    head = {">": b"MM\0*\0\0\0\x08", "<": b"II*\0\x08\0\0\0"}[order]
    return b"Exif\0\0" + head + struct.pack(order + "HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)


# -- JPEG --

def jpeg_files():
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "make_jpegs")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_jpegs.c")
        subprocess.run(["cc", source, "-o", program, "-ljpeg", "-lm"], check=True)
        os.mkdir(f"{folder}/made")
        subprocess.run([program, f"{folder}/made"], check=True)
        for name in sorted(os.listdir(f"{folder}/made")):
            with open(f"{folder}/made/{name}", "rb") as file:
                data = file.read()
            emit(f"jpeg/{name}", data)
            for orientation in range(1, 9) if name == "422" else ():
                exif = orientation_exif("<>"[orientation % 2], orientation)
                emit(f"jpeg/orientation_{orientation}",
                     data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])


# -- WebP --

def noise(width, height, channels):
    rows = [[[random.randrange(0, 256, 5) for _ in range(channels)] for _ in range(width)] for _ in range(height)]
    return numpy.array(rows, numpy.uint8)


def waves(width, height, channels):
    y, x, c = numpy.mgrid[0:height, 0:width, 0:channels]
    return (127 + 120 * numpy.sin(0.3 * x + c) * numpy.cos(0.2 * y - c)).astype(numpy.uint8)


def webp_files():
    for name, width, height, channels, options in (
            ("lossy", 17, 11, 3, {"quality": 80}), ("lossy_1", 17, 11, 3, {"quality": 1}),
            ("lossy_alpha", 17, 11, 4, {"quality": 80}), ("lossy_odd", 1, 1, 3, {"quality": 50}),
            ("lossless", 17, 11, 3, {"lossless": True}), ("lossless_alpha", 7, 5, 4, {"lossless": True, "exact": True}),
            ("lossless_one_pixel", 1, 1, 3, {"lossless": True})):
        out = io.BytesIO()
        Image.fromarray(waves(width, height, channels)).save(out, "WEBP", **options)
        emit(f"webp/{name}", out.getvalue())
    for orientation in range(1, 9):
        out = io.BytesIO()
        picture = Image.fromarray(waves(5, 3, 3))
        picture.save(out, "WEBP", lossless=True, exif=orientation_exif("<>"[orientation % 2], orientation))
        emit(f"webp/orientation_{orientation}", out.getvalue())


# -- BMP --

def bmp(width, height, bits, rows, colours=(), compression=0, masks=(), header=40, down=False, used=0):
    """rows: the bytes of the picture, from the bottom up (or down)."""
    palette = b"".join(bytes(c[::-1]) + (b"" if header == 12 else b"\0") for c in colours)
    extra = b"".join(struct.pack("<I", m) for m in masks)
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, -height if down else height, 1, bits, compression, len(rows), 0, 0, used, 0)
    if header > 40:
        head += (extra + bytes(header))[:header - 40]
        extra = b""
    start = 14 + len(head) + len(extra) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + head + extra + palette + rows


def padded(row):
    return row + bytes(-len(row) % 4)


def bmp_files():
    def colours(count):
        return [tuple(random.randrange(256) for _ in range(3)) for _ in range(count)]

    for bits in (1, 4, 8):
        rows = b"".join(padded(packed([random.randrange(2 ** bits) for _ in range(9)], bits)) for _ in range(5))
        emit(f"bmp/palette_{bits}", bmp(9, 5, bits, rows, colours(2 ** bits)))
        emit(f"bmp/palette_{bits}_core", bmp(9, 5, bits, rows, colours(2 ** bits), header=12))
        greys = [(255 * i // (2 ** bits - 1),) * 3 for i in range(2 ** bits)]
        emit(f"bmp/grey_{bits}", bmp(9, 5, bits, rows, greys, down=bits == 4))
    few = b"".join(padded(bytes(random.randrange(5) for _ in range(9))) for _ in range(5))
    emit("bmp/palette_of_5", bmp(9, 5, 8, few, colours(5), used=5))
    for name, bits, options in (
            ("24", 24, {}), ("24_down", 24, {"down": True}), ("24_core", 24, {"header": 12}), ("24_v4", 24, {"header": 108}),
            ("24_v5", 24, {"header": 124}), ("16", 16, {}), ("32", 32, {}),
            ("16_565", 16, {"compression": 3, "masks": (0xf800, 0x07e0, 0x001f)}),
            ("16_555", 16, {"compression": 3, "masks": (0x7c00, 0x03e0, 0x001f)}),
            ("32_masks", 32, {"compression": 3, "masks": (0xff0000, 0x00ff00, 0x0000ff)}),
            ("32_masks_turned", 32, {"compression": 3, "masks": (0xff000000, 0x00ff0000, 0x0000ff00)}),
            ("32_alpha_v4", 32, {"compression": 3, "header": 108, "masks": (0xff0000, 0xff00, 0xff, 0xff000000)}),
            ("32_alpha_v5", 32, {"compression": 3, "header": 124, "masks": (0xff0000, 0xff00, 0xff, 0xff000000)})):
        rows = b"".join(padded(bytes(random.randrange(256) for _ in range(7 * bits // 8))) for _ in range(5))
        emit(f"bmp/{name}", bmp(7, 5, bits, rows, **options))
    # runs: of one colour, one by one, a move, the end of a row, the end
    emit("bmp/runs_8", bmp(9, 4, 8, bytes([9, 3, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 4, 7, 0, 0, 2, 8, 0, 2, 3, 1, 4, 6, 0, 1]),
                           colours(256), compression=1))
    emit("bmp/runs_4", bmp(9, 4, 4, bytes([9, 0x3a, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 4, 0x71, 0, 0, 9, 0x99, 0, 0, 3, 0x17, 0, 6, 0x65,
                                           0x43, 0x21, 0, 0, 1]), colours(16), compression=2))


png_files()
jpeg_files()
webp_files()
bmp_files()
