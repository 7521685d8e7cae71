"""Files as people attach them, made in memory: small, and complete as far as their headers go."""

import struct
import zlib

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def png(width: int = 4, height: int = 3, grey: int = 128) -> bytes:
    """A grey picture. Beyond a million pixels only its header is true."""
    rows = height if width * height <= 1_000_000 else 1
    data = zlib.compress((b"\x00" + bytes([grey]) * width) * rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def jpeg(width: int = 40, height: int = 30, scans: int = 1, more: bytes = b"") -> bytes:
    """The frame of a picture, without one that a decoder could show."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    # Inside the coded data: a stuffed byte and a restart, neither of which ends it.
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + more + frame + scan * scans + b"\xff\xd9"
