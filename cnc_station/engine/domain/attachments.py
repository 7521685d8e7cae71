"""Files attached to jobs and programs: which ones are taken, and what they are by their content.

Their names say nothing: a picture or a PDF is known by its bytes. The size of a picture is read
from its header, and bounds the memory that decoding it takes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cnc_station.engine.domain.errors import FieldError, InvalidInput

MOST_BYTES = 16 * 1024 * 1024
MOST_FILES = 20  # of a job or a program
MOST_PIXELS = 50_000_000
MOST_SCANS = 100  # of a JPEG: each makes its decoder go over the whole picture again
_TAIL = 4096  # bytes after the end of a PDF, which some programs leave there
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_STARTS = re.compile(rb"\xff+([^\x00\xff])")
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END, _SCAN = 0xD9, 0xDA


class AttachmentKind(StrEnum):
    """What an attachment is."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"

    @property
    def media_type(self) -> str:
        return "application/pdf" if self is AttachmentKind.PDF else f"image/{self}"

    @property
    def endings(self) -> tuple[str, ...]:
        """How names of such files end; the first is the usual one."""
        return (".jpg", ".jpeg") if self is AttachmentKind.JPEG else (f".{self}",)


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is by its content; the size of a picture in pixels."""

    kind: AttachmentKind
    width: int | None = None
    height: int | None = None


def file_type(content: bytes) -> FileType:
    """Return what a file is. Raises InvalidInput for anything but a complete PDF, PNG or JPEG
    within the limits."""
    if len(content) > MOST_BYTES:
        raise _refused(f"is larger than {MOST_BYTES >> 20} MB")
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-_TAIL:]:
            raise _cut_short()
        return FileType(AttachmentKind.PDF)
    if content.startswith(_PNG):
        return _within(AttachmentKind.PNG, *_png_size(content))
    if content.startswith(b"\xff\xd8\xff"):
        return _within(AttachmentKind.JPEG, *_jpeg_size(content))
    raise _refused("is not a PDF, PNG or JPEG" if content else "is empty")


def named(name: str, kind: AttachmentKind) -> str:
    """Return the name of a file with an ending of its kind, without a folder."""
    bare = name.replace("\\", "/").rpartition("/")[2].strip() or "attachment"
    return bare if bare.lower().endswith(kind.endings) else f"{bare}{kind.endings[0]}"


def _within(kind: AttachmentKind, width: int, height: int) -> FileType:
    if not width or not height:
        raise _refused("has no picture in it")
    if width * height > MOST_PIXELS:
        raise _refused(
            f"has {width:,} x {height:,} pixels, more than {MOST_PIXELS // 1_000_000} million: "
            "make it smaller"
        )
    return FileType(kind, width, height)


def _png_size(content: bytes) -> tuple[int, int]:
    """Read the size from the first chunk; the last one must be there."""
    at, first = len(_PNG), True
    size = (0, 0)
    while True:
        length = int.from_bytes(content[at : at + 4])
        name, data = content[at + 4 : at + 8], at + 8
        if len(name) < 4 or data + length + 4 > len(content):
            raise _cut_short()
        if first and (name != b"IHDR" or length != 13):
            raise _refused("is not a valid PNG")
        if first:
            size = (
                int.from_bytes(content[data : data + 4]),
                int.from_bytes(content[data + 4 : data + 8]),
            )
        if name == b"IEND":
            return size
        first = False
        at = data + length + 4


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Read the size from the header of the frame; the end must be there."""
    size = None
    scans = 0
    for marker, data in _jpeg_markers(content):
        if marker in _FRAMES and size is None:
            size = (
                int.from_bytes(content[data + 5 : data + 7]),
                int.from_bytes(content[data + 3 : data + 5]),
            )
        elif marker == _SCAN:
            scans += 1
            if scans > MOST_SCANS:
                raise _refused(f"is a JPEG of more than {MOST_SCANS} scans: save it again")
        elif marker == _END:
            if size is None or not scans:
                raise _refused("is not a valid JPEG")
            return size
    raise _cut_short()


def _jpeg_markers(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield each marker and where its data begins. The coded picture has none but restarts."""
    at = 2
    while (found := _JPEG_STARTS.search(content, at)) is not None:
        marker, at = found[1][0], found.end()
        yield marker, at
        if marker not in _WITHOUT_LENGTH and marker != _END:
            at += int.from_bytes(content[at : at + 2])


def _cut_short() -> InvalidInput:
    return _refused("is cut short: copy it again")


def _refused(why: str) -> InvalidInput:
    return InvalidInput(FieldError("file", why))
